"""Functions of the cases: one zip, and one Lambda function per behaviour however many cases use it."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.control_plane import ACCOUNT, REGION


class Functions:
    def __init__(self, client: Callable[[str], Any], recorder: str) -> None:
        self._client = client("lambda")
        self._role = make_role(client, "functions", "lambda.amazonaws.com")
        self._recorder = recorder
        self._zip = _packed()
        self._made: set[str] = set()

    def make(self, behaviour: dict[str, Any]) -> str:
        """The name of the function that behaves so. `timeout`, in seconds, is the function's own; `permission`: whether
        every API may invoke it."""
        behaviour = dict(behaviour)
        timeout, permission = behaviour.pop("timeout", 30), behaviour.pop("permission", True)
        text = json.dumps(behaviour, sort_keys=True)
        name = "conformance-" + hashlib.sha256(f"{timeout} {permission} {text}".encode()).hexdigest()[:12]
        if name not in self._made:
            self._client.create_function(
                FunctionName=name,
                Runtime="provided.al2023",
                Handler="bootstrap",
                Role=self._role,
                Timeout=timeout,
                Code={"ZipFile": self._zip},
                Environment={"Variables": {"BEHAVIOUR": text, "RECORDER": self._recorder}},
            )
            if permission:
                self._client.add_permission(
                    FunctionName=name,
                    StatementId="apis",
                    Action="lambda:InvokeFunction",
                    Principal="apigateway.amazonaws.com",
                )
            self._made.add(name)
        return name


def make_role(client: Callable[[str], Any], name: str, service: str) -> str:
    """The ARN of a role that the service may assume. What it may do is nobody's concern here."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    return str(client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"])


def arn(name: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def uri(name: str) -> str:
    """What an integration or an authorizer calls a function.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html"""
    return f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn(name)}/invocations"


def _packed() -> bytes:
    """bootstrap.py as an executable that this Python runs, without what is installed beside it."""
    code = Path(__file__).with_name("bootstrap.py").read_text("utf-8")
    entry = zipfile.ZipInfo("bootstrap")
    entry.external_attr = 0o755 << 16
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as package:
        package.writestr(entry, f"#!{Path(sys.executable).resolve()} -IS\n{code}")
    return target.getvalue()
