"""A function's code can be fetched, as it was when its version was published."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness.control_plane import REGION, ControlPlane

Client = Callable[[str], Any]


def package(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        # Not by name alone: the time of day would be in it, and the same text not twice the same package.
        archive.writestr(zipfile.ZipInfo("bootstrap"), text)
    return file.getvalue()


@pytest.fixture(scope="module")
def role(client: Client) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(client("iam").create_role(RoleName="code", AssumeRolePolicyDocument=policy)["Role"]["Arn"])


def create(client: Client, role: str, name: str, **code: Any) -> None:
    client("lambda").create_function(
        FunctionName=name, Role=role, Runtime="provided.al2023", Handler="bootstrap", Code=code, Publish=True
    )


def fetched(client: Client, name: str, **qualifier: str) -> bytes:
    function = client("lambda").get_function(FunctionName=name, **qualifier)
    assert function["Code"]["RepositoryType"] == "S3"
    response = requests.get(function["Code"]["Location"], timeout=5)
    response.raise_for_status()
    return response.content


def test_every_version_keeps_its_own_code(client: Client, role: str) -> None:
    create(client, role, "versions", ZipFile=package("one"))
    client("lambda").update_function_code(FunctionName="versions", ZipFile=package("two"), Publish=True)
    client("lambda").update_function_code(FunctionName="versions", ZipFile=package("three"))
    client("lambda").create_alias(FunctionName="versions", Name="prod", FunctionVersion="1")
    assert fetched(client, "versions", Qualifier="1") == package("one")
    assert fetched(client, "versions", Qualifier="2") == package("two")
    assert fetched(client, "versions", Qualifier="$LATEST") == package("three")
    assert fetched(client, "versions") == package("three")
    assert fetched(client, "versions", Qualifier="prod") == package("one")


def test_code_from_s3_is_that_of_the_version_asked_for(client: Client, role: str) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="packages", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="packages", VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket="packages", Key="a.zip", Body=package("first"))["VersionId"]
    s3.put_object(Bucket="packages", Key="a.zip", Body=package("second"))
    create(client, role, "stored", S3Bucket="packages", S3Key="a.zip", S3ObjectVersion=first)
    assert fetched(client, "stored") == package("first")
    client("lambda").update_function_code(FunctionName="stored", S3Bucket="packages", S3Key="a.zip")
    assert fetched(client, "stored") == package("second")
    # A package that is replaced in the bucket later is not the function's.
    s3.put_object(Bucket="packages", Key="a.zip", Body=package("third"))
    assert fetched(client, "stored") == package("second")
    with pytest.raises(ClientError, match="The specified version does not exist"):
        client("lambda").update_function_code(
            FunctionName="stored", S3Bucket="packages", S3Key="a.zip", S3ObjectVersion="nothing"
        )


@pytest.mark.parametrize("path", ["nothing/versions/1", "versions/versions/99"])
def test_code_that_is_not_there(control_plane: ControlPlane, path: str) -> None:
    url = f"{control_plane.url}/_control_plane/lambda/{REGION}/functions/{path}/code"
    assert requests.get(url, timeout=5).status_code == 404
