"""The templates of the events API, rendered by the control plane: no event can break or forge a record."""

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from harness.control_plane import ControlPlane

DEFINITION = Path(__file__).parents[2] / "terraform" / "openapi" / "events.yaml"
TEMPLATES = DEFINITION.with_suffix("")
STREAM = "switchyard-test-events"
TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793"
CONTEXT = {
    "requestTime": "21/Nov/2026:09:00:00 +0000",
    "identity": {"apiKeyId": "a1b2c3", "sourceIp": "192.0.2.1", "apiKey": "the key itself"},
}
FRAME = {
    "apiKeyId": "a1b2c3",
    "traceId": TRACE,
    "requestTime": "21/Nov/2026:09:00:00 +0000",
    "sourceIp": "192.0.2.1",
}

Render = Callable[..., tuple[str, dict[str, Any]]]

# Whatever a template engine, JSON or a line could stumble over.
HOSTILE = [
    '"',
    "\\",
    "'",
    "\n",
    "\r\n",
    "\u2028",
    "\x00",
    "$",
    "$x",
    "${x}",
    "#set($q = 1)",
    "#end",
    "##",
    "#*",
    "\\'",
    "🦀",
    "}",
]
JSON_TEXT = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text() | st.lists(st.sampled_from(HOSTILE)).map("".join),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(HOSTILE), inner),
    max_leaves=30,
)  # fmt: skip
BODIES = st.builds(json.dumps, JSON_TEXT, ensure_ascii=st.booleans(), indent=st.sampled_from([None, 2]))


@pytest.fixture(scope="module")
def render() -> Iterator[Render]:
    plane = ControlPlane()

    def rendered(template: str, body: str, trace: str = TRACE) -> tuple[str, dict[str, Any]]:
        """The text, and what the template set of the response's override."""
        question = {
            "template": (TEMPLATES / f"{template}.vtl").read_text(),
            "body": body,
            "context": CONTEXT,
            "stageVariables": {"stream": STREAM},
            "params": {"header": {"X-Amzn-Trace-Id": trace}},
        }
        request = urllib.request.Request(
            f"{plane.url}/_control_plane/vtl",
            data=json.dumps(question).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request) as answer:
            document = json.load(answer)
        return document["rendered"], document["context"]["responseOverride"]

    yield rendered
    plane.stop()


def line(record: dict[str, str]) -> dict[str, str]:
    """What will stand in S3, once it is sure that it is one line."""
    assert record.keys() == {"Data"}
    data = base64.b64decode(record["Data"], validate=True).decode()
    assert len(data.splitlines()) == 1
    assert "the key itself" not in data
    value: dict[str, str] = json.loads(data)
    return value


@example("{}")
@example(json.dumps("\u2028\u2029 $context #foreach($a in [1..9])"))
@example('"' + "[" * 500 + '"')
@example("[" * 200 + "]" * 200)
@given(BODIES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_record_is_one_line_that_holds_the_body_byte_for_byte(render: Render, body: str) -> None:
    text, override = render("put_record", body)
    request = json.loads(text)
    assert request["DeliveryStreamName"] == STREAM
    kept = line(request["Record"])
    assert base64.b64decode(kept.pop("body"), validate=True).decode() == body
    assert kept == FRAME
    assert override == {"header": {}}


@given(st.lists(st.sampled_from([*HOSTILE, "Root=1", ";"])).map("".join))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_trace_header_cannot_break_out_of_its_string(render: Render, trace: str) -> None:
    text, _ = render("put_record", "{}", trace)
    assert line(json.loads(text)["Record"])["traceId"] == trace


@given(st.lists(JSON_TEXT, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_each_member_of_a_batch_is_a_record(render: Render, events: list[Any]) -> None:
    text, _ = render("put_record_batch", json.dumps(events))
    request = json.loads(text)
    assert request["DeliveryStreamName"] == STREAM
    kept = [line(record) for record in request["Records"]]
    assert [json.loads(base64.b64decode(each.pop("body"), validate=True)) for each in kept] == events
    assert all(each == FRAME for each in kept)


@pytest.mark.parametrize("failed", [[], [0], [1, 2], [0, 1, 2]])
def test_the_answer_to_a_batch_names_what_failed(render: Render, failed: list[int]) -> None:
    responses = [
        {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
        if index in failed
        else {"RecordId": "r"}
        for index in range(3)
    ]
    answer = {"FailedPutCount": len(failed), "Encrypted": False, "RequestResponses": responses}
    text, override = render("batch_result", json.dumps(answer))
    if failed:
        named = [{"index": index, "error": "ServiceUnavailableException"} for index in failed]
        assert json.loads(text) == {"status": "PARTIAL", "failed": named}
        assert override["status"] == 207
    else:
        assert json.loads(text) == {"status": "OK"}
        assert "status" not in override


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ("ValidationException", None),
        ("SerializationException", None),
        ("InvalidArgumentException", None),
        ("ThrottlingException", 429),
        ("LimitExceededException", 429),
        ("ResourceNotFoundException", 503),
        ("AccessDeniedException", 503),
    ],
)
def test_what_firehose_refuses_is_the_callers_only_if_it_is(render: Render, error: str, status: int | None) -> None:
    text, override = render("refused", json.dumps({"__type": error, "message": "said"}))
    assert json.loads(text)["message"]
    assert override.get("status") == status, "without a status of its own the integration response's 413 stands"
    assert ("Retry-After" in override["header"]) == (status is not None), "a body that is too large stays so"


def test_no_two_responses_of_an_integration_have_one_status() -> None:
    """API Gateway knows them by it, and would keep one.
    https://docs.aws.amazon.com/apigateway/latest/api/API_PutIntegrationResponse.html"""
    for path, methods in yaml.safe_load(DEFINITION.read_text())["paths"].items():
        for method, operation in methods.items():
            responses = operation["x-amazon-apigateway-integration"]["responses"]
            statuses = [response["statusCode"] for response in responses.values()]
            assert len(statuses) == len(set(statuses)), f"{method} {path}"
            # What a template makes of it must be one of the method's own.
            assert {"413", "429", "503"} <= operation["responses"].keys() or path not in ("/events", "/events/batch")
