"""Services that fail for a while: what is carried out, what the caller hears, and that it ends."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness.control_plane import ControlPlane
from harness.faults import fault
from harness.waiting import eventually

Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def bucket(client: Client) -> str:
    client("s3").create_bucket(Bucket="faults", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    return "faults"


def put(client: Client, bucket: str, key: str) -> None:
    client("s3").put_object(Bucket=bucket, Key=key, Body=b"x")


def keys(client: Client, bucket: str) -> set[str]:
    return {item["Key"] for item in client("s3").list_objects_v2(Bucket=bucket).get("Contents", [])}


@pytest.mark.parametrize(("kind", "is_carried_out"), [("refused", False), ("lost", True)])
def test_the_caller_hears_of_an_error_whether_or_not_it_is_carried_out(
    control_plane: ControlPlane, client: Client, bucket: str, kind: str, is_carried_out: bool
) -> None:
    with (
        fault(control_plane.url, "s3", kind, code="SlowDown"),
        pytest.raises(ClientError) as refused,
    ):
        put(client, bucket, kind)
    answer = refused.value.response
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]) == (503, "SlowDown")
    assert (kind in keys(client, bucket)) is is_carried_out


def test_what_is_late_is_carried_out_when_the_fault_is_lifted(
    control_plane: ControlPlane, client: Client, bucket: str
) -> None:
    sender = threading.Thread(target=put, args=(client, bucket, "late"))
    with fault(control_plane.url, "s3", "late", requests="PUT .*") as late:
        sender.start()
        late.wait_until_met()
        assert "late" not in keys(client, bucket), "other requests are not late"
    sender.join()
    assert "late" in keys(client, bucket)


def test_requests_are_chosen_by_path_or_operation(control_plane: ControlPlane, client: Client, bucket: str) -> None:
    with fault(control_plane.url, "s3", "refused", requests=f"PUT /{bucket}/b/.*"):
        put(client, bucket, "a/1")
        with pytest.raises(ClientError):
            put(client, bucket, "b/1")
    sqs = client("sqs")
    with fault(control_plane.url, "sqs", "refused", requests="ListQueues", status=500, code="InternalFailure"):
        sqs.create_queue(QueueName="faults")
        with pytest.raises(ClientError) as refused:
            sqs.list_queues()
    assert refused.value.response["Error"]["Code"] == "InternalFailure"
    assert sqs.list_queues()["QueueUrls"]


def test_a_service_of_the_query_protocol_answers_in_xml(control_plane: ControlPlane, client: Client) -> None:
    with fault(control_plane.url, "sns", "refused"), pytest.raises(ClientError) as refused:
        client("sns").list_topics()
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"


def test_others_are_not_hindered(control_plane: ControlPlane, client: Client) -> None:
    with fault(control_plane.url, "dynamodb", "refused"):
        assert client("sqs").list_queues()
        with pytest.raises(ClientError):
            client("dynamodb").list_tables()
    assert client("dynamodb").list_tables()


def test_s3_tells_a_queue_of_its_objects_when_that_can_be_read_again(
    control_plane: ControlPlane, client: Client, bucket: str
) -> None:
    sqs = client("sqs")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    client("s3").put_bucket_notification_configuration(
        Bucket=bucket,
        NotificationConfiguration={"QueueConfigurations": [{"QueueArn": arn, "Events": ["s3:ObjectCreated:*"]}]},
    )
    with fault(control_plane.url, "sqs", "refused"):
        put(client, bucket, "told")

    def told() -> bool:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return any('"key": "told"' in message["Body"] for message in messages)

    eventually("the message is in the queue", told)


def test_where_there_is_no_fault_there_is_no_page(control_plane: ControlPlane) -> None:
    answer = requests.get(f"{control_plane.url}/_control_plane/faults/s3", timeout=5)
    assert (answer.status_code, answer.json()) == (404, {"message": "s3 has no fault"})


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([], "A fault is an object of code, kind, requests, status"),
        ({"kind": "refused", "seconds": 3}, "A fault is an object of"),
        ({}, "kind=None is none: give refused, lost, late"),
        ({"kind": "lost", "status": 200}, "status=200 is no error: give a number from 400 to 599"),
        ({"kind": "lost", "status": True}, "status=True is no error"),
        ({"kind": "lost", "code": "<a>"}, "code='<a>' is none"),
        ({"kind": "lost", "requests": "("}, "requests='(' is no regular expression"),
        ({"kind": "lost", "requests": 1}, "requests=1 is no regular expression"),
    ],
)
def test_what_is_no_fault_is_refused(control_plane: ControlPlane, given: Any, named: str) -> None:
    answer = requests.put(f"{control_plane.url}/_control_plane/faults/s3", json=given, timeout=5)
    assert answer.status_code == 400
    assert named in answer.json()["message"]
