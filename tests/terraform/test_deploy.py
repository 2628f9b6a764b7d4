"""scripts/deploy.py: an image in the repository goes to the service by CodeDeploy."""

import json
from typing import Any

import pytest
import yaml

import deploy
from harness.control_plane import CREDENTIALS, REGION
from terraform_cycle.cycle import Cycle

TAG = "0123456789ab"


@pytest.fixture
def service(
    deployment: Cycle, applied_task_definition: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What the script is told of a service: its name and repository. CodeDeploy knows it, an image is there."""
    for variable, value in {**CREDENTIALS, "AWS_ENDPOINT_URL": deployment.control_plane.url}.items():
        monkeypatch.setenv(variable, value)
    name = applied_task_definition["family"]
    repository = applied_task_definition["containerDefinitions"][0]["image"].rpartition(":")[0]
    return {"--name": name, "--repository": repository, "--region": REGION}


def run(service: dict[str, str], tag: str) -> int:
    return deploy.main([part for option in {**service, "--tag": tag}.items() for part in option])


def test_an_image_that_is_not_there_is_not_released(
    deployment: Cycle, service: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = deployment.client("ecs").list_task_definitions()["taskDefinitionArns"]
    assert run(service, "nowhere") == 1
    assert "has no image 'nowhere': push one (make image/push TAG=nowhere)" in capsys.readouterr().err
    assert deployment.client("ecs").list_task_definitions()["taskDefinitionArns"] == before


def test_an_image_is_released(
    deployment: Cycle,
    service: dict[str, str],
    applied_task_definition: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = service["--name"]
    ecr, ecs, codedeploy = (deployment.client(each) for each in ("ecr", "ecs", "codedeploy"))
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": {}, "layers": []})
    ecr.put_image(repositoryName=name, imageManifest=manifest, imageTag=TAG)
    codedeploy.create_application(applicationName=name, computePlatform="ECS")
    codedeploy.create_deployment_group(
        applicationName=name, deploymentGroupName=name, serviceRoleArn="arn:aws:iam::123456789012:role/deploy"
    )

    assert run(service, TAG) == 0, capsys.readouterr().err

    revision = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
    assert revision["revision"] > applied_task_definition["revision"]
    image = f"{service['--repository']}:{TAG}"
    assert [container["image"] for container in revision["containerDefinitions"]] == [image]

    (started,) = codedeploy.list_deployments(applicationName=name, deploymentGroupName=name)["deployments"]
    assert started in capsys.readouterr().out
    content = codedeploy.get_deployment(deploymentId=started)["deploymentInfo"]["revision"]["appSpecContent"]["content"]
    properties = yaml.safe_load(content)["Resources"][0]["TargetService"]["Properties"]
    assert properties["TaskDefinition"] == revision["taskDefinitionArn"]

    ecs.deregister_task_definition(taskDefinition=revision["taskDefinitionArn"])
    ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": TAG}])
