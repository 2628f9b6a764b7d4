"""The `make local` that runs, as its `endpoints.json` says; for commands beside it."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import boto3
from botocore.config import Config

from .account import credentials
from .failure import Failure
from .run_folder import LOCAL

ANSWER_SECONDS = 10


@dataclass(frozen=True)
class Running:
    control_plane: str
    region: str

    def client(self, service: str) -> Any:
        given = credentials(self.control_plane, self.region)
        return boto3.client(
            service,
            endpoint_url=self.control_plane,
            region_name=self.region,
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"max_attempts": 1}),
        )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--endpoints", type=Path, default=LOCAL / "endpoints.json", help="what `make local` wrote")
    parser.add_argument("--region", default="eu-west-1")


def find(endpoints: Path, region: str) -> Running:
    """Fails where nothing runs: the file stays when a `make local` is killed outright."""
    try:
        url: str = json.loads(endpoints.read_text(encoding="utf-8"))["control_plane"]
    except FileNotFoundError:
        raise Failure(f"{endpoints} is not there: start `make local` first, in another terminal") from None
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(f"{endpoints} does not name a control plane: start `make local` again") from error
    try:
        with urlopen(f"{url}/_control_plane/health", timeout=ANSWER_SECONDS):
            return Running(url, region)
    except (URLError, OSError) as error:
        raise Failure(f"nothing answers at {url}, as {endpoints} says: start `make local` again ({error})") from error
