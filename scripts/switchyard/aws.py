"""Calls of AWS by the commands about tokens and queues: clients, and what a person is told when a call fails."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from switchyard.failure import NO_ANSWER, REFUSED, WRONG_USE, Failure


def client(service: str, environment: Mapping[str, str]) -> Any:
    """Account, region and endpoint are those of the environment, as for the AWS CLI."""
    boto3 = _boto3()
    with failures(service):
        # Every AWS SDK reads AWS_REGION but this one.
        return boto3.client(service, region_name=environment.get("AWS_REGION") or None)


@contextmanager
def failures(what: str) -> Iterator[None]:
    """Says what AWS said, without a traceback."""
    _boto3()
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, NoRegionError

    try:
        yield
    except (NoCredentialsError, NoRegionError) as error:
        raise Failure(f"{error} Use, for example: export AWS_PROFILE=... AWS_REGION=eu-west-1", WRONG_USE) from error
    except ClientError as error:
        code, message = error.response["Error"]["Code"], error.response["Error"]["Message"]
        raise Failure(f"{what}: {error.operation_name} was refused: {code}: {message}", REFUSED) from error
    except BotoCoreError as error:
        raise Failure(f"{what}: {error}", NO_ANSWER) from error


def setting(given: str | None, variable: str, option: str, output: str, environment: Mapping[str, str]) -> str:
    """What an option says, or else a variable; `output` is where Terraform tells it."""
    value = (given or environment.get(variable, "")).strip()
    if not value:
        raise Failure(
            f"{option} is missing: give it, or set {variable}. `terraform output publish` shows it as {output}.",
            WRONG_USE,
        )
    return value


def _boto3() -> Any:
    """Imported when it is needed, so that `--help` works, and a missing package is explained, without it."""
    try:
        import boto3
    except ModuleNotFoundError as error:
        raise Failure(
            "the Python package 'boto3' is missing. Get it with:\n  python3 -m pip install -r requirements.txt",
            WRONG_USE,
        ) from error
    return boto3
