"""`redrive`: what could not be processed, why, and back into the queue with it."""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from switchyard.aws import client, failures, setting
from switchyard.failure import REFUSED

NAME = "redrive"
HELP = "Show the messages in the error queue with the reason of each, and send them back to the queue."

AT_A_TIME = 10
"""SQS's most."""
WAIT_SECONDS = 1
"""Long enough that SQS asks all its servers, and an empty answer means an empty queue."""
HIDDEN_SECONDS = 600
"""For as long a person may think; then the messages are seen by others again."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--error-queue", metavar="URL", help="the error queue (default: the variable ERROR_QUEUE_URL)")
    parser.add_argument("--queue", metavar="URL", help="where they go (default: the variable QUEUE_URL)")
    parser.add_argument(
        "--receipts", metavar="TABLE", help="the table of receipts (default: the variable RECEIPT_TABLE)"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    errors = setting(arguments.error_queue, "ERROR_QUEUE_URL", "--error-queue", "error_queue_url", environment)
    queue = setting(arguments.queue, "QUEUE_URL", "--queue", "queue_url", environment)
    receipts = setting(arguments.receipts, "RECEIPT_TABLE", "--receipts", "receipt_table", environment)
    sqs, dynamodb = client("sqs", environment), client("dynamodb", environment)
    with failures("redrive"):
        messages = list(_messages(sqs, errors))
        for message in messages:
            print(f"message {message.message_id}")
            for body in message.published:
                print(f"  {body}: {_why(dynamodb, receipts, body)}")
            if not message.published:
                print("  it is not a notification of S3, so no receipt tells of it")
        if not messages:
            print("the error queue is empty")
            return 0
        agreed = arguments.yes or _agreed(len(messages))
        if not agreed:
            for message in messages:
                sqs.change_message_visibility(QueueUrl=errors, ReceiptHandle=message.handle, VisibilityTimeout=0)
            if agreed is None:
                print("nobody is there to ask: give --yes to send them back", file=sys.stderr)
                return REFUSED
            print("nothing was sent back")
            return 0
        for message in messages:
            # Sent before it is deleted: whatever happens between the two, it is not lost. A second one does no harm.
            sqs.send_message(QueueUrl=queue, MessageBody=message.text)
            sqs.delete_message(QueueUrl=errors, ReceiptHandle=message.handle)
    print(f"{len(messages)} sent back")
    return 0


@dataclass(frozen=True)
class Message:
    message_id: str
    handle: str
    text: str

    @property
    def published(self) -> list[str]:
        """Ids of the bodies that it tells of."""
        try:
            keys = [unquote_plus(record["s3"]["object"]["key"]) for record in json.loads(self.text)["Records"]]
        except (ValueError, KeyError, TypeError):
            return []
        return [key.rpartition("/")[2] for key in keys]


def _messages(sqs: Any, queue: str) -> Iterator[Message]:
    while batch := sqs.receive_message(
        QueueUrl=queue,
        MaxNumberOfMessages=AT_A_TIME,
        WaitTimeSeconds=WAIT_SECONDS,
        VisibilityTimeout=HIDDEN_SECONDS,
    ).get("Messages"):
        for message in batch:
            yield Message(message["MessageId"], message["ReceiptHandle"], message["Body"])


def _why(dynamodb: Any, table: str, body: str) -> str:
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": body}}, ConsistentRead=True).get("Item")
    if item is None:
        return "it has no receipt: no attempt was begun"
    status, attempts = item["status"]["S"], item["attempts"]["N"]
    if status == "failed":
        return f"failed in attempt {attempts}: {item['reason']['S']}"
    if status == "processing":
        return f"attempt {attempts} ended without a word: it crashed, or took too long"
    return f"{status}: a second message told of it"


def _agreed(count: int) -> bool | None:
    """None, if nobody is there to answer."""
    try:
        answer = input(f"Send {count} back to the queue? [y/N] ")
    except EOFError:
        return None
    return answer.strip().lower() in ("y", "yes")
