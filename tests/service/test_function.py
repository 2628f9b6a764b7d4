"""The Lambda binary as a process: its events, its logs, its map."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

import lambda_package
from harness import emf, ssm
from harness.binaries import binary
from harness.function import Function
from harness.rest_api import MOUNTS, Mount, event
from harness.runtime_api import TRACE_ID
from harness.ssm import Ssm
from harness.waiting import eventually

NAME = "string-replace"
JSON = [("Content-Type", "application/json")]
TEXT = [("Content-Type", "text/plain")]
PLAIN = MOUNTS[0]


def replace(function: Function, text: str) -> Any:
    _, answer = function.invoke(event("POST", "/string/replace", TEXT, text.encode(), PLAIN))
    assert answer["statusCode"] == 200, answer
    return answer["body"]


def test_it_needs_no_newer_glibc_than_lambda_has() -> None:
    """`make lambdas` refuses to pack such a binary; this one is the code that it would pack, built for this machine."""
    assert lambda_package.glibc_needed(Path(binary(NAME)).read_bytes()) <= lambda_package.LAMBDA_GLIBC


@pytest.mark.parametrize("mount", MOUNTS, ids=lambda mount: mount.name)
def test_an_event_is_routed_wherever_the_api_is_mounted(mount: Mount) -> None:
    with Function(NAME) as function:
        _, answer = function.invoke(event("POST", "/string/replace", JSON, b'{"content": "abn"}', mount))
        assert (answer["statusCode"], json.loads(answer["body"])) == (200, {"message": "ABN AMRO"})
        _, answer = function.invoke(event("POST", "/string/reverse", JSON, b'{"content": "abn"}', mount))
        assert (answer["statusCode"], answer["body"]) == (404, '{"message":"Not Found"}')


def test_a_body_in_base_64_is_read_as_what_it_encodes() -> None:
    with Function(NAME) as function:
        encoded = event("POST", "/string/replace", TEXT, "Größe abn".encode(), PLAIN, binary=True)
        _, answer = function.invoke(encoded)
        body = base64.b64decode(answer["body"]) if answer["isBase64Encoded"] else answer["body"].encode()
        assert body.decode() == "Größe ABN AMRO"


def test_text_comes_back_as_text() -> None:
    with Function(NAME) as function:
        _, answer = function.invoke(event("POST", "/string/replace", TEXT, "Größe abn".encode(), PLAIN))
        assert answer["isBase64Encoded"] is False
        assert answer["body"] == "Größe ABN AMRO"


def test_one_json_line_per_request_with_request_and_trace_id_but_no_body() -> None:
    with Function(NAME) as function:
        proxied = event("POST", "/string/replace", JSON, b'{"content": "needle abn"}', PLAIN)
        request_id, _ = function.invoke(proxied)
        line = json.loads(function.process.wait_for_output(request_id))
        assert TRACE_ID.split(";")[0].removeprefix("Root=") in json.dumps(line)
        function.process.stop()
        for line in function.process.output.splitlines():
            assert isinstance(json.loads(line), dict)
        assert "needle" not in function.process.output


def test_one_instance_serves_many_invocations() -> None:
    with Function(NAME) as function:
        for number in range(50):
            assert replace(function, f"{number} abn") == f"{number} ABN AMRO"


def test_a_stale_map_is_renewed_beside_the_invocations() -> None:
    with Ssm(ssm.rules({"ABN": "first"}, version=1)) as source, Function(NAME, source.environment) as function:
        assert replace(function, "abn") == "first"
        source.reply = ssm.rules({"ABN": "second"}, version=2)
        eventually("the new map", lambda: replace(function, "abn") == "second")
        source.reply = ssm.error(500, "InternalServerError")
        asked = len(source.names)
        eventually("a refresh that fails", lambda: replace(function, "abn") and len(source.names) > asked)
        assert replace(function, "abn") == "second"


def test_a_refresh_that_fails_is_told_as_a_metric_and_a_warning() -> None:
    with Ssm(ssm.rules({"ABN": "first"}, version=1)) as source, Function(NAME, source.environment) as function:
        assert replace(function, "abn") == "first"
        source.reply = ssm.error(400, "AccessDeniedException")

        def told() -> dict[str, Any] | None:
            replace(function, "abn")
            return next((line for line in function.process.log() if line.get("MapRefreshFailures")), None)

        emf.check(eventually("the metric", told))
        assert any(
            line.get("level") == "WARN" and line.get("keeps") == "1" and "AccessDeniedException" in line["message"]
            for line in function.process.log()
        )


def test_without_a_map_it_answers_503_until_there_is_one() -> None:
    with Ssm(ssm.error(400, "ParameterNotFound")) as source, Function(NAME, source.environment) as function:
        _, answer = function.invoke(event("POST", "/string/replace", JSON, b'{"content": "abn"}', PLAIN))
        assert answer["statusCode"] == 503
        assert set(json.loads(answer["body"])) == {"message"}
        source.reply = ssm.rules({"ABN": "first"}, version=1)
        assert eventually("the map", lambda: _served(function)) == "first"


def _served(function: Function) -> str | None:
    _, answer = function.invoke(event("POST", "/string/replace", TEXT, b"abn", PLAIN))
    return answer["body"] if answer["statusCode"] == 200 else None


def test_a_bad_variable_ends_it_during_init_with_a_line_that_names_it() -> None:
    environment = {"STRINGS_MAPPING_REFRESH_SECONDS": "never"}
    with pytest.raises(RuntimeError, match="ended with code 64 during INIT") as caught, Function(NAME, environment):
        pass
    assert 'STRINGS_MAPPING_REFRESH_SECONDS="never"' in str(caught.value)
