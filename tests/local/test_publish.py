"""Publish and events as `make local` serves them: from API Gateway into S3 and Firehose, the queue, the worker."""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

import pytest

from harness import client as main_py
from harness import http
from harness.control_plane import CREDENTIALS, REGION, client
from harness.make_local import MakeLocal
from harness.waiting import eventually

MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
PROCESSED_SECONDS = 120.0
"""Many times the queue's delay and a batch."""
ATTEMPTS = 5
"""max_processing_attempts, as it is by default."""
HIDDEN_SECONDS = 5
"""Longer than a body of 10 MB takes, so that no message is seen twice by itself."""
TRACE = "1-5759e988-bd862e3fe1be46a994272793"


@dataclass
class Publish:
    url: str
    control_plane: str
    s3: Any = field(init=False)
    sqs: Any = field(init=False)
    dynamodb: Any = field(init=False)
    bucket: str = field(init=False)
    queue: str = field(init=False)
    errors: str = field(init=False)
    tokens: str = field(init=False)
    receipts: str = field(init=False)

    def __post_init__(self) -> None:
        self.s3, self.sqs, self.dynamodb = (client(self.control_plane, name) for name in ("s3", "sqs", "dynamodb"))
        tables = self.dynamodb.list_tables()["TableNames"]
        (self.tokens,) = [name for name in tables if name.endswith("-tokens")]
        (self.receipts,) = [name for name in tables if name.endswith("-publish-receipts")]
        queues = self.sqs.list_queues()["QueueUrls"]
        (self.queue,) = [url for url in queues if url.endswith("-publish")]
        (self.errors,) = [url for url in queues if url.endswith("-publish-errors")]
        buckets = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        (self.bucket,) = [name for name in buckets if "-publish-" in name]

    @property
    def environment(self) -> dict[str, str]:
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.control_plane,
            "TOKEN_TABLE": self.tokens,
            "RECEIPT_TABLE": self.receipts,
            "QUEUE_URL": self.queue,
            "ERROR_QUEUE_URL": self.errors,
        }

    def token(self, name: str, *scopes: str) -> str:
        wanted = [argument for scope in scopes for argument in ("--scope", scope)]
        made = main_py.run("token", "create", name, *wanted, **self.environment)
        assert made.returncode == 0, made.stderr
        return made.stdout.decode().strip()

    def post(self, body: bytes, content_type: str, **headers: str) -> http.Response:
        return http.request(self.url, "POST", "/publish", {"Content-Type": content_type, **headers}, body)

    def receipt(self, published: str, token: str) -> http.Response:
        return http.request(self.url, "GET", f"/publish/{published}", {"AuthDetails": token})

    def kept(self, prefix: str, published: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=f"{prefix}/{published}")

    def processed(self, published: str, token: str) -> dict[str, Any]:
        def done() -> dict[str, Any] | None:
            answer = self.receipt(published, token)
            assert answer.status == 200, answer.body
            said: dict[str, Any] = answer.json()
            return said if said["status"] == "done" else None

        return eventually(f"{published} is done", done, PROCESSED_SECONDS)

    def waiting(self, queue: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        if queue == self.queue:
            names.append("ApproximateNumberOfMessagesDelayed")
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())


@pytest.fixture(scope="module")
def endpoints(deployed: MakeLocal) -> dict[str, dict[str, Any]]:
    document = json.loads(deployed.endpoints.read_text())
    return {"": document, **{endpoint["name"]: endpoint for endpoint in document["endpoints"]}}


@pytest.fixture(scope="module")
def publish(endpoints: dict[str, dict[str, Any]]) -> Iterator[Publish]:
    """A message that failed comes back soon, not after six times the worker's time-out. The queue is told before the
    first test, because a receive that is under way hides what it gets for as long as was said when it began."""
    publish = Publish(endpoints["publish-beta"]["url"], endpoints[""]["control_plane"])
    names = ["VisibilityTimeout"]
    before = publish.sqs.get_queue_attributes(QueueUrl=publish.queue, AttributeNames=names)["Attributes"]
    publish.sqs.set_queue_attributes(QueueUrl=publish.queue, Attributes={"VisibilityTimeout": str(HIDDEN_SECONDS)})
    yield publish
    publish.sqs.set_queue_attributes(QueueUrl=publish.queue, Attributes=before)


@pytest.fixture(scope="module")
def alice(publish: Publish) -> str:
    return publish.token("alice", "publish")


@pytest.mark.parametrize("size", [0, 1, 6 * MEGABYTE + 1, LARGEST], ids=["0 B", "1 B", "6 MB + 1", "10 MB"])
def test_a_body_of_any_bytes_is_kept_and_processed_as_it_is(publish: Publish, alice: str, size: int) -> None:
    body = Random(size).randbytes(size)
    headers = {"AuthDetails": f"Bearer {alice}", "X-Amzn-Trace-Id": f"Root={TRACE}"}
    answer = publish.post(body, "application/octet-stream", **headers)
    assert answer.status == 202, answer.body
    published = answer.json()["id"]
    assert answer.json() == {"id": published, "status": "captured"}
    captured = publish.kept("captured", published)
    assert hashlib.sha256(captured["Body"].read()).digest() == hashlib.sha256(body).digest()
    assert captured["ContentType"] == "application/octet-stream"
    assert captured["Metadata"]["principal"] == "alice"
    assert TRACE in captured["Metadata"]["trace-id"]
    receipt = publish.processed(published, alice)
    assert (receipt["size"], receipt["attempts"]) == (size, 1)
    assert publish.kept("results", published)["Body"].read() == body


def test_a_larger_body_is_refused_and_nothing_is_kept(publish: Publish, alice: str) -> None:
    before = publish.s3.list_objects_v2(Bucket=publish.bucket)["KeyCount"]
    answer = publish.post(bytes(LARGEST + 1), "text/plain", AuthDetails=alice)
    assert answer.status == 413
    assert answer.json() == {"message": "Request Too Long", "hint": "A body may have 10 MB (10485760 bytes) at most"}
    assert publish.s3.list_objects_v2(Bucket=publish.bucket)["KeyCount"] == before


@pytest.mark.parametrize(
    ("content_type", "body", "result"),
    [
        ("text/plain", b"I bank with Rabo.", b"I bank with Rabobank."),
        ("application/json", b'{"ABN": ["ABN", 1.50]}', b'{"ABN": ["ABN AMRO", 1.50]}'),
        ("text/plain; charset=iso-8859-1", b"ABN \xe9", b"ABN \xe9"),
    ],
)
def test_words_are_replaced_by_content_type(
    publish: Publish, alice: str, content_type: str, body: bytes, result: bytes
) -> None:
    published = publish.post(body, content_type, AuthDetails=alice).json()["id"]
    publish.processed(published, alice)
    assert publish.kept("results", published)["Body"].read() == result


def test_a_missing_token_is_asked_for(publish: Publish) -> None:
    answer = publish.post(b"x", "text/plain")
    assert answer.status == 401
    hint = "Send the header AuthDetails with Bearer and a token"
    assert answer.json() == {"message": "Unauthorized", "hint": hint}


def test_a_token_that_is_not_good_is_told_why(publish: Publish, alice: str) -> None:
    revoked = publish.token("bob", "publish")
    assert main_py.run("token", "revoke", "bob", **publish.environment).returncode == 0
    expired = "sy_expired"
    digest = hashlib.sha256(expired.encode()).hexdigest()
    publish.dynamodb.put_item(
        TableName=publish.tokens,
        Item={
            "pk": {"S": f"token#{digest}"},
            "name": {"S": "carol"},
            "scopes": {"SS": ["publish"]},
            "disabled": {"BOOL": False},
            "expires_at": {"N": str(int(time.time()) - 1)},
        },
    )
    hints = {
        revoked: "The token was revoked: ask for a new one",
        expired: "The token has expired: ask for a new one",
        "sy_unknown": "The token is not known: check it, or ask for a new one",
        "Basic eA==": "The scheme is missing or wrong: send Bearer and a token",
        publish.token("dave", "events"): "The token lacks the scope publish: ask for one that has it",
    }
    for header, hint in hints.items():
        answer = publish.post(b"x", "text/plain", AuthDetails=header)
        assert (answer.status, answer.json()) == (403, {"message": "Forbidden", "hint": hint})
    assert publish.post(b"x", "text/plain", AuthDetails=alice).status == 202


def test_nobody_learns_of_another_s_body(publish: Publish, alice: str) -> None:
    published = publish.post(b"x", "text/plain", AuthDetails=alice).json()["id"]
    other = publish.token("erin", "publish")
    for name in (published, "unknown"):
        answer = publish.receipt(name, other)
        assert (answer.status, answer.json()) == (404, {"message": "Not Found"})


def test_a_second_delivery_has_no_second_effect(publish: Publish, alice: str) -> None:
    published = publish.post(b"ING", "text/plain", AuthDetails=alice).json()["id"]
    publish.processed(published, alice)
    written = publish.kept("results", published)["LastModified"]
    notification = {"Records": [{"s3": {"object": {"key": quote(f"captured/{published}", safe="")}}}]}
    publish.sqs.send_message(QueueUrl=publish.queue, MessageBody=json.dumps(notification), DelaySeconds=0)
    eventually("the second message is gone", lambda: publish.waiting(publish.queue) == 0, PROCESSED_SECONDS)
    assert publish.processed(published, alice)["attempts"] == 1
    assert publish.kept("results", published)["LastModified"] == written


def test_a_poison_body_ends_in_the_error_queue_with_its_reason_and_can_be_sent_back(
    publish: Publish, alice: str
) -> None:
    published = publish.post(b'{"open": ', "application/json", AuthDetails=alice).json()["id"]
    beside = publish.post(b"Rabo", "text/plain", AuthDetails=alice).json()["id"]
    assert publish.processed(beside, alice)["attempts"] == 1, "it blocks no other"
    for attempts in (ATTEMPTS, 2 * ATTEMPTS):
        eventually("it is in the error queue", lambda: publish.waiting(publish.errors) == 1, PROCESSED_SECONDS)
        receipt = publish.receipt(published, alice).json()
        assert (receipt["status"], receipt["attempts"]) == ("failed", attempts)
        assert "the content type says JSON, but the body is not" in receipt["reason"]
        if attempts == ATTEMPTS:
            redriven = main_py.run("redrive", "--yes", **publish.environment)
            assert redriven.returncode == 0, redriven.stderr
            assert f"{published}: failed in attempt {ATTEMPTS}".encode() in redriven.stdout
    publish.sqs.purge_queue(QueueUrl=publish.errors)


def test_an_event_is_one_line_in_the_bucket(endpoints: dict[str, dict[str, Any]]) -> None:
    door, control_plane = endpoints["events-beta"], endpoints[""]["control_plane"]
    event = '{"text": "#set($x = 1) \\"quoted\\"\\n\U0001f980"}'.encode()
    headers = {**door["headers"], "Content-Type": "application/json"}
    answer = http.request(door["url"], "POST", "/events", headers, event)
    assert (answer.status, answer.json()) == (200, {"status": "OK"})
    (stream,) = client(control_plane, "firehose").list_delivery_streams()["DeliveryStreamNames"]
    http.request(control_plane, "POST", f"/_control_plane/firehose/{REGION}/{stream}/flush")
    s3 = client(control_plane, "s3")
    (bucket,) = [each["Name"] for each in s3.list_buckets()["Buckets"] if "-events-" in each["Name"]]
    delivered = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix="events/")["Contents"]]
    text = "".join(gzip.decompress(s3.get_object(Bucket=bucket, Key=key)["Body"].read()).decode() for key in delivered)
    lines = [json.loads(line) for line in text.splitlines()]
    (line,) = [each for each in lines if data_of(each) == event]
    assert line.keys() == {"apiKeyId", "traceId", "requestTime", "sourceIp", "body"}
    key = next(value for name, value in door["headers"].items() if name.lower() == "x-api-key")
    assert key not in text


def data_of(line: dict[str, str]) -> bytes:
    return b64decode(line["body"], validate=True)
