"""Publish as `make local` serves it: from API Gateway into S3, the queue, the worker, and back to the caller."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.request
from pathlib import Path
from random import Random

import pytest

from harness.faults import fault
from harness.make_local import MakeLocal
from harness.publish import PROCESSED_SECONDS, Publish
from harness.waiting import eventually

MEGABYTE = 1024 * 1024
LARGEST = 10 * MEGABYTE
"""https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""
ATTEMPTS = 5
"""max_processing_attempts, as it is by default."""
HIDDEN_SECONDS = 2
"""A message that failed comes back after this long: many times what an attempt at a small body takes."""
LINK_SECONDS = 300
MOST_MEMORY = 64 * MEGABYTE
TRACE = "1-5759e988-bd862e3fe1be46a994272793"


SIZES = {"0 B": 0, "1 B": 1, "6 MB + 1": 6 * MEGABYTE + 1, "10 MB": LARGEST}
WORDS = {
    "text": ("text/plain", b"I bank with Rabo.", b"I bank with Rabobank."),
    "JSON": ("application/json", b'{"ABN": ["ABN", 1.50]}', b'{"ABN": ["ABN AMRO", 1.50]}'),
    "another charset": ("text/plain; charset=iso-8859-1", b"ABN \xe9", b"ABN \xe9"),
}
"""What a body says that it is, what it holds, and what becomes of that."""


def random_bytes(size: int) -> bytes:
    return Random(size).randbytes(size)


@pytest.fixture(scope="module")
def captured(publish: Publish, alice: str) -> dict[str, str]:
    """Ids of all these bodies by their names. They go in together, because the queue holds each back for seconds."""
    bodies = {name: ("application/octet-stream", random_bytes(size)) for name, size in SIZES.items()}
    bodies |= {name: (content_type, body) for name, (content_type, body, _) in WORDS.items()}
    headers = {"AuthDetails": f"Bearer {alice}", "X-Amzn-Trace-Id": f"Root={TRACE}"}
    ids = {}
    for name, (content_type, body) in bodies.items():
        answer = publish.post(body, content_type, **headers)
        assert answer.status == 202, answer.body
        ids[name] = answer.json()["id"]
        assert answer.json() == {"id": ids[name], "status": "captured"}
    return ids


@pytest.mark.parametrize("name", SIZES)
def test_a_body_of_any_bytes_is_kept_and_processed_as_it_is(
    publish: Publish, alice: str, captured: dict[str, str], name: str
) -> None:
    body = random_bytes(SIZES[name])
    kept = publish.kept("captured", captured[name])
    assert hashlib.sha256(kept["Body"].read()).digest() == hashlib.sha256(body).digest()
    assert kept["ContentType"] == "application/octet-stream"
    assert kept["Metadata"]["principal"] == "alice"
    assert TRACE in kept["Metadata"]["trace-id"]
    receipt = publish.processed(captured[name], alice)
    assert (receipt["size"], receipt["attempts"]) == (len(body), 1)
    assert receipt["result_expires_in_seconds"] == LINK_SECONDS
    assert f"X-Amz-Expires={LINK_SECONDS}" in receipt["result"]
    with urllib.request.urlopen(receipt["result"]) as result:
        assert result.headers["Content-Type"] == "application/octet-stream"
        assert result.read() == body


@pytest.mark.parametrize("name", WORDS)
def test_words_are_replaced_by_content_type(publish: Publish, alice: str, captured: dict[str, str], name: str) -> None:
    publish.processed(captured[name], alice)
    assert publish.kept("results", captured[name])["Body"].read() == WORDS[name][2]


def test_a_larger_body_is_refused_and_nothing_is_kept(publish: Publish, alice: str) -> None:
    before = publish.objects("captured")
    answer = publish.post(bytes(LARGEST + 1), "text/plain", AuthDetails=alice)
    assert answer.status == 413
    assert answer.json() == {"message": "Request Too Long", "hint": "A body may have 10 MB (10485760 bytes) at most"}
    assert publish.objects("captured") == before


def test_a_missing_token_is_asked_for(publish: Publish) -> None:
    answer = publish.post(b"x", "text/plain")
    assert answer.status == 401
    hint = "Send the header AuthDetails with Bearer and a token"
    assert answer.json() == {"message": "Unauthorized", "hint": hint}


def test_a_token_that_is_not_good_is_told_why(publish: Publish, alice: str) -> None:
    revoked = publish.token("bob", "publish")
    publish.run("token", "revoke", "bob")
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
    publish.s3.put_object(Bucket=publish.bucket, Key=f"results/{published}", Body=b"as it is")
    publish.tell(published)
    publish.settle()
    assert publish.processed(published, alice)["attempts"] == 1
    assert publish.kept("results", published)["Body"].read() == b"as it is", "it was not written again"


def test_of_two_deliveries_at_once_one_has_an_effect(publish: Publish, alice: str, deployed: MakeLocal) -> None:
    with publish.hidden_for(HIDDEN_SECONDS):
        # The first cannot end before the second has come.
        with fault(publish.control_plane, "s3", "late", requests="PUT .*/results/.*"):
            published = publish.post(b"ING", "text/plain", AuthDetails=alice).json()["id"]
            publish.tell(published)
            deployed.wait_for_line(f"{published} is being processed by somebody else")
        assert publish.processed(published, alice)["attempts"] == 1


def test_the_client_publishes_a_file_and_waits_for_the_receipt(publish: Publish, alice: str, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    file.write_text('["Rabo"]')
    endpoint = {"API_ENDPOINT": publish.url, "API_TOKEN": alice}
    receipt = json.loads(publish.run("publish", str(file), "--wait", **endpoint))
    assert (receipt["status"], receipt["size"]) == ("done", len('["Rabobank"]'))
    assert publish.kept("results", receipt["id"])["Body"].read() == b'["Rabobank"]'


def test_bodies_of_10_mb_are_processed_in_little_memory(publish: Publish, alice: str) -> None:
    """Also those whose results are twice as large, in the worst shapes: one string, and as many as fit."""
    words = b"ING " * (LARGEST // 4)
    bodies = {
        words: "text/plain",
        b'["' + words[:-4] + b'"]': "application/json",
        b"[" + b'"ING",' * (LARGEST // 6 - 1) + b"1]": "application/json",
        words[:-1] + b"!": "application/octet-stream",
    }
    sent = []
    for body, content_type in bodies.items():
        answer = publish.post(body, content_type, AuthDetails=alice)
        assert answer.status == 202, answer.body
        sent.append(answer.json()["id"])
    sizes = [publish.processed(published, alice)["size"] for published in sent]
    assert min(sizes) >= LARGEST - 8
    assert max(sizes) > 2 * LARGEST
    assert publish.worker.most_memory() <= MOST_MEMORY


def test_a_poison_body_ends_in_the_error_queue_with_its_reason_and_can_be_sent_back(
    publish: Publish, alice: str
) -> None:
    with publish.hidden_for(HIDDEN_SECONDS):
        published = publish.post(b'{"open": ', "application/json", AuthDetails=alice).json()["id"]
        beside = publish.post(b"Rabo", "text/plain", AuthDetails=alice).json()["id"]
        assert publish.processed(beside, alice)["attempts"] == 1, "it blocks no other"
        for attempts in (ATTEMPTS, 2 * ATTEMPTS):
            eventually("it is in the error queue", lambda: publish.waiting(publish.errors) == 1, PROCESSED_SECONDS)
            receipt = publish.receipt(published, alice).json()
            assert (receipt["status"], receipt["attempts"]) == ("failed", attempts)
            assert "the content type says JSON, but the body is not" in receipt["reason"]
            if attempts == ATTEMPTS:
                assert f"{published}: failed in attempt {ATTEMPTS}" in publish.run("redrive", "--yes")
    publish.sqs.purge_queue(QueueUrl=publish.errors)
