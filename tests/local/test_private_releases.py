"""Releases of the private API, as its callers see them: released, changed, released again, rolled back; and restored
from the export alone in another account."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from local.up import account, api, running

from harness import http
from harness.contract_suite import assert_kept
from harness.control_plane import REGION, ROOT, ControlPlane, client
from harness.data_plane import DataPlane
from harness.make_local import MakeLocal
from harness.network_load_balancer import network_load_balancer
from harness.publish import Publish
from harness.waiting import eventually

COMMAND_SECONDS = 120
LISTENER = 8000

GREETING = "/greeting"
Json = dict[str, Any]


def with_greeting(document: Json, greeting: str) -> Json:
    """The definition with one more operation, which API Gateway answers itself."""
    changed = copy.deepcopy(document)
    changed["paths"][GREETING] = {
        "get": {
            "operationId": "greeting",
            "responses": {"200": {"description": "A greeting."}},
            "x-amazon-apigateway-integration": {
                "type": "mock",
                "contentHandling": "CONVERT_TO_TEXT",
                "requestTemplates": {"application/json": '{"statusCode": 200}'},
                "responses": {
                    "default": {
                        "statusCode": "200",
                        "contentHandling": "CONVERT_TO_TEXT",
                        "responseTemplates": {"application/json": json.dumps({"message": greeting})},
                    }
                },
            },
        }
    }
    return changed


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )


class Private:
    """The private API of a running `make local`, and the release commands on it."""

    def __init__(self, deployed: MakeLocal) -> None:
        self._endpoints = deployed.endpoints
        endpoints = json.loads(deployed.endpoints.read_text())
        self.control_plane: str = endpoints["control_plane"]
        self.doors: dict[str, Json] = {door["name"]: door for door in endpoints["endpoints"]}
        self.apigateway = client(self.control_plane, "apigateway")
        state = api.terraform_state(running.find(deployed.endpoints, REGION))
        self.id: str = state["outputs"]["apis"]["value"]["private"]["id"]
        self.archive = api.notes(state)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return command("-m", "local.up.api", "--endpoints", str(self._endpoints), *arguments)

    def done(self, *arguments: str) -> str:
        done = self.run(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def definition(self, stage: str) -> Json:
        export = self.apigateway.get_export(
            restApiId=self.id,
            stageName=stage,
            exportType="oas30",
            parameters={"extensions": "apigateway"},
            accepts="application/json",
        )
        document: Json = json.loads(export["body"].read())
        return document

    def apply(self, definition: Json) -> None:
        """What `terraform apply` does with a changed definition: dev gets a deployment of it."""
        self.apigateway.put_rest_api(restApiId=self.id, mode="overwrite", body=json.dumps(definition))
        made = self.apigateway.create_deployment(restApiId=self.id)["id"]
        self.move("dev", made)

    def move(self, stage: str, deployment: str) -> None:
        operations = [{"op": "replace", "path": "/deploymentId", "value": deployment}]
        self.apigateway.update_stage(restApiId=self.id, stageName=stage, patchOperations=operations)

    def deployment(self, stage: str) -> str:
        return str(self.apigateway.get_stage(restApiId=self.id, stageName=stage)["deploymentId"])

    def greeting(self, stage: str) -> str | None:
        door = self.doors[f"private-{stage}"]
        answer = http.request(door["url"], "GET", GREETING, door["headers"])
        if answer.status == 404:
            return None
        assert answer.status == 200, answer.body
        return str(answer.json()["message"])

    def replaces(self, stage: str) -> bool:
        door = self.doors[f"private-{stage}"]
        headers = {"Content-Type": "application/json", **door["headers"]}
        answer = http.request(door["url"], "POST", "/string/replace", headers, b'{"content": "abn"}')
        return (answer.status, answer.body) == (200, b'{"message":"ABN AMRO"}')


@pytest.fixture(scope="module")
def private(deployed: MakeLocal) -> Iterator[Private]:
    """Leaves the API as it was."""
    private = Private(deployed)
    stages = ("dev", "test", "stage", "prod")
    definition, deployments = private.definition("dev"), {stage: private.deployment(stage) for stage in stages}
    yield private
    shutil.rmtree(private.archive)
    private.apigateway.put_rest_api(restApiId=private.id, mode="overwrite", body=json.dumps(definition))
    for stage, deployment in deployments.items():
        private.move(stage, deployment)
    eventually("all stages serve what they served", lambda: all(private.greeting(stage) is None for stage in stages))


def test_responses_follow_releases(private: Private) -> None:
    first = private.definition("dev")
    private.apply(with_greeting(first, "hello"))
    eventually("dev follows", lambda: private.greeting("dev") == "hello")
    assert (private.greeting("test"), private.greeting("prod")) == (None, None)

    said = private.done("api-release", "private", "prod", "1.1.0")
    assert f"GET {GREETING}" in said
    eventually("prod follows its release", lambda: private.greeting("prod") == "hello")
    assert private.greeting("test") is None

    private.apply(with_greeting(first, "hello again"))
    eventually("dev follows", lambda: private.greeting("dev") == "hello again")
    assert private.greeting("prod") == "hello"
    private.done("api-release", "private", "prod", "1.2.0")
    eventually("prod follows its release", lambda: private.greeting("prod") == "hello again")

    private.done("api-rollback", "private", "prod")
    eventually("prod is back", lambda: private.greeting("prod") == "hello")
    private.done("api-rollback", "private", "prod", "1.0.0")
    eventually("prod is back further", lambda: private.greeting("prod") is None)
    assert private.greeting("dev") == "hello again"
    assert all(private.replaces(stage) for stage in ("dev", "test", "stage", "prod"))


def test_what_breaks_callers_is_released_only_by_that_word(private: Private) -> None:
    without = private.definition("dev")
    del without["paths"][GREETING]
    del without["paths"]["/api/string/replace"]
    private.apply(without)
    private.done("api-release", "private", "test", "1.2.0")
    eventually("test serves the release", lambda: private.greeting("test") == "hello again")

    refused = private.run("api-release", "private", "test", "2.0.0")
    assert refused.returncode != 0
    assert "BREAKING=yes" in refused.stderr
    assert private.greeting("test") == "hello again"
    private.done("api-release", "private", "test", "2.0.0", "--breaking")
    eventually("test serves it", lambda: private.greeting("test") is None)


def test_every_stage_is_told_with_its_release(private: Private) -> None:
    table = private.done("api-status", "private")
    for stage in ("dev", "test", "stage", "prod"):
        assert re.search(rf"\b{stage}\b", table), table
    assert "2.0.0" in table


@contextmanager
def another_account(first: Private, publish: Publish, folder: Path) -> Iterator[ControlPlane]:
    """One that has what the definition refers to, and no API: the authorizer with its tokens, and a VPC link to the
    same container, which `variables.json` names."""
    with ControlPlane() as plane:
        copy_authorizer(first.control_plane, plane)
        copy_table(first.control_plane, plane, publish.tokens)
        container = first.doors["fargate-container"]["url"].removeprefix("http://")
        arn, name = network_load_balancer(plane, {LISTENER: container})
        link = plane.client("apigateway").create_vpc_link(name="private", targetArns=[arn])["id"]
        (folder / "variables.json").write_text(json.dumps({"VPCLINK": link, "VPCNLB": f"{name}:{LISTENER}"}))
        yield plane


def copy_authorizer(source: str, target: ControlPlane) -> None:
    functions = client(source, "lambda")
    names = [function["FunctionName"] for function in functions.list_functions()["Functions"]]
    (name,) = [name for name in names if name.endswith("-private-authorizer")]
    found = functions.get_function(FunctionName=name)
    code = requests.get(found["Code"]["Location"], timeout=30)
    code.raise_for_status()
    settings = found["Configuration"]
    role = target.client("iam").create_role(RoleName="authorizer", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    kept = {key: settings[key] for key in ("Runtime", "Handler", "Timeout", "MemorySize", "Environment")}
    copied = target.client("lambda")
    copied.create_function(FunctionName=name, Role=role, Code={"ZipFile": code.content}, **kept)
    for alias in functions.list_aliases(FunctionName=name)["Aliases"]:
        copied.create_alias(FunctionName=name, Name=alias["Name"], FunctionVersion=alias["FunctionVersion"])


def copy_table(source: str, target: ControlPlane, name: str) -> None:
    table, copied = client(source, "dynamodb"), target.client("dynamodb")
    described = table.describe_table(TableName=name)["Table"]
    kept = {key: described[key] for key in ("KeySchema", "AttributeDefinitions")}
    copied.create_table(TableName=name, BillingMode="PAY_PER_REQUEST", **kept)
    for item in table.scan(TableName=name)["Items"]:
        copied.put_item(TableName=name, Item=item)


def test_restored_in_an_empty_account_it_serves_alike(private: Private, publish: Publish, tmp_path: Path) -> None:
    export = private.archive / "private" / "1.0.0.yaml"
    with another_account(private, publish, tmp_path) as plane:
        variables: dict[str, str] = json.loads((tmp_path / "variables.json").read_text())
        given = [word for name, value in variables.items() for word in ("--variable", f"{name}={value}")]
        environment = account.environment(plane.url, REGION)
        restored = command("scripts/release.py", "api-restore", str(export), *given, **environment)
        assert restored.returncode == 0, restored.stdout + restored.stderr
        (restored_api,) = plane.client("apigateway").get_rest_apis()["items"]
        data_plane = DataPlane(plane.url, tmp_path, container_binary=os.devnull)
        try:
            url = f"{data_plane.url}/_aws/execute-api/{restored_api['id']}/prod"
            headers = private.doors["private-prod"]["headers"]
            eventually("a healthy target", lambda: http.request(url, "GET", "/status/health").status == 200)
            refused = http.request(url, "POST", "/string/replace", {"Authorization": "Bearer sy_unknown"}, b"{}")
            assert (refused.status, refused.json()["message"]) == (403, "Forbidden")
            assert http.request(url, "GET", "/").json() == {"message": "Unable to find the requested resource"}
            assert_kept(url, "private", headers, COMMAND_SECONDS)
        finally:
            assert data_plane.stop() == 0, data_plane.process.output
