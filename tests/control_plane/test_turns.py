"""Calls at once: each is over before the next begins, and one that is slow to come, or waits, holds up no other."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.control_plane import ControlPlane
from harness.waiting import eventually

Client = Callable[[str], Any]

AT_ONCE = 8
BUCKET = "turns"


@pytest.fixture
def bucket(client: Client) -> Iterator[str]:
    s3 = client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    yield BUCKET
    s3.delete_bucket(Bucket=BUCKET)


def upload(control_plane: ControlPlane, bucket: str, key: str, announced: int, sent: bytes) -> socket.socket:
    """An object on its way: so many bytes are to come, and these have come."""
    address = urlsplit(control_plane.url)
    connection = socket.create_connection((address.hostname, address.port))
    head = [
        f"PUT /{bucket}/{key} HTTP/1.1",
        f"Host: {address.netloc}",
        "Authorization: AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/s3/aws4_request, Signature=none",
        f"Content-Length: {announced}",
    ]
    connection.sendall("\r\n".join([*head, "", ""]).encode() + sent)
    return connection


def test_of_conditional_writes_at_once_one_succeeds(client: Client) -> None:
    dynamodb = client("dynamodb")
    dynamodb.create_table(
        TableName="turns",
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    together = threading.Barrier(AT_ONCE)

    def write(key: str) -> bool:
        together.wait()
        try:
            dynamodb.put_item(
                TableName="turns", Item={"key": {"S": key}}, ConditionExpression="attribute_not_exists(#k)",
                ExpressionAttributeNames={"#k": "key"},
            )  # fmt: skip
        except dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    with ThreadPoolExecutor(AT_ONCE) as threads:
        for round_ in range(20):
            assert sum(threads.map(write, [f"{round_}"] * AT_ONCE)) == 1


def test_what_is_looked_through_while_others_change_it_is_whole(client: Client) -> None:
    iam = client("iam")
    ended = threading.Event()

    def change(thread: int) -> None:
        for n in range(30):
            name = f"turns-{thread}-{n}"
            iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
            iam.delete_role(RoleName=name)

    def look() -> int:
        looks = 0
        while not ended.is_set():
            iam.list_roles()
            looks += 1
        return looks

    with ThreadPoolExecutor(AT_ONCE) as threads:
        looking = [threads.submit(look) for _ in range(2)]
        changing = [threads.submit(change, thread) for thread in range(AT_ONCE - 2)]
        try:
            for each in changing:
                each.result()
        finally:
            ended.set()
        assert all(each.result() > 0 for each in looking)


def test_a_body_that_is_slow_to_come_holds_up_nobody(control_plane: ControlPlane, client: Client, bucket: str) -> None:
    s3 = client("s3")
    with closing(upload(control_plane, bucket, "slow", 10, b"first")) as connection:
        s3.put_object(Bucket=bucket, Key="quick", Body=b"whole")
        assert s3.get_object(Bucket=bucket, Key="quick")["Body"].read() == b"whole"
        connection.sendall(b"later")
        assert connection.recv(12).endswith(b" 200")
    assert s3.get_object(Bucket=bucket, Key="slow")["Body"].read() == b"firstlater"
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "quick"}, {"Key": "slow"}]})


def test_a_body_that_breaks_off_changes_nothing(control_plane: ControlPlane, client: Client, bucket: str) -> None:
    with closing(upload(control_plane, bucket, "broken", 10, b"first")) as connection:
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(12).endswith(b" 400")
    assert client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_call_that_waits_for_a_message_holds_up_nobody(client: Client) -> None:
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="turns")["QueueUrl"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client("sqs").receive_message, QueueUrl=queue, WaitTimeSeconds=20)
        # It waits by now, or it does not wait at all, and then has nothing to return.
        eventually("a receiver that waits", waiting.running)
        sqs.send_message(QueueUrl=queue, MessageBody="now")
        assert [message["Body"] for message in waiting.result()["Messages"]] == ["now"]
