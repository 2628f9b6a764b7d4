"""The bucket of the state: made once, safely, and found through its parameter."""

import json
from collections.abc import Iterator

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

import state_bucket

PARAMETER = "/terraform/statefiles/bucket"
BUCKET = "terraform-state-123456789012-eu-west-1"


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def run(command: str) -> int:
    return state_bucket.main([command, "--parameter", PARAMETER, "--region", "eu-west-1"])


def test_without_bootstrap_the_way_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("name") == 1
    assert (
        capsys.readouterr().err == f"state_bucket.py: there is no parameter {PARAMETER} in eu-west-1: "
        "`make terraform/bootstrap` makes it, and the bucket\n"
    )


def test_bootstrap_makes_bucket_and_parameter_and_may_be_repeated(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("bootstrap") == 0
    assert run("bootstrap") == 0
    capsys.readouterr()
    assert run("name") == 0
    assert capsys.readouterr().out == BUCKET + "\n"


def test_the_bucket_is_versioned_encrypted_closed_and_tls_only() -> None:
    run("bootstrap")
    s3 = boto3.client("s3", region_name="eu-west-1")
    assert s3.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    (rule,) = s3.get_bucket_encryption(Bucket=BUCKET)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert all(s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"].values())
    (statement,) = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])["Statement"]
    assert (statement["Effect"], statement["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert s3.get_bucket_location(Bucket=BUCKET)["LocationConstraint"] == "eu-west-1"


def test_a_bucket_that_the_parameter_names_already_is_kept() -> None:
    boto3.client("ssm", region_name="eu-west-1").put_parameter(Name=PARAMETER, Value="ours", Type="String")
    assert run("bootstrap") == 0
    s3 = boto3.client("s3", region_name="eu-west-1")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["ours"]


def test_a_bootstrap_that_failed_half_way_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "PutBucketPolicy")

    def refuse(*_: object) -> None:
        raise refused

    with monkeypatch.context() as patched:
        patched.setattr(state_bucket, "secure", refuse)
        assert run("bootstrap") == 1
    # A parameter would promise a bucket that is safe to use.
    assert run("name") == 1
    assert run("bootstrap") == 0
    assert run("name") == 0
