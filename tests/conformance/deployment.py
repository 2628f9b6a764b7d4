"""Brings cases into the account: functions, APIs, stages, keys and usage plans, and what `given` asks for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody

from conformance.case import Case, filled
from conformance.exchange import differences
from conformance.function import Functions, arn, make_role, uri
from conformance.upstream import Upstream
from harness.control_plane import ACCOUNT, REGION

Client = Callable[[str], Any]


@dataclass(frozen=True)
class Deployed:
    case: Case
    api: str
    content: dict[str, Any]
    """The case's content with every `{{name}}` filled in."""
    functions: dict[str, str]
    """The case's name for a function → its name in the account."""

    @property
    def prefix(self) -> str:
        """Where the stage is on the gateway's own address."""
        return f"/_aws/execute-api/{self.api}/{self.case.stage}"


class Account:
    def __init__(self, control_plane: str, client: Client, upstream: Upstream) -> None:
        self._control_plane = control_plane
        self._client = client
        self._upstream = upstream
        self._apigateway = client("apigateway")
        self._functions = Functions(client, upstream.address)
        self._role = make_role(client, "integrations", "apigateway.amazonaws.com")

    def deploy(self, case: Case) -> Deployed:
        functions = {
            name: self._functions.make(behaviour) for name, behaviour in case.content.get("functions", {}).items()
        }
        # The API's id may be in its own definition, so there is an API before there is a definition.
        api = str(self._apigateway.create_rest_api(name=case.id)["id"])
        key = case.id.replace("/", "-")
        names = {
            "api": api,
            "stage": case.stage,
            "account": ACCOUNT,
            "region": REGION,
            "control_plane": self._control_plane,
            "upstream": f"http://{self._upstream.address}/{key}",
            "upstream_host": f"{self._upstream.address}/{key}",
            "role": self._role,
            "ten_kib": "a" * 10240,
            **{f"function:{name}": uri(function) for name, function in functions.items()},
            **{f"function_name:{name}": function for name, function in functions.items()},
            **{f"function_arn:{name}": arn(function) for name, function in functions.items()},
        }
        content = filled(case.content, names)
        self._upstream.answers[key] = content.get("upstream", {})
        for call in content.get("given", []):
            self.call(call)
        document = {"openapi": "3.0.1", "info": {"title": case.id, "version": "1"}, **content.get("definition", {})}
        self._apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(document))
        self._stage(api, case.stage, content.get("stage", {}))
        self._usage_plans(case, api, content)
        self._domain(api, case.stage, content.get("domain"))
        return Deployed(case, api, content, functions)

    def _stage(self, api: str, name: str, stage: dict[str, Any]) -> None:
        self._apigateway.create_deployment(restApiId=api, stageName=name, variables=stage.get("variables", {}))
        operations = [
            {"op": "replace", "path": path, "value": value} for path, value in stage.get("settings", {}).items()
        ]
        if operations:
            self._apigateway.update_stage(restApiId=api, stageName=name, patchOperations=operations)

    def _usage_plans(self, case: Case, api: str, content: dict[str, Any]) -> None:
        keys = {
            name: self._apigateway.create_api_key(
                name=f"{case.id}/{name}", value=key["value"], enabled=key.get("enabled", True)
            )["id"]
            for name, key in content.get("keys", {}).items()
        }
        for plan in content.get("usage_plans", []):
            stage = {"apiId": api, "stage": case.stage}
            if "methods" in plan:
                stage["throttle"] = plan["methods"]
            limits = {name: plan[name] for name in ("quota", "throttle") if name in plan}
            made = self._apigateway.create_usage_plan(
                name=case.id, apiStages=[stage] if plan.get("stages", True) else [], **limits
            )
            for name in plan.get("keys", []):
                self._apigateway.create_usage_plan_key(usagePlanId=made["id"], keyId=keys[name], keyType="API_KEY")

    def _domain(self, api: str, stage: str, domain: dict[str, Any] | None) -> None:
        if domain:
            self._apigateway.create_domain_name(
                domainName=domain["name"], endpointConfiguration={"types": ["REGIONAL"]}
            )
            self._apigateway.create_base_path_mapping(
                domainName=domain["name"], restApiId=api, stage=stage, basePath=domain.get("base_path", "(none)")
            )

    def call(self, call: dict[str, Any]) -> list[str]:
        """Calls AWS; returns where the answer is not as `result` says."""
        operation = getattr(self._client(call["service"]), call["operation"])
        answer = operation(**call.get("parameters", {}))
        return differences(call["result"], _read(answer), call["operation"]) if "result" in call else []


class Deployments:
    """Cases that were deployed, by id. One that could not be fails when it is asked for, not all the others."""

    def __init__(self, account: Account, cases: Mapping[str, Case]) -> None:
        self._deployed: dict[str, Deployed] = {}
        self._refused: dict[str, Exception] = {}
        for name, case in cases.items():
            try:
                self._deployed[name] = account.deploy(case)
            except (BotoCoreError, ClientError, ValueError) as error:
                self._refused[name] = error

    def __getitem__(self, name: str) -> Deployed:
        if name in self._refused:
            raise self._refused[name]
        return self._deployed[name]


def _read(value: Any) -> Any:
    """An answer with the bodies in it read, as text."""
    if isinstance(value, StreamingBody):
        value = value.read()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, dict):
        return {name: _read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_read(item) for item in value]
    return value
