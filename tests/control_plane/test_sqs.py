"""SQS under load: what is sent stays until it is deleted, and what is deleted stays away."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Client = Callable[[str], Any]

SENDERS = DELETERS = 4
MESSAGES = 50
"""Of each sender, and for each deleter. They are sent while the others are deleted."""


def send(sqs: Any, queue: str, bodies: list[str]) -> None:
    for body in bodies:
        sqs.send_message(QueueUrl=queue, MessageBody=body)


def delete(sqs: Any, queue: str, handles: list[str]) -> None:
    for handle in handles:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=handle)


def received(sqs: Any, queue: str) -> dict[str, str]:
    """Body → receipt handle, of all that can be seen."""
    found: dict[str, str] = {}
    while batch := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=600).get("Messages"):
        found |= {message["Body"]: message["ReceiptHandle"] for message in batch}
    return found


def test_what_is_sent_while_others_are_deleted_stays(client: Client) -> None:
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="load")["QueueUrl"]
    send(sqs, queue, [f"old-{number}" for number in range(DELETERS * MESSAGES)])
    handles = list(received(sqs, queue).values())
    assert len(handles) == DELETERS * MESSAGES
    new = [f"new-{number}" for number in range(SENDERS * MESSAGES)]
    with ThreadPoolExecutor(SENDERS + DELETERS) as at_once:
        doing = [at_once.submit(send, client("sqs"), queue, new[part::SENDERS]) for part in range(SENDERS)]
        doing += [at_once.submit(delete, client("sqs"), queue, handles[part::DELETERS]) for part in range(DELETERS)]
        for each in doing:
            each.result()
    assert received(sqs, queue).keys() == set(new)
    names = ["ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    assert attributes == {"ApproximateNumberOfMessagesNotVisible": str(len(new))}, "what was deleted is gone"
