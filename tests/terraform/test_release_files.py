"""What the pipeline builds a release of: buildspec, task definition template, appspec.

CodePipeline and CodeDeploy do not run here. What they do with these files is short, and done here as they do it: put
the image where the placeholder stands, register the task definition, put its ARN into the appspec.
"""

import json
import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml

from harness.control_plane import ROOT
from terraform_cycle.cycle import Cycle

DEPLOY = ROOT / "fargate-app" / "deploy"
taskdef = runpy.run_path(str(DEPLOY / "taskdef.py"))
BUILDSPEC = yaml.safe_load((DEPLOY / "buildspec.yml").read_text())
APPSPEC = (DEPLOY / "appspec.yaml").read_text()
RELEASE_FILES = ["appspec.yaml", "imageDetail.json", "taskdef.json"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard"
IMAGE = f"{REPOSITORY}:0123456789ab"

# `aws` and `docker` of a build container, as far as the buildspec uses them. Each call is written down; files in the
# working directory say what is there and what fails.
STUB = """#!/bin/bash
echo "$(basename "$0") $*" >> calls
case "$(basename "$0") $1 $2" in
  "aws ecr get-login-password") echo token ;;
  "aws ecr describe-images") test -e image-exists || { echo "ImageNotFoundException" >&2; exit 254; } ;;
  "aws ecs describe-task-definition") cat registered-by-terraform.json ;;
  "docker build --file") test ! -e tests-fail ;;
esac
"""


class Build:
    """A build container: the repository's checkout, stubs on the path, and what CodeBuild and the project set."""

    def __init__(self, folder: Path, registered: dict[str, Any]) -> None:
        self.folder = folder
        (folder / "fargate-app").mkdir()
        (folder / "fargate-app" / "deploy").symlink_to(DEPLOY)
        (folder / "registered-by-terraform.json").write_text(json.dumps(registered, default=str))
        for name in ("aws", "docker"):
            (folder / name).write_text(STUB)
            (folder / name).chmod(0o755)
        (folder / "python3").symlink_to(sys.executable)

    def run(self) -> int:
        """All commands in one shell, as CodeBuild runs version 0.2; a command that fails is the end."""
        assert BUILDSPEC["version"] == 0.2
        assert BUILDSPEC["env"]["shell"] == "bash"
        phases = [
            BUILDSPEC["phases"][name] for name in ("install", "pre_build", "build") if name in BUILDSPEC["phases"]
        ]
        assert len(phases) == len(BUILDSPEC["phases"]), "post_build runs after a failed build too"
        assert all(phase["on-failure"] == "ABORT" for phase in phases)
        script = "\n".join(f"{{ {command}\n}} || exit 1" for phase in phases for command in phase["commands"])
        environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "CODEBUILD_RESOLVED_SOURCE_VERSION": COMMIT,
            "REPOSITORY_URL": REPOSITORY,
            "TASK_FAMILY": "switchyard",
        }
        command = ["bash", "-u", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=environment, check=False).returncode

    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text().splitlines()

    def artifact(self, name: str) -> str:
        folder: str = BUILDSPEC["artifacts"]["base-directory"]
        return (self.folder / folder / name).read_text()


@pytest.fixture
def build(tmp_path: Path, applied_task_definition: dict[str, Any]) -> Build:
    return Build(tmp_path, applied_task_definition)


def test_a_build_tests_pushes_and_describes_the_image(build: Build) -> None:
    assert build.run() == 0
    calls = build.calls()
    assert set(calls[:2]) == {  # two ends of a pipe
        "aws ecr get-login-password",
        "docker login --username AWS --password-stdin 123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    }
    assert calls[2:] == [
        "aws ecr describe-images --repository-name switchyard --image-ids imageTag=0123456789ab",
        f"docker build --file fargate-app/Dockerfile --tag {IMAGE} .",
        f"docker push {IMAGE}",
        "aws ecs describe-task-definition --task-definition switchyard --query taskDefinition --output json",
    ]
    assert json.loads(build.artifact("imageDetail.json")) == {"ImageURI": IMAGE}
    assert build.artifact("appspec.yaml") == APPSPEC
    assert BUILDSPEC["artifacts"]["files"] == RELEASE_FILES


def test_a_commit_that_was_built_is_not_built_again(build: Build) -> None:
    (build.folder / "image-exists").touch()
    assert build.run() == 0
    assert [call for call in build.calls() if call.startswith(("docker build", "docker push"))] == []
    assert json.loads(build.artifact("imageDetail.json")) == {"ImageURI": IMAGE}


def test_a_failing_test_makes_no_release(build: Build) -> None:
    (build.folder / "tests-fail").touch()
    assert build.run() != 0
    assert not any(call.startswith("docker push") for call in build.calls())
    assert not (build.folder / "target" / "deploy" / "taskdef.json").exists()


def test_a_task_definition_without_the_container_is_refused(
    tmp_path: Path, applied_task_definition: dict[str, Any]
) -> None:
    other = applied_task_definition["containerDefinitions"][0] | {"name": "other"}
    build = Build(tmp_path, applied_task_definition | {"containerDefinitions": [other]})
    assert build.run() != 0
    assert build.artifact("taskdef.json") == ""


def test_a_release_changes_the_image_and_nothing_else(
    build: Build, deployment: Cycle, applied_task_definition: dict[str, Any]
) -> None:
    assert build.run() == 0
    template = build.artifact("taskdef.json")
    assert template.count("<IMAGE1_NAME>") == 1
    assert json.loads(template)["containerDefinitions"][0]["image"] == "<IMAGE1_NAME>"

    image = json.loads(build.artifact("imageDetail.json"))["ImageURI"]
    definition = json.loads(template.replace("<IMAGE1_NAME>", image))
    released = deployment.client("ecs").register_task_definition(**definition)["taskDefinition"]

    assert released["revision"] > applied_task_definition["revision"]
    assert released["containerDefinitions"][0]["image"] == IMAGE
    assert without_image(released) == without_image(applied_task_definition)

    appspec = yaml.safe_load(APPSPEC.replace("<TASK_DEFINITION>", released["taskDefinitionArn"]))
    assert appspec["Resources"][0]["TargetService"]["Properties"]["TaskDefinition"] == released["taskDefinitionArn"]
    deployment.client("ecs").deregister_task_definition(taskDefinition=released["taskDefinitionArn"])


def without_image(definition: dict[str, Any]) -> dict[str, Any]:
    """What a revision says, without what makes it another revision."""
    read_only = {"registeredAt", "revision", "taskDefinitionArn"}
    containers = [{**container, "image": None} for container in definition["containerDefinitions"]]
    return {key: value for key, value in definition.items() if key not in read_only} | {
        "containerDefinitions": containers
    }


def test_the_appspec_is_that_of_the_service(first_plan: dict[str, Any]) -> None:
    service = planned(first_plan, "module.fargate[0].aws_ecs_service.this")
    properties = yaml.safe_load(APPSPEC)["Resources"][0]["TargetService"]["Properties"]
    (load_balancer,) = service["load_balancer"]
    assert properties["LoadBalancerInfo"] == {
        "ContainerName": load_balancer["container_name"],
        "ContainerPort": load_balancer["container_port"],
    }
    assert properties["PlatformVersion"] == service["platform_version"]
    assert properties["CapacityProviderStrategy"] == [
        {"CapacityProvider": each["capacity_provider"], "Base": each["base"], "Weight": each["weight"]}
        for each in service["capacity_provider_strategy"]
    ]


def test_the_pipeline_reads_what_the_build_writes(first_plan: dict[str, Any]) -> None:
    project = planned(first_plan, "module.pipeline[0].aws_codebuild_project.this")
    assert project["source"][0]["buildspec"] == str((DEPLOY / "buildspec.yml").relative_to(ROOT))
    variables = {variable["name"] for variable in project["environment"][0]["environment_variable"]}
    assert variables == {"REPOSITORY_URL", "TASK_FAMILY"}, "the build above runs with these"

    stages = planned(first_plan, "module.pipeline[0].aws_codepipeline.this")["stage"]
    deploy = next(stage for stage in stages if stage["name"] == "Deploy")["action"][0]["configuration"]
    assert {deploy["AppSpecTemplatePath"], deploy["TaskDefinitionTemplatePath"]} <= set(RELEASE_FILES)
    assert f"<{deploy['Image1ContainerName']}>" == "<IMAGE1_NAME>"


def test_the_first_apply_needs_no_image(
    first_plan: dict[str, Any], deployment: Cycle, applied_task_definition: dict[str, Any]
) -> None:
    """There is none: the task definition names one that the empty repository does not have. The service wants its tasks
    from the start, and nothing waits for them; that such an apply ends is shown where all of the root is applied."""
    repository, _, tag = applied_task_definition["containerDefinitions"][0]["image"].rpartition(":")
    assert tag == "unreleased"
    name = repository.partition("/")[2]
    assert deployment.client("ecr").list_images(repositoryName=name)["imageIds"] == []

    service = planned(first_plan, "module.fargate[0].aws_ecs_service.this")
    assert (service["desired_count"], service["wait_for_steady_state"]) == (2, False)


def planned(plan: dict[str, Any], address: str) -> dict[str, Any]:
    (change,) = [change for change in plan["resource_changes"] if change["address"] == address]
    after: dict[str, Any] = change["change"]["after"]
    return after


def test_the_template_leaves_out_just_what_cannot_be_registered() -> None:
    model = boto3.client("ecs", region_name="eu-west-1").meta.service_model
    taken = model.operation_model("RegisterTaskDefinition").input_shape.members
    described = model.shape_for("TaskDefinition").members
    assert set(described) - set(taken) == taskdef["READ_ONLY"]
