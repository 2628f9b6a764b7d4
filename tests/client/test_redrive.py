"""`scripts/main.py redrive`, against the control plane's SQS and DynamoDB."""

import json
from collections.abc import Iterator

import pytest

from harness.client import run
from harness.control_plane import CREDENTIALS, ControlPlane

RECEIPTS = "receipts"


def notification(*ids: str) -> str:
    return json.dumps({"Records": [{"s3": {"object": {"key": f"captured%2F{each}"}}} for each in ids]})


class Account:
    """Two queues and a table."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.sqs = control_plane.client("sqs")
        self.dynamodb = control_plane.client("dynamodb")
        self.queue = self.sqs.create_queue(QueueName="publish")["QueueUrl"]
        self.errors = self.sqs.create_queue(QueueName="publish-errors")["QueueUrl"]
        self.dynamodb.create_table(
            TableName=RECEIPTS,
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.environment = {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": control_plane.url,
            "QUEUE_URL": self.queue,
            "ERROR_QUEUE_URL": self.errors,
            "RECEIPT_TABLE": RECEIPTS,
        }

    def receipt(self, published: str, status: str, **more: str) -> None:
        item = {"id": {"S": published}, "status": {"S": status}, "principal": {"S": "alice"}, "attempts": {"N": "5"}}
        self.dynamodb.put_item(TableName=RECEIPTS, Item=item | {name: {"S": value} for name, value in more.items()})

    def fail(self, body: str) -> str:
        message_id: str = self.sqs.send_message(QueueUrl=self.errors, MessageBody=body)["MessageId"]
        return message_id

    def messages(self, queue: str) -> list[str]:
        found: list[str] = []
        while batch := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            found += [message["Body"] for message in batch]
        return sorted(found)

    def delete(self) -> None:
        for queue in (self.queue, self.errors):
            self.sqs.delete_queue(QueueUrl=queue)
        self.dynamodb.delete_table(TableName=RECEIPTS)


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    control_plane = ControlPlane()
    yield control_plane
    control_plane.stop()


@pytest.fixture
def account(control_plane: ControlPlane) -> Iterator[Account]:
    account = Account(control_plane)
    yield account
    account.delete()


def test_each_message_is_shown_with_its_reason_and_sent_back(account: Account) -> None:
    account.receipt("a-1", "failed", reason="the content type says JSON, but the body is not")
    account.receipt("b-2", "processing")
    account.receipt("c-3", "done")
    bodies = [notification("a-1"), notification("b-2", "c-3"), notification("d-4"), "by hand"]
    ids = [account.fail(body) for body in bodies]
    done = run("redrive", "--yes", **account.environment)
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    for message_id in ids:
        assert f"message {message_id}\n" in shown
    assert "  a-1: failed in attempt 5: the content type says JSON, but the body is not\n" in shown
    assert "  b-2: attempt 5 ended without a word" in shown
    assert "  c-3: done: a second message told of it\n" in shown
    assert "  d-4: it has no receipt" in shown
    assert "  it is not a notification of S3" in shown
    assert shown.endswith("4 sent back\n")
    assert account.messages(account.errors) == []
    assert account.messages(account.queue) == sorted(bodies), "each as it was"


def test_more_than_one_batch_is_sent_back(account: Account) -> None:
    bodies = [notification(f"n-{number}") for number in range(23)]
    for body in bodies:
        account.fail(body)
    assert run("redrive", "--yes", **account.environment).stdout.endswith(b"23 sent back\n")
    assert account.messages(account.queue) == sorted(bodies)


@pytest.mark.parametrize(("answer", "goes_back"), [("y\n", True), ("yes\n", True), ("\n", False), ("n\n", False)])
def test_a_person_is_asked(account: Account, answer: str, goes_back: bool) -> None:
    account.fail(notification("a-1"))
    done = run("redrive", stdin=answer, **account.environment)
    assert done.returncode == 0
    assert b"Send 1 back to the queue? [y/N]" in done.stdout
    # What stays is there for the next look, at once.
    assert account.messages(account.queue if goes_back else account.errors) == [notification("a-1")]


def test_without_a_person_nothing_is_sent_back(account: Account) -> None:
    account.fail(notification("a-1"))
    done = run("redrive", **account.environment)
    assert done.returncode == 1
    assert "nobody is there to ask: give --yes" in done.stderr.decode()
    assert account.messages(account.queue) == []
    assert account.messages(account.errors) == [notification("a-1")]


def test_an_empty_queue_is_said_to_be_empty(account: Account) -> None:
    done = run("redrive", **account.environment)
    assert (done.returncode, done.stdout) == (0, b"the error queue is empty\n")


@pytest.mark.parametrize("variable", ["QUEUE_URL", "ERROR_QUEUE_URL", "RECEIPT_TABLE"])
def test_what_is_missing_is_named(variable: str) -> None:
    variables = {name: "x" for name in ("QUEUE_URL", "ERROR_QUEUE_URL", "RECEIPT_TABLE") if name != variable}
    done = run("redrive", **variables)
    assert done.returncode == 2
    assert f"set {variable}." in done.stderr.decode()
