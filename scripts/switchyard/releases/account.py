"""The AWS account: clients, made when they are needed, for the account and region of the environment."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config

ATTEMPTS = 8
"""API Gateway's control plane takes few requests: ten a second for an account, some calls one in 5 to 30 s.
https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html"""


class Account:
    def __init__(self, region: str | None) -> None:
        self._session = boto3.Session(region_name=region)
        self.client = cache(self._client)

    @property
    def region(self) -> str:
        return str(self.client("apigateway").meta.region_name)

    def id(self) -> str:
        return str(self.client("sts").get_caller_identity()["Account"])

    def _client(self, service: str) -> Any:
        return self._session.client(service, config=Config(retries={"max_attempts": ATTEMPTS, "mode": "standard"}))
