"""The local control plane as a process of its own, and AWS clients that talk to it."""

import json
import os
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from harness.process import Process, Running
from harness.waiting import eventually

ROOT = Path(__file__).parents[2]
REGION = "eu-west-1"
ACCOUNT = "123456789012"

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": REGION}
START_SECONDS = 60


class ControlPlane(Running):
    def __init__(self, port: int = 0) -> None:
        self.process = Process(
            [sys.executable, "-m", "local.control_plane", "--port", str(port)],
            {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        )
        line = eventually(
            "the control plane's line that it is ready",
            lambda: self.process.exit_code is not None or next(iter(self.process.stdout), None),
            START_SECONDS,
        )
        assert isinstance(line, str), f"the control plane ended at once:\n{self.process.output}"
        self.url: str = json.loads(line)["control_plane"]
        # To make a client takes as long as many calls.
        self.client = cache(partial(client, self.url))


def environment(control_plane: ControlPlane) -> dict[str, str]:
    """Of a script of this repository that shall talk to it: nothing of the developer's own AWS settings."""
    return {
        **CREDENTIALS,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL": control_plane.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
    }


def client(control_plane: str, service: str) -> Any:
    """An AWS client that asks once: a test wants to know."""
    return boto3.client(
        service,
        endpoint_url=control_plane,
        region_name=REGION,
        aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"max_attempts": 0}, s3={"addressing_style": "path"}),
    )
