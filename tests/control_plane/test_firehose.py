"""Firehose delivers as Firehose does: collected, delimited, compressed, named by date."""

import gzip
import json
import re
import urllib.request
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.control_plane import REGION, ControlPlane
from harness.waiting import eventually

STREAM = "events-of-a-test"
BUCKET = "bucket-of-a-test"


@pytest.fixture
def stream(control_plane: ControlPlane) -> Any:
    """Two seconds or 1 MB, gzip, a newline behind each record."""
    control_plane.client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    firehose = control_plane.client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName=STREAM,
        ExtendedS3DestinationConfiguration={
            "RoleARN": "arn:aws:iam::123456789012:role/delivery",
            "BucketARN": f"arn:aws:s3:::{BUCKET}",
            "Prefix": "events/!{timestamp:yyyy/MM/dd}/",
            "ErrorOutputPrefix": "errors/!{firehose:error-output-type}/",
            "BufferingHints": {"IntervalInSeconds": 2, "SizeInMBs": 1},
            "CompressionFormat": "GZIP",
            "ProcessingConfiguration": {
                "Enabled": True,
                "Processors": [
                    {
                        "Type": "AppendDelimiterToRecord",
                        "Parameters": [{"ParameterName": "Delimiter", "ParameterValue": "\\n"}],
                    }
                ],
            },
        },
    )
    yield firehose
    firehose.delete_delivery_stream(DeliveryStreamName=STREAM)
    s3 = control_plane.client("s3")
    for key in keys(control_plane):
        s3.delete_object(Bucket=BUCKET, Key=key)
    s3.delete_bucket(Bucket=BUCKET)


def keys(control_plane: ControlPlane) -> list[str]:
    listed = control_plane.client("s3").list_objects_v2(Bucket=BUCKET)
    return [entry["Key"] for entry in listed.get("Contents", [])]


def content(control_plane: ControlPlane, key: str) -> bytes:
    body: bytes = control_plane.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return gzip.decompress(body)


def flush(control_plane: ControlPlane, stream: str = STREAM) -> Any:
    request = urllib.request.Request(
        f"{control_plane.url}/_control_plane/firehose/{REGION}/{stream}/flush", method="POST"
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def test_records_wait_for_each_other_and_become_lines_of_one_object(control_plane: ControlPlane, stream: Any) -> None:
    for number in range(3):
        assert stream.put_record(DeliveryStreamName=STREAM, Record={"Data": f"event {number}".encode()})["RecordId"]
    assert keys(control_plane) == []
    assert flush(control_plane) == {"records": 3}
    (key,) = keys(control_plane)
    assert re.fullmatch(rf"events/\d{{4}}/\d\d/\d\d/{STREAM}-1-\d{{4}}(-\d\d){{5}}-[0-9a-f-]{{36}}\.gz", key)
    assert content(control_plane, key) == b"event 0\nevent 1\nevent 2\n"


def test_the_interval_delivers(control_plane: ControlPlane, stream: Any) -> None:
    stream.put_record(DeliveryStreamName=STREAM, Record={"Data": b"alone"})
    (key,) = eventually("the object", lambda: keys(control_plane), 30)
    assert content(control_plane, key) == b"alone\n"


def test_enough_bytes_deliver_at_once(control_plane: ControlPlane, stream: Any) -> None:
    records = [{"Data": bytes(300_000)} for _ in range(4)]
    answer = stream.put_record_batch(DeliveryStreamName=STREAM, Records=records)
    assert answer["FailedPutCount"] == 0
    assert len(answer["RequestResponses"]) == 4
    (key,) = keys(control_plane)
    assert content(control_plane, key) == (bytes(300_000) + b"\n") * 4
    assert flush(control_plane) == {"records": 0}


@pytest.mark.parametrize(
    ("sizes", "code"),
    [
        ([1_000 * 1024 + 1], "ValidationException"),
        ([1_000 * 1024] * 5, "InvalidArgumentException"),
        ([1] * 501, "ValidationException"),
    ],
)
def test_what_is_too_large_is_refused_whole(
    control_plane: ControlPlane, stream: Any, sizes: list[int], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        stream.put_record_batch(DeliveryStreamName=STREAM, Records=[{"Data": bytes(size)} for size in sizes])
    assert refused.value.response["Error"]["Code"] == code
    assert flush(control_plane) == {"records": 0}


def test_the_largest_record_is_taken(control_plane: ControlPlane, stream: Any) -> None:
    stream.put_record(DeliveryStreamName=STREAM, Record={"Data": bytes(1_000 * 1024)})
    with pytest.raises(ClientError, match="less than or equal to 1024000"):
        stream.put_record(DeliveryStreamName=STREAM, Record={"Data": bytes(1_000 * 1024 + 1)})


def test_a_stream_that_does_not_exist_is_said(control_plane: ControlPlane) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        flush(control_plane, "nothing")
