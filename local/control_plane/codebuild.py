"""CodeBuild: projects that a pipeline runs, and UpdateProject.

A project whose source or artifacts are of type CODEPIPELINE has no location for them (the pipeline gives it); moto asks
for one. moto has no UpdateProject, and deletes a project by its name only, where AWS, and Terraform, take the ARN too.
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectSource.html
https://docs.aws.amazon.com/codebuild/latest/APIReference/API_UpdateProject.html
"""

from __future__ import annotations

import json
import time
from typing import Any

from moto.codebuild.exceptions import ResourceNotFoundException
from moto.codebuild.responses import CodeBuildResponse
from moto.core.responses import ActionResult

from . import registry

WITHOUT_LOCATION = ("CODEPIPELINE", "NO_SOURCE")
DEFAULTS = {"timeoutInMinutes": 60, "queuedTimeoutInMinutes": 480}


class Response(CodeBuildResponse):
    def create_project(self) -> ActionResult:
        result = super().create_project()
        project = self.codebuild_backend.codebuild_projects[self._get_param("name")].project_metadata
        _drop_placeholder_locations(project)
        body = json.loads(self.body)
        for name in ("encryptionKey", "concurrentBuildLimit", "secondarySources", "secondaryArtifacts"):
            if body.get(name):
                project[name] = body[name]
        for name, default in DEFAULTS.items():
            project[name] = body.get(name) or default
        return result

    def update_project(self) -> ActionResult:
        """Every member given replaces the one there; what is left out stays."""
        body = json.loads(self.body)
        project = self.codebuild_backend.codebuild_projects.get(body["name"])
        if project is None:
            raise ResourceNotFoundException(f"Project {body['name']} does not exist")
        project.project_metadata.update(body, lastModified=time.time())
        if "tags" in body:
            project.tags = body["tags"]
        return ActionResult({"project": project.project_metadata})

    def _get_param(self, param_name: str, if_none: Any = None) -> Any:
        value = super()._get_param(param_name, if_none)
        if param_name == "name" and isinstance(value, str):
            return value.rsplit(":project/", 1)[-1]
        if param_name in ("source", "artifacts") and isinstance(value, dict) and value.get("type") in WITHOUT_LOCATION:
            # moto refuses an absent and an empty location alike; taken out again once it has stored the project.
            return {"location": "-", **value}
        return value


def _drop_placeholder_locations(project: dict[str, Any]) -> None:
    for part in ("source", "artifacts"):
        if project[part].get("location") == "-":
            del project[part]["location"]


def install() -> None:
    registry.replace("codebuild", Response)
