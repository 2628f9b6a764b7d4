"""Deployments, which are snapshots; stages, which point at one; and the export of what a stage serves.

https://docs.aws.amazon.com/apigateway/latest/api/API_Deployment.html
https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import yaml
from moto.apigateway.exceptions import (
    BadRequestException,
    ConflictException,
    NotFoundException,
    StageNotFoundException,
)
from moto.core.common_types import TYPE_RESPONSE

from .model import Deployment, Json, RestApi, Stage, new_id
from .openapi_export import export_document, select_extensions
from .patch import patch, patch_stage
from .request import Request, answer, items


class Deployments(Request):
    def create_deployment(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        api.require_deployable()
        document: Json = {"id": new_id(6), "createdDate": int(time.time())}
        if given.get("description"):
            document["description"] = given["description"]
        api.deployments[document["id"]] = Deployment(document, json.dumps(export_document(api)))
        if name := given.get("stageName"):
            stage = api.stages.setdefault(name, Stage(new_stage(name)))
            stage.document.update({"deploymentId": document["id"], "lastUpdatedDate": int(time.time())})
            for source, target in (("stageDescription", "description"), ("variables", "variables")):
                if given.get(source):
                    stage.document[target] = given[source]
        return answer(document, 201)

    @property
    def the_deployment(self) -> Deployment:
        identifier, deployments = self.path_value("deployment_id"), self.api.deployments
        if identifier not in deployments:
            raise NotFoundException("Invalid Deployment identifier specified")
        return deployments[identifier]

    def get_deployment(self) -> TYPE_RESPONSE:  # type: ignore[override]
        deployment = self.the_deployment
        if "apisummary" in self.query_values("embed"):
            return answer({**deployment.document, "apiSummary": summary(json.loads(deployment.definition))})
        return answer(deployment.document)

    def get_deployments(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(deployment.document for deployment in self.api.deployments.values())

    def update_deployment(self) -> TYPE_RESPONSE:
        deployment = self.the_deployment
        patch(deployment.document, self.operations, "Deployment")
        return answer(deployment.document)

    def delete_deployment(self) -> TYPE_RESPONSE:
        api, identifier = self.api, self.the_deployment.document["id"]
        if any(stage.document["deploymentId"] == identifier for stage in api.stages.values()):
            raise BadRequestException("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[identifier]
        return answer(None, 202)

    def create_stage(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        name = given["stageName"]
        if name in api.stages:
            raise ConflictException("Stage already exists")
        require_deployment(api, given.get("deploymentId", ""))
        stage = Stage({**new_stage(name), **{key: value for key, value in given.items() if value is not None}})
        api.stages[name] = stage
        return answer(stage.document, 201)

    @property
    def the_stage(self) -> Stage:
        return self.backend.get_stage(self.path_value("restapi_id"), self.path_value("stage_name"))

    def get_stage(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(self.the_stage.document)

    def get_stages(self) -> TYPE_RESPONSE:  # type: ignore[override]
        wanted = self.query_value("deploymentId")
        return items(
            stage.document
            for stage in self.api.stages.values()
            if not wanted or stage.document["deploymentId"] == wanted
        )

    def update_stage(self) -> TYPE_RESPONSE:  # type: ignore[override]
        stage = self.the_stage.document
        for operation in self.operations:
            if operation["path"] == "/deploymentId":
                require_deployment(self.api, operation["value"])
        patch_stage(stage, self.operations)
        stage["lastUpdatedDate"] = int(time.time())
        return answer(stage)

    def delete_stage(self) -> TYPE_RESPONSE:
        stages = self.api.stages
        if self.path_value("stage_name") not in stages:
            raise StageNotFoundException()
        del stages[self.path_value("stage_name")]
        return answer(None, 202)

    def get_export(self) -> TYPE_RESPONSE:
        kind = self.path_value("export_type")
        if kind != "oas30":
            raise BadRequestException(f"Export type {kind} is not made here: give oas30")
        api, stage = self.api, self.the_stage.document
        definition = json.loads(api.deployments[stage["deploymentId"]].definition)
        document = select_extensions(definition, self.query_values("extensions"))
        document["servers"] = [
            {
                "url": f"https://{api.id}.execute-api.{self.region}.amazonaws.com/{{basePath}}",
                "variables": {"basePath": {"default": stage["stageName"]}},
            }
        ]
        as_yaml = "yaml" in self.headers.get("Accept", "")
        body = yaml.safe_dump(document, sort_keys=False) if as_yaml else json.dumps(document)
        name = f"oas30_{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}.{'yaml' if as_yaml else 'json'}"
        headers = {
            "Content-Type": "application/yaml" if as_yaml else "application/json",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        return 200, headers, body.encode()


def new_stage(name: str) -> Json:
    now = int(time.time())
    return {
        "stageName": name,
        "methodSettings": {},
        "variables": {},
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "tracingEnabled": False,
        "createdDate": now,
        "lastUpdatedDate": now,
    }


def require_deployment(api: RestApi, identifier: str) -> None:
    if identifier not in api.deployments:
        raise BadRequestException("Deployment id does not exist")


def summary(definition: Json) -> Json:
    """GetDeployment's apiSummary: which methods each path has, and what they ask of the caller."""
    return {
        path: {
            "ANY" if verb.startswith("x-") else verb.upper(): {
                "authorizationType": "NONE" if set().union(*operation.get("security", [])) <= {"api_key"} else "CUSTOM",
                "apiKeyRequired": any("api_key" in requirement for requirement in operation.get("security", [])),
            }
            for verb, operation in item.items()
        }
        for path, item in definition["paths"].items()
    }
