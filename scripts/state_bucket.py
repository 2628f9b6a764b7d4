"""The bucket of Terraform's state. Its name is not in this repository: an SSM parameter in the account holds it.

state_bucket.py name                 prints the bucket's name
state_bucket.py bootstrap            makes the bucket and the parameter; what exists is left, its settings put right
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError


class Failure(Exception):
    """Ends the script. The message says what was wrong and what would be right."""


def name(ssm: Any, parameter: str) -> str | None:
    """The bucket's name, or None when nobody bootstrapped this account and region yet."""
    try:
        value: str = ssm.get_parameter(Name=parameter)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return None
        raise
    return value


def bootstrap(session: boto3.session.Session, parameter: str) -> str:
    """Makes bucket and parameter, or finds them; returns the bucket's name. Safe to run again, and after a failure."""
    region = session.region_name
    ssm, s3 = session.client("ssm"), session.client("s3")
    known = name(ssm, parameter)
    # A bucket's name is global, so the account is in it; the region keeps the states of two regions apart.
    bucket = known or f"terraform-state-{session.client('sts').get_caller_identity()['Account']}-{region}"
    make(s3, bucket, region)
    secure(s3, bucket)
    # Last: a parameter that exists promises a bucket that is safe to use.
    if known is None:
        ssm.put_parameter(
            Name=parameter, Value=bucket, Type="String", Description="Bucket that holds the state of Terraform"
        )
    return bucket


def make(s3: Any, bucket: str, region: str) -> None:
    # us-east-1 is the one region that S3 refuses as a constraint.
    location = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        s3.create_bucket(Bucket=bucket, **location)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "BucketAlreadyExists":
            raise Failure(
                f"the bucket {bucket} belongs to another account: put the name of one of yours into the parameter"
            ) from error
        if code != "BucketAlreadyOwnedByYou":
            raise


def secure(s3: Any, bucket: str) -> None:
    """The state holds API keys: encrypted, kept in versions, closed, and never sent in the clear."""
    arn = f"arn:aws:s3:::{bucket}"
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": True,
            "RestrictPublicBuckets": True,
        },
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_encryption(
        Bucket=bucket,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "TlsOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="state_bucket.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["name", "bootstrap"])
    parser.add_argument("--parameter", required=True, help="SSM parameter that holds the bucket's name")
    parser.add_argument("--region", required=True)
    options = parser.parse_args(arguments)
    session = boto3.session.Session(region_name=options.region)
    try:
        if options.command == "bootstrap":
            print(f"the state is kept in {bootstrap(session, options.parameter)}, as {options.parameter} says")
            return 0
        bucket = name(session.client("ssm"), options.parameter)
        if bucket is None:
            raise Failure(
                f"there is no parameter {options.parameter} in {options.region}: "
                "`make terraform/bootstrap` makes it, and the bucket"
            )
        print(bucket)
    except (Failure, BotoCoreError, ClientError) as error:
        print(f"state_bucket.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
