"""Events as `make local` serves them: from API Gateway into Firehose, and from there into S3, one line each."""

from __future__ import annotations

import gzip
import json
import uuid
from base64 import b64decode
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from harness import http
from harness.control_plane import REGION, client
from harness.faults import fault
from harness.make_local import MakeLocal
from harness.throttling import UNLIMITED, throttled
from harness.waiting import eventually

RUN = uuid.uuid4().hex
"""By which these tests know their own events."""

CONCURRENT = 1000

LARGEST = 750_000
"""Bytes of an event whose line, in base64 and with the rest, still fits into a record."""
TOO_LARGE = 750 * 1024
HINT = "An event takes up to 750 KB; larger bodies are for the publish API, which takes 10 MB"
MEGABYTE = 1024 * 1024

HOSTILE = ['"', "\\", '\\\\"', "'", "\n", "\r\n", "\0", "\x1b", "\u2028", "$", "$x", "${context}", "#set($q = 1)"]
HOSTILE += ["#end", "##", "#*", "\\'", "</script>", "🦀", "\ud83e", "}", '"}\n{"forged": true', "%00", "{{}}"]
"""Whatever a template, JSON, a line or UTF-8 could stumble over."""


@dataclass(frozen=True)
class Events:
    """The events API as it is deployed."""

    url: str
    headers: dict[str, str]
    control_plane: str

    def post(self, body: bytes, path: str = "/events", **headers: str) -> http.Response:
        return http.request(self.url, "POST", path, self.headers | headers, body)

    def delivered(self) -> dict[str, str]:
        """All that is in the bucket: each object's name, and its text."""
        (stream,) = client(self.control_plane, "firehose").list_delivery_streams()["DeliveryStreamNames"]
        flushed = http.request(self.control_plane, "POST", f"/_control_plane/firehose/{REGION}/{stream}/flush")
        assert flushed.status == 200, flushed.body
        s3 = client(self.control_plane, "s3")
        (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "-events-" in each["Name"]]
        keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {
            key: gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode("utf-8") for key in keys
        }

    def lines(self) -> list[dict[str, str]]:
        """Of everything that was delivered. Nothing but whole lines is."""
        texts = self.delivered().values()
        assert all(text.endswith("\n") for text in texts)
        return [json.loads(line) for text in texts for line in text.removesuffix("\n").split("\n")]

    def bodies(self) -> list[bytes]:
        return [b64decode(line["body"], validate=True) for line in self.lines()]


@pytest.fixture(scope="module")
def events(deployed: MakeLocal) -> Events:
    document = json.loads(deployed.endpoints.read_text())
    (door,) = [each for each in document["endpoints"] if each["name"] == "events-beta"]
    headers = {name.lower(): value for name, value in door["headers"].items()}
    return Events(door["url"], headers | {"content-type": "application/json"}, document["control_plane"])


def test_an_event_is_one_line_in_the_bucket(events: Events) -> None:
    event = f'{{"text": "#set($x = 1) \\"quoted\\"\\n\U0001f980", "run": "{RUN}"}}'.encode()
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793"
    answer = events.post(event, **{"x-amzn-trace-id": trace})
    assert (answer.status, answer.json()) == (200, {"status": "OK"})
    delivered = events.delivered()
    assert all(key.startswith("events/20") and key.endswith(".gz") for key in delivered)
    assert all(events.headers["x-api-key"] not in text for text in delivered.values())
    (line,) = [line for line in events.lines() if b64decode(line["body"]) == event]
    assert line.keys() == {"apiKeyId", "traceId", "requestTime", "sourceIp", "body"}
    assert trace in line["traceId"]
    assert line["sourceIp"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (b'{"open": ', 400, "The body is not what it should be"),
        (b'"' + b"x" * (TOO_LARGE - 2) + b'"', 413, "Request Too Long"),
        (b'"' + b"x" * MEGABYTE + b'"', 413, "Request Too Long"),
        (b'"' + b"x" * (10 * MEGABYTE) + b'"', 413, "Request Too Long"),
    ],
    ids=["open", "a record's size", "a record's size in base64", "more than API Gateway takes"],
)
def test_what_is_no_event_is_refused_and_says_why(events: Events, body: bytes, status: int, message: str) -> None:
    answer = events.post(body)
    assert (answer.status, answer.json()["message"]) == (status, message), answer.body
    if status == 413:
        assert answer.json()["hint"] == HINT
    assert body not in events.bodies()


def test_the_largest_event_is_taken_and_none_at_all_is_an_empty_object(events: Events) -> None:
    largest = b'"' + b"y" * (LARGEST - 2) + b'"'
    for body, kept in ((largest, largest), (b"", b"{}")):
        answer = events.post(body)
        assert answer.status == 200, answer.body
        assert kept in events.bodies()


def test_a_key_and_json_are_asked_for(events: Events) -> None:
    keyless = http.request(events.url, "POST", "/events", {"content-type": "application/json"}, b"{}")
    assert (keyless.status, keyless.json()) == (403, {"message": "Forbidden"})
    text = events.post(b"{}", **{"content-type": "text/plain"})
    assert text.status == 415
    assert text.json()["hint"] == "Send Content-Type: application/json"


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        ({"status": 503, "code": "ServiceUnavailableException"}, 503, "Service Unavailable"),
        ({"status": 500, "code": "InternalFailure"}, 503, "Service Unavailable"),
        ({"status": 400, "code": "ResourceNotFoundException"}, 503, "Service Unavailable"),
        ({"status": 400, "code": "ThrottlingException"}, 429, "Too Many Requests"),
    ],
    ids=lambda value: value.get("code") if isinstance(value, dict) else None,
)
@pytest.mark.parametrize("path", ["/events", "/events/batch"])
def test_what_firehose_does_not_take_can_be_sent_again(
    events: Events, path: str, error: dict[str, Any], status: int, message: str
) -> None:
    body = json.dumps([path, error]).encode()
    with fault(events.control_plane, "firehose", "refused", requests="PutRecord.*", **error):
        answer = events.post(body, path)
    assert (answer.status, answer.json()) == (status, {"message": message})
    assert answer.headers["retry-after"] == "1"
    assert events.post(body, path).status == 200


def test_who_sends_too_much_is_told_when_to_send_again(events: Events) -> None:
    with throttled(events.control_plane, events.url, rate=0.01, burst=1):
        answer = eventually(
            "it is throttled", lambda: refused if (refused := events.post(b"{}")).status != 200 else None
        )
        assert (answer.status, answer.json()) == (429, {"message": "Too Many Requests"})
        assert answer.headers["retry-after"] == "1"
    eventually("it takes events again", lambda: events.post(b"{}").status == 200)


def test_each_member_of_a_batch_is_a_line(events: Events) -> None:
    # Half of a surrogate pair is no text; in an event of its own it is kept as it was escaped.
    texts = [text for text in HOSTILE if text != "\ud83e"]
    batch = [{"batch": number, "run": RUN, "text": text} for number, text in enumerate(texts)]
    answer = events.post(json.dumps(batch).encode(), "/events/batch")
    assert (answer.status, answer.json()) == (200, {"status": "OK"})
    found = [json.loads(body) for body in events.bodies() if b'"batch"' in body and RUN.encode() in body]
    assert sorted(found, key=lambda event: event["batch"]) == batch


@pytest.mark.parametrize("body", [b"[]", b"{}", b"[1,", json.dumps([1] * 501).encode()], ids=["0", "{}", "open", "501"])
def test_what_is_no_batch_is_refused(events: Events, body: bytes) -> None:
    answer = events.post(body, "/events/batch")
    assert (answer.status, answer.json()["message"]) == (400, "The body is not what it should be")
    assert answer.json()["cause"]


def hostile_events() -> list[bytes]:
    """In every way of writing JSON: escaped or not, on one line or several, flat or deep."""
    random = Random(CONCURRENT)
    bodies = []
    for number in range(CONCURRENT):
        text = "".join(random.choices(HOSTILE, k=random.randrange(8)))
        event: Any = {"concurrent": number, "run": RUN, text: text}
        for _ in range(random.choice([0, 1, 60])):
            event = [event]
        # Half of a surrogate pair can be written as an escape only.
        is_escaped = "\ud83e" in text or random.random() < 0.5
        written = json.dumps(event, ensure_ascii=is_escaped, indent=random.choice([None, 2]))
        bodies.append(written.encode())
    return bodies


def test_concurrent_events_of_any_content_are_as_many_lines(events: Events) -> None:
    bodies = hostile_events()
    with throttled(events.control_plane, events.url, *UNLIMITED):
        waiting = list(bodies)
        while waiting:
            # All are sent before the first answer is read.
            connections = [http.connect(events.url) for _ in waiting]
            for connection, body in zip(connections, waiting, strict=True):
                connection.request("POST", f"/{events.url.split('/', 3)[3]}/events", body, events.headers)
            answers = [http.response_of(connection) for connection in connections]
            for connection in connections:
                connection.close()
            # What was not taken left nothing, and is sent again.
            assert {answer.status for answer in answers} <= {200, 429, 503}
            waiting = [body for body, answer in zip(waiting, answers, strict=True) if answer.status != 200]
    ours = [body for body in events.bodies() if b'"concurrent"' in body and RUN.encode() in body]
    assert sorted(ours) == sorted(bodies)
