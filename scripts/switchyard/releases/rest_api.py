"""One REST API in API Gateway: its stages, deployments and definition.

A deployment is a snapshot of the definition and never changes; GetExport shows the deployment of a stage, and
nothing else shows one. https://docs.aws.amazon.com/apigateway/latest/api/API_Deployment.html
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from switchyard.failure import REFUSED, Failure

from . import export
from .apis import Api
from .json_types import Json

CANDIDATE = "release_candidate"
"""A stage for the time of one export, of a deployment that no stage serves. Nothing leads to it, and it has no
variables, so that its integrations lead nowhere either."""


class RestApi:
    def __init__(self, client: Any, api: Api) -> None:
        self.client = client
        self.api = api
        self.id = api.id

    def stages(self) -> dict[str, Json]:
        """As GetStages has them, by name; without the candidate's."""
        found: list[Json] = self.client.get_stages(restApiId=self.id)["item"]
        return {stage["stageName"]: stage for stage in found if stage["stageName"] != CANDIDATE}

    def stage(self, name: str) -> Json:
        stages = self.stages()
        if name not in stages:
            raise Failure(f"{self.api.name} has no stage '{name}' in AWS: apply first", REFUSED)
        return stages[name]

    def deployments(self) -> dict[str, Json]:
        """By id, newest first."""
        pages = self.client.get_paginator("get_deployments").paginate(restApiId=self.id)
        found = [deployment for page in pages for deployment in page["items"]]
        return {item["id"]: item for item in sorted(found, key=lambda item: item["createdDate"], reverse=True)}

    def described(self, description: str) -> list[str]:
        """The deployments of that description, newest first."""
        return [key for key, item in self.deployments().items() if item.get("description") == description]

    def of_definition(self, stage: str) -> list[str]:
        """The deployments that Terraform has made for `stage` of the definition as it was, newest first.
        modules/rest_api/main.tf describes them so."""
        return [
            key
            for key, item in self.deployments().items()
            if item.get("description", "").startswith(f"{stage}: definition-")
        ]

    def deploy(self, description: str) -> str:
        """Takes the snapshot."""
        made: str = self.client.create_deployment(restApiId=self.id, description=description)["id"]
        return made

    def delete(self, deployment: str) -> None:
        self.client.delete_deployment(restApiId=self.id, deploymentId=deployment)

    def deployed(self, deployment: str) -> Json:
        """What a deployment holds."""
        for name, stage in self.stages().items():
            if stage["deploymentId"] == deployment:
                return export.fetch(self.client, self.id, name)
        self._point_candidate(deployment)
        try:
            return export.fetch(self.client, self.id, CANDIDATE)
        finally:
            self.remove_candidate()

    def served(self, stage: str) -> Json:
        return export.fetch(self.client, self.id, stage)

    def overwrite(self, document: Json) -> None:
        """Makes `document` the definition. Nothing that is served changes by it."""
        self.client.put_rest_api(restApiId=self.id, mode="overwrite", body=export.text(document).encode())

    def require_documentation(self, version: str) -> None:
        """A documentation version of this name, of the documentation as it is now where there is none yet."""
        try:
            self.client.create_documentation_version(restApiId=self.id, documentationVersion=version)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise

    def move(self, stage: str, **to: str) -> bool:
        """Changes a stage's `deploymentId`, `description`, `documentationVersion`, all at once; false where they
        are so."""
        now = self.stage(stage)
        changes = {key: value for key, value in to.items() if now.get(key) != value}
        if changes:
            operations = [{"op": "replace", "path": f"/{key}", "value": value} for key, value in changes.items()]
            self.client.update_stage(restApiId=self.id, stageName=stage, patchOperations=operations)
        return bool(changes)

    def remove_candidate(self) -> None:
        try:
            self.client.delete_stage(restApiId=self.id, stageName=CANDIDATE)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NotFoundException":
                raise

    def _point_candidate(self, deployment: str) -> None:
        try:
            self.client.create_stage(restApiId=self.id, stageName=CANDIDATE, deploymentId=deployment)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConflictException":
                raise
            # One that a killed run left behind; it may point elsewhere.
            self.client.update_stage(
                restApiId=self.id,
                stageName=CANDIDATE,
                patchOperations=[{"op": "replace", "path": "/deploymentId", "value": deployment}],
            )
