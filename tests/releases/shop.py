"""An account in which Terraform has deployed the shop's API, as modules/rest_api does; and the release commands
on it."""

import hashlib
import io
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import release
from harness.control_plane import ROOT, ControlPlane, environment
from releases.definition import AUTHORIZER, FUNCTION, document
from switchyard.releases import export

STAGES = ("test", "prod")


def snapshot(definition: dict[str, Any]) -> str:
    return f"definition-{hashlib.sha256(json.dumps(definition, sort_keys=True).encode()).hexdigest()[:12]}"


def make_functions(client: Callable[[str], Any]) -> None:
    """Two functions whose alias `test` is the newest code, and `prod` version 1; in an account that may have them."""
    functions = client("lambda")
    roles = client("iam")
    if "shop" not in {role["RoleName"] for role in roles.list_roles()["Roles"]}:
        roles.create_role(RoleName="shop", AssumeRolePolicyDocument="{}")
    role = roles.get_role(RoleName="shop")["Role"]["Arn"]
    for name in (FUNCTION, AUTHORIZER):
        if name in {each["FunctionName"] for each in functions.list_functions()["Functions"]}:
            continue
        functions.create_function(
            FunctionName=name,
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code={"ZipFile": package(name)},
            Publish=True,
        )
        functions.create_alias(FunctionName=name, Name="test", FunctionVersion="$LATEST")
        functions.create_alias(FunctionName=name, Name="prod", FunctionVersion="1")


def package(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bootstrap", content)
    return file.getvalue()


class Shop:
    def __init__(self, control_plane: ControlPlane, folder: Path, name: str = "shop") -> None:
        self.control_plane = control_plane
        self.client = control_plane.client
        self.apigateway = control_plane.client("apigateway")
        self.folder = folder
        self.file = folder / "releases.json"
        self.archive = folder / "releases"
        self.known: dict[str, str] = {}
        """Every deployment that was ever seen: id → description."""
        make_functions(self.client)
        self.api = self._deploy(name)
        entry: dict[str, Any] = {
            "release": "1.0.0",
            "previous": None,
            "initial": None,
            "follows": False,
            "deployments": {},
        }
        self.file.write_text(json.dumps({"apis": {"lambda": {"prod": entry}}, "functions": {}}))

    def _deploy(self, name: str) -> str:
        definition = document()
        api = self.apigateway.create_rest_api(
            name=name, endpointConfiguration={"types": ["REGIONAL"]}, tags={"Architecture": "lambda"}
        )["id"]
        self.apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(definition))
        for stage, kind in zip(STAGES, (snapshot(definition), "release-1.0.0"), strict=True):
            made = self.apigateway.create_deployment(restApiId=api, description=f"{stage}: {kind}")["id"]
            self.apigateway.create_documentation_version(restApiId=api, documentationVersion=f"{stage}-{kind}")
            self.apigateway.create_stage(
                restApiId=api,
                stageName=stage,
                deploymentId=made,
                documentationVersion=f"{stage}-{kind}",
                description="Release 1.0.0" if stage == "prod" else "Every change at once",
                variables={"alias": stage},
                tracingEnabled=True,
            )
            operations = [{"op": "replace", "path": "/*/*/throttling/rateLimit", "value": "100"}]
            self.apigateway.update_stage(restApiId=api, stageName=stage, patchOperations=operations)
        return str(api)

    def apply(self, definition: dict[str, Any]) -> None:
        """What `terraform apply` does with a changed definition: the stage test gets a new deployment, its old
        one goes."""
        old = self.stage("test")["deploymentId"]
        self.deployments()
        self.apigateway.put_rest_api(restApiId=self.api, mode="overwrite", body=json.dumps(definition))
        kind = snapshot(definition)
        made = self.apigateway.create_deployment(restApiId=self.api, description=f"test: {kind}")["id"]
        self.move("test", made)
        self.apigateway.delete_deployment(restApiId=self.api, deploymentId=old)

    def move(self, stage: str, deployment: str) -> None:
        operations = [{"op": "replace", "path": "/deploymentId", "value": deployment}]
        self.apigateway.update_stage(restApiId=self.api, stageName=stage, patchOperations=operations)

    def stage(self, name: str) -> Any:
        answer = self.apigateway.get_stage(restApiId=self.api, stageName=name)
        answer.pop("ResponseMetadata")
        return answer

    def stages(self) -> set[str]:
        return {stage["stageName"] for stage in self.apigateway.get_stages(restApiId=self.api)["item"]}

    def deployments(self) -> dict[str, str]:
        """Id → description."""
        items = self.apigateway.get_deployments(restApiId=self.api)["items"]
        found = {item["id"]: item.get("description", "") for item in items}
        self.known |= found
        return found

    def serves(self, stage: str) -> dict[str, Any]:
        return export.fetch(self.apigateway, self.api, stage)

    def definition(self) -> Any:
        """What the API is, deployed or not."""
        resources = self.apigateway.get_resources(restApiId=self.api, embed=["methods"])["items"]
        methods = {item["path"]: item.get("resourceMethods", {}) for item in resources}
        settings = self.apigateway.get_rest_api(restApiId=self.api)
        settings.pop("ResponseMetadata")
        models = {
            item["name"]: json.loads(item["schema"]) for item in self.apigateway.get_models(restApiId=self.api)["items"]
        }
        gone = ("id", "authorizerId", "requestValidatorId", "cacheNamespace", "createdDate", "rootResourceId")
        return json.loads(
            json.dumps([methods, models, settings], default=str), object_hook=lambda item: _without(item, gone)
        )

    def anonymous(self, text: str) -> str:
        """`text` as it would be of another shop: without ids, without the hashes of exports, which name the API, and
        without the commit, which is another when somebody commits in between."""
        for deployment, description in self.known.items():
            text = text.replace(deployment, description)
        text = re.sub(r'clean\\": (true|false)', "clean", text.replace(self.api, "(api)"))
        return re.sub(r"\b([0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{12})\b", "(hash)", text)

    def entry(self, stage: str = "prod") -> Any:
        return json.loads(self.file.read_text())["apis"]["lambda"].get(stage)

    def output(self, **changes: Any) -> dict[str, Any]:
        """Terraform's output `apis`."""
        aliases = {stage: stage for stage in STAGES}
        said = {
            "id": self.api,
            "name": "shop",
            "stages": list(STAGES),
            "following": "test",
            "functions": {"orders": {"name": FUNCTION, "aliases": aliases}},
            "service": None,
        }
        return {"lambda": {**said, **changes}}

    def arguments(self, *command: str, **changes: Any) -> list[str]:
        given = {"--file": self.file, "--folder": self.archive, "--apis": json.dumps(self.output(**changes))}
        return [*(str(word) for pair in given.items() for word in pair), *command]

    def run(self, *command: str, **changes: Any) -> int:
        return release.main(self.arguments(*command, **changes))

    def start(self, *command: str) -> subprocess.Popen[str]:
        """The command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, ROOT / "scripts" / "release.py", *self.arguments(*command)],
            env=environment(self.control_plane),
            stdout=subprocess.PIPE,
            text=True,
        )


def _without(item: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key not in names}
