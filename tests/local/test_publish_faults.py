"""Publish while what it is built on fails: every body that was answered 202 is processed once in the end, and of every
other nothing is left."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import pytest

from harness.faults import fault
from harness.make_local import MakeLocal
from harness.publish import LOOKS_EVERY_SECONDS, PROCESSED_SECONDS, Publish
from harness.throttling import UNLIMITED, throttled
from harness.waiting import eventually

T = TypeVar("T")

ATTEMPT_SECONDS = 6
"""An attempt is taken for dead after this long, and its message comes back a little later: 60 and 360 as deployed."""
HIDDEN_SECONDS = 8

PROCESSED = re.compile(r'"message":"processed".*"id":"(?P<id>[^"]+)","outcome":"Processed ')
"""What the worker writes when it was the one; another that comes later finds the body done."""

PUBLISHES = 2000
SENDERS = 16
KILLS_EVERY_SECONDS = 0.3


@pytest.fixture(scope="module", autouse=True)
def hurried(publish: Publish) -> Iterator[None]:
    with (
        publish.hidden_for(HIDDEN_SECONDS),
        publish.worker.configured(ATTEMPT_SECONDS=str(ATTEMPT_SECONDS)),
        throttled(publish.control_plane, publish.url, *UNLIMITED),
    ):
        yield


def test_a_worker_that_is_killed_on_its_way_is_followed_by_another(publish: Publish, alice: str) -> None:
    # It gets as far as its result, and no further.
    with fault(publish.control_plane, "s3", "late", requests="PUT .*/results/.*") as late:
        published = publish.post(b"Rabo", "text/plain", AuthDetails=alice).json()["id"]
        late.wait_until_met()
        receipt = publish.receipt(published, alice).json()
        assert receipt["status"] == "processing"
        assert publish.worker.kill() > 0
    assert publish.processed(published, alice)["attempts"] > receipt["attempts"]
    publish.settle()
    assert publish.kept("results", published)["Body"].read() == b"Rabobank"


def test_a_body_of_which_there_is_no_receipt_yet_is_captured(publish: Publish, alice: str) -> None:
    # The worker begins, and its receipt is not written yet.
    with fault(publish.control_plane, "dynamodb", "late", requests="UpdateItem") as late:
        published = publish.post(b"Rabo", "text/plain", AuthDetails=alice).json()["id"]
        late.wait_until_met()
        assert publish.receipt(published, alice).json() == {"id": published, "status": "captured"}
    publish.processed(published, alice)


@contextmanager
def killing(publish: Publish) -> Iterator[None]:
    """The worker's processes die, again and again."""
    enough = threading.Event()
    killed = 0

    def kill() -> None:
        nonlocal killed
        while not enough.wait(KILLS_EVERY_SECONDS):
            killed += publish.worker.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        yield
        eventually("a process was there to be killed", lambda: killed > 0)
    finally:
        enough.set()
        killer.join()


@contextmanager
def failing(publish: Publish, service: str, kind: str, **more: object) -> Iterator[None]:
    """Not without having failed somebody."""
    with fault(publish.control_plane, service, kind, **more) as met:
        yield
        met.wait_until_met()


def troubles(publish: Publish) -> list[AbstractContextManager[None]]:
    """One after the other; between them all is well."""
    return [
        killing(publish),
        failing(publish, "s3", "refused", code="SlowDown"),
        failing(publish, "s3", "lost", requests="PUT .*/results/.*"),
        failing(publish, "sqs", "refused"),
        failing(publish, "sqs", "lost"),
        failing(publish, "dynamodb", "refused", status=500, code="InternalServerError"),
        failing(publish, "dynamodb", "lost", requests="UpdateItem"),
    ]


def test_whatever_fails_each_accepted_body_is_processed_once(publish: Publish, alice: str, deployed: MakeLocal) -> None:
    publish.settle()
    receipts_before = publish.all_receipts()
    objects_before = {prefix: publish.objects(prefix) for prefix in ("captured", "results")}
    accepted: dict[str, bytes] = {}
    refused: list[int] = []

    def send(number: int) -> None:
        body = json.dumps({"number": number, "bank": "Rabo"}).encode()
        answer = publish.post(body, "application/json", AuthDetails=alice)
        if answer.status == 202:
            accepted[answer.json()["id"]] = body
        else:
            # 500: the authorizer could not ask for the token.
            assert answer.status in (429, 500, 503), answer.body
            refused.append(number)

    phases = troubles(publish)
    numbers = iter(range(PUBLISHES))
    each = PUBLISHES // (2 * len(phases))
    with ThreadPoolExecutor(SENDERS) as senders:
        for trouble in phases:
            list(senders.map(send, [next(numbers) for _ in range(each)]))
            with trouble:
                list(senders.map(send, [next(numbers) for _ in range(each)]))
        list(senders.map(send, numbers))
    assert len(accepted) + len(refused) == PUBLISHES
    assert accepted
    assert refused

    # What was tried too often meanwhile is sent back, as a person does when the trouble is over.
    def all_processed() -> bool:
        if publish.waiting(publish.queue):
            return False
        if publish.waiting(publish.errors):
            publish.run("redrive", "--yes")
            return False
        return True

    eventually("everything is processed", all_processed, 5 * PROCESSED_SECONDS, LOOKS_EVERY_SECONDS)

    receipts = new(publish.all_receipts(), receipts_before)
    assert receipts.keys() == accepted.keys()
    assert {receipt["status"]["S"] for receipt in receipts.values()} == {"done"}
    assert new(publish.objects("captured"), objects_before["captured"]) == md5(accepted)
    results = {published: body.replace(b"Rabo", b"Rabobank") for published, body in accepted.items()}
    assert new(publish.objects("results"), objects_before["results"]) == md5(results)
    more_than_once = [published for published, times in processed(deployed).items() if times > 1]
    assert not more_than_once


def new(now: dict[str, T], before: dict[str, T]) -> dict[str, T]:
    return {name: value for name, value in now.items() if name not in before}


def md5(bodies: dict[str, bytes]) -> dict[str, str]:
    return {published: hashlib.md5(body).hexdigest() for published, body in bodies.items()}


def processed(deployed: MakeLocal) -> Counter[str]:
    """How often the worker says that it has processed each."""
    return Counter(found["id"] for line in deployed.stdout if (found := PROCESSED.search(line)))
