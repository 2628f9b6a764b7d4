"""What the control plane says of tasks, targets and deployments: what whoever runs them said by its own pages."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from botocore.exceptions import ClientError

from harness.control_plane import ACCOUNT, REGION, ControlPlane

Client = Callable[[str], Any]

ROLE = f"arn:aws:iam::{ACCOUNT}:role/things"
TASK = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def put(control_plane: ControlPlane) -> Callable[[str, Any], Any]:
    def put(path: str, body: Any) -> Any:
        request = Request(
            f"{control_plane.url}/_control_plane/{path}",
            json.dumps(body).encode(),
            {"content-type": "application/json"},
            method="PUT",
        )
        try:
            with urlopen(request) as answer:
                return json.load(answer)
        except HTTPError as error:
            return error.code, json.load(error)["message"]

    return put


@pytest.fixture
def service(client: Client, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service that CodeDeploy releases to, its cluster, task family, application and group, all of one name."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:32]
    ecs, codedeploy = client("ecs"), client("codedeploy")
    ecs.create_cluster(clusterName=name)
    ecs.register_task_definition(family=name, containerDefinitions=[{"name": "api", "image": "api:1", "memory": 64}])
    ecs.create_service(
        cluster=name,
        serviceName=name,
        desiredCount=2,
        taskDefinition=name,
        deploymentController={"type": "CODE_DEPLOY"},
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
        loadBalancers=[{"targetGroupArn": "arn:blue", "containerName": "api", "containerPort": 8080}],
    )
    codedeploy.create_application(applicationName=name, computePlatform="ECS")
    codedeploy.create_deployment_group(
        applicationName=name,
        deploymentGroupName=name,
        serviceRoleArn=ROLE,
        deploymentConfigName="CodeDeployDefault.ECSAllAtOnce",
        ecsServices=[{"clusterName": name, "serviceName": name}],
    )
    yield name
    codedeploy.delete_application(applicationName=name)


def the_service(client: Client, name: str) -> dict[str, Any]:
    service: dict[str, Any] = client("ecs").describe_services(cluster=name, services=[name])["services"][0]
    return service


def task(status: str = "RUNNING", **members: Any) -> dict[str, Any]:
    return {
        "id": TASK,
        "taskDefinitionArn": "arn:task-definition",
        "lastStatus": status,
        "desiredStatus": "RUNNING",
        "startedAt": 1790000000.5,
        "containers": [{"name": "api", "lastStatus": status}],
        **members,
    }


def deploy(client: Client, name: str, content: str | None = None) -> str:
    spec = content or json.dumps({"version": 0.0, "Resources": [{"TargetService": {"Type": "AWS::ECS::Service"}}]})
    revision = {"revisionType": "AppSpecContent", "appSpecContent": {"content": spec}}
    answer = client("codedeploy").create_deployment(
        applicationName=name, deploymentGroupName=name, revision=revision, description="a release"
    )
    deployment: str = answer["deploymentId"]
    return deployment


def test_a_codedeploy_service_begins_with_a_primary_task_set(client: Client, service: str) -> None:
    (task_set,) = the_service(client, service)["taskSets"]
    assert task_set["status"] == "PRIMARY"
    assert task_set["taskDefinition"].endswith(f"task-definition/{service}:1")
    assert task_set["loadBalancers"][0]["targetGroupArn"] == "arn:blue"
    with pytest.raises(ClientError, match=r"InvalidParameterException.*CODE_DEPLOY"):
        client("ecs").update_service(cluster=service, service=service, taskDefinition=service)


def test_a_task_set_becomes_the_primary_one(client: Client, service: str) -> None:
    ecs = client("ecs")
    before = the_service(client, service)["taskSets"][0]["taskSetArn"]
    ecs.register_task_definition(family=service, containerDefinitions=[{"name": "api", "image": "api:2", "memory": 64}])
    green = ecs.create_task_set(
        cluster=service,
        service=service,
        taskDefinition=f"{service}:2",
        externalId="d-1",
        capacityProviderStrategy=[{"capacityProvider": "FARGATE", "base": 1, "weight": 1}],
        loadBalancers=[{"targetGroupArn": "arn:green", "containerName": "api", "containerPort": 8080}],
        scale={"value": 100, "unit": "PERCENT"},
    )["taskSet"]
    assert ecs.list_tasks(cluster=service)["taskArns"] == [], "nobody runs the tasks yet"
    ecs.update_service_primary_task_set(cluster=service, service=service, primaryTaskSet=green["taskSetArn"])
    ecs.delete_task_set(cluster=service, service=service, taskSet=before, force=True)
    after = the_service(client, service)
    assert [(one["externalId"], one["status"]) for one in after["taskSets"]] == [("d-1", "PRIMARY")]
    assert after["taskDefinition"].endswith(":2")
    assert after["loadBalancers"][0]["targetGroupArn"] == "arn:green"


def test_tasks_are_those_that_run(client: Client, service: str, put: Callable[[str, Any], Any]) -> None:
    ecs = client("ecs")
    task_set = the_service(client, service)["taskSets"][0]
    put(f"ecs/{REGION}/{service}/{service}/tasks", {"tasks": [task(startedBy=task_set["id"])]})
    (arn,) = ecs.list_tasks(cluster=service, serviceName=service)["taskArns"]
    assert arn == f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/{service}/{TASK}"
    assert ecs.list_tasks(cluster=service, serviceName="another")["taskArns"] == []
    (described,) = ecs.describe_tasks(cluster=service, tasks=[TASK])["tasks"]
    assert described["lastStatus"] == "RUNNING"
    assert described["group"] == f"service:{service}"
    assert described["capacityProviderName"] == "FARGATE"
    assert described["startedAt"].timestamp() == 1790000000.5
    after = the_service(client, service)
    assert (after["runningCount"], after["pendingCount"]) == (1, 0)
    (task_set,) = after["taskSets"]
    assert (task_set["runningCount"], task_set["computedDesiredCount"]) == (1, 2)
    assert task_set["stabilityStatus"] == "STABILIZING"
    ecs.update_service(cluster=service, service=service, desiredCount=3)
    assert the_service(client, service)["runningCount"] == 1, "wanted is not running"


def test_a_task_that_is_to_stop_says_so(client: Client, service: str, put: Callable[[str, Any], Any]) -> None:
    ecs = client("ecs")
    other = TASK[::-1]
    path = f"ecs/{REGION}/{service}/{service}/tasks"
    put(path, {"tasks": [task(id=other)]})
    ecs.stop_task(cluster=service, task=other, reason="enough")
    assert put(path, {"tasks": [task(id=other)]}) == {}
    stopped = ecs.list_tasks(cluster=service, serviceName=service, desiredStatus="STOPPED")["taskArns"]
    (described,) = ecs.describe_tasks(cluster=service, tasks=stopped)["tasks"]
    assert (described["desiredStatus"], described["lastStatus"]) == ("STOPPED", "RUNNING")
    assert described["stoppedReason"] == "enough"
    assert ecs.list_tasks(cluster=service, serviceName=service)["taskArns"] == []


def test_a_page_names_what_is_missing_or_wrong(put: Callable[[str, Any], Any]) -> None:
    assert put(f"ecs/{REGION}/none/none/tasks", {"tasks": []}) == (
        404,
        "There is no service none in the cluster none",
    )
    assert put(f"codedeploy/{REGION}/deployments/d-1", {"status": "Ready"}) == (
        404,
        f"There is no deployment d-1 in {REGION}",
    )
    assert put("target_health/some-arn", {"targets": []}) == (404, "There is no target group some-arn")


def test_health_of_targets(client: Client, put: Callable[[str, Any], Any]) -> None:
    elb = client("elbv2")
    vpc = client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = elb.create_target_group(Name="targets", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    targets = [
        {"id": "127.0.0.1", "port": 41001, "state": "healthy"},
        {"id": "127.0.0.1", "port": 41002, "state": "unhealthy", "reason": "Target.Timeout", "description": "Too slow"},
    ]
    assert put(f"target_health/{quote(arn, safe='')}", {"targets": targets}) == {}
    healthy, unhealthy = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    assert (healthy["Target"]["Port"], healthy["TargetHealth"]) == (41001, {"State": "healthy"})
    assert unhealthy["TargetHealth"]["Reason"] == "Target.Timeout"
    asked = [{"Id": "127.0.0.1", "Port": 41002}, {"Id": "127.0.0.1", "Port": 1}]
    one, other = elb.describe_target_health(TargetGroupArn=arn, Targets=asked)["TargetHealthDescriptions"]
    assert (one["Target"]["Port"], other["TargetHealth"]["Reason"]) == (41002, "Target.NotRegistered")
    status, message = put(f"target_health/{quote(arn, safe='')}", {"targets": [{"id": "a", "port": 1, "state": "ill"}]})
    assert (status, "healthy, initial" in message) == (400, True)


def test_registered_targets_are_told_apart_from_tasks(client: Client, control_plane: ControlPlane) -> None:
    elb = client("elbv2")
    vpc = client("ec2").create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    group = elb.create_target_group(Name="by-hand", Protocol="HTTP", Port=8080, VpcId=vpc, TargetType="ip")
    arn = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": "127.0.0.1", "Port": 41009}])
    with urlopen(f"{control_plane.url}/_control_plane/target_health/{quote(arn, safe='')}") as answer:
        assert json.load(answer) == {"registered": [{"id": "127.0.0.1", "port": 41009}]}


def test_a_deployment_says_how_far_it_is(client: Client, service: str, put: Callable[[str, Any], Any]) -> None:
    codedeploy = client("codedeploy")
    deployment = deploy(client, service)
    assert re.fullmatch(r"d-[A-Z0-9]{9}", deployment)
    with pytest.raises(ClientError, match="DeploymentNotStartedException"):
        codedeploy.list_deployment_targets(deploymentId=deployment)
    with pytest.raises(ClientError, match=f"DeploymentLimitExceededException.*{deployment}"):
        deploy(client, service)
    path = f"codedeploy/{REGION}/deployments/{deployment}"
    target = {"targetId": f"{service}:{service}", "status": "InProgress", "lifecycleEvents": [], "taskSetsInfo": []}
    work = put(path, {"status": "InProgress", "target": target})
    assert work["appSpec"]["Resources"] == [{"TargetService": {"Type": "AWS::ECS::Service"}}]
    assert (work["stop"], work["continued"]) == (None, [])
    (target_id,) = codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
    found = codedeploy.get_deployment_target(deploymentId=deployment, targetId=target_id)["deploymentTarget"]
    assert found["ecsTarget"]["status"] == "InProgress"
    with pytest.raises(ClientError, match="DeploymentIsNotInReadyStateException"):
        codedeploy.continue_deployment(deploymentId=deployment)
    codedeploy.stop_deployment(deploymentId=deployment, autoRollbackEnabled=True)
    error = {"code": "MANUAL_STOP", "message": "stopped"}
    rollback = {"status": "Succeeded", "message": "back to blue"}
    work = put(path, {"status": "Stopped", "info": {"errorInformation": error}, "rollback": rollback})
    assert work["stop"] == {"autoRollback": True}
    info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
    assert (info["status"], info["errorInformation"]) == ("Stopped", error)
    back = codedeploy.get_deployment(deploymentId=info["rollbackInfo"]["rollbackDeploymentId"])["deploymentInfo"]
    assert (back["creator"], back["status"]) == ("codeDeployRollback", "Succeeded")
    assert back["rollbackInfo"]["rollbackTriggeringDeploymentId"] == deployment
    with pytest.raises(ClientError, match="DeploymentAlreadyCompletedException"):
        codedeploy.stop_deployment(deploymentId=deployment)


def test_an_unreadable_app_spec_is_refused(client: Client, service: str) -> None:
    for content in ("Resources: [", "version: 0.0", "just text"):
        with pytest.raises(ClientError, match=r"InvalidRevisionException.*AppSpec"):
            deploy(client, service, content)


def test_the_configurations_that_come_with_codedeploy(client: Client) -> None:
    name = "CodeDeployDefault.ECSCanary10Percent5Minutes"
    info = client("codedeploy").get_deployment_config(deploymentConfigName=name)["deploymentConfigInfo"]
    assert info["trafficRoutingConfig"]["timeBasedCanary"] == {"canaryPercentage": 10, "canaryInterval": 5}
