"""One whole life of the root, everything on: apply, no changes, each kind of change, no changes, destroy, nothing left.

The tests are steps and run in this order. `make test/terraform-cycle` shows Terraform's own lines as they come.
"""

import importlib.util
import json
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import yaml

from harness.control_plane import ROOT
from terraform_cycle.cycle import DOMAIN, Cycle

CREATE_FIRST = ("create", "delete")
DELETE_FIRST = ("delete", "create")
UPDATE = ("update",)

API = "module.rest_api[0]"
FUNCTION = 'module.function["string-replace"]'
WORKER = 'module.publish_function["publish-worker"]'
FARGATE = "module.fargate[0]"
ALARM = "module.alarms.aws_cloudwatch_metric_alarm.this"

COLOURS = ("blue", "green")
NEW_SUMMARY = "Is the service alive?"
NEW_TAG = "changed"
NEW_THRESHOLD = {"function": {"duration_p95_milliseconds": 4321}}


@pytest.fixture(scope="module")
def cycle() -> Iterator[Cycle]:
    cycle = Cycle(
        "everything",
        architectures=["lambda", "fargate", "events", "publish"],
        root_domain=DOMAIN,
        notification_email="owner@example.com",
        api_gateway={"manage_account": True},
        network={"nat_gateways": "per-zone", "interface_endpoints": ["ssm", "ecr.api", "ecr.dkr", "logs"]},
        repository={"full_name": "example/switchyard"},
    )
    yield cycle
    cycle.end()
    print("\nterraform:", ", ".join(cycle.terraform.timings), file=sys.stderr)


@pytest.fixture(scope="module")
def applied(cycle: Cycle) -> Cycle:
    cycle.terraform.apply()
    return cycle


def exported(cycle: Cycle, stage: str) -> Any:
    apigateway = cycle.client("apigateway")
    (api,) = (api["id"] for api in apigateway.get_rest_apis()["items"] if api["name"].endswith("-lambda"))
    answer = apigateway.get_export(
        restApiId=api,
        stageName=stage,
        exportType="oas30",
        accepts="application/json",
        parameters={"extensions": "apigateway"},
    )
    return json.loads(answer["body"].read())


def test_the_first_apply_works_before_any_image_exists(applied: Cycle) -> None:
    ecr, ecs = applied.client("ecr"), applied.client("ecs")
    name = applied.terraform.outputs()["name"]
    assert ecr.list_images(repositoryName=name)["imageIds"] == []
    service = ecs.describe_services(cluster=name, services=[name])["services"][0]
    assert (service["status"], service["runningCount"]) == ("ACTIVE", 0)
    assert service["deploymentController"] == {"type": "CODE_DEPLOY"}


def test_the_second_plan_says_no_changes(applied: Cycle) -> None:
    assert applied.terraform.plan() == {}


def test_a_changed_openapi_text_moves_the_stage_test_and_leaves_prod(applied: Cycle) -> None:
    with replaced(applied, "openapi/lambda.yaml", "Is the service up?", NEW_SUMMARY):
        assert applied.terraform.plan() == {
            f"{API}.aws_api_gateway_rest_api.this": UPDATE,
            f'{API}.aws_api_gateway_deployment.this["test"]': CREATE_FIRST,
            f'{API}.aws_api_gateway_documentation_version.this["test"]': CREATE_FIRST,
            f'{API}.aws_api_gateway_stage.this["test"]': UPDATE,
        }


def test_a_changed_function_moves_its_package_and_no_alias(applied: Cycle) -> None:
    applied.write_package("string-replace", "second")
    try:
        assert applied.terraform.plan() == {
            f"{FUNCTION}.aws_s3_object.package": CREATE_FIRST,
            f"{FUNCTION}.aws_lambda_function.this": UPDATE,
        }
    finally:
        applied.write_package("string-replace", "first")


def test_a_changed_alarm_threshold_moves_that_alarm_of_each_alias(applied: Cycle) -> None:
    assert applied.terraform.plan(alarm_thresholds=NEW_THRESHOLD) == {
        f'{ALARM}["lambda-string-replace-prod-duration"]': UPDATE,
        f'{ALARM}["lambda-string-replace-test-duration"]': UPDATE,
        # The worker has a threshold of its own.
        f'{ALARM}["publish-authorizer-beta-duration"]': UPDATE,
        f'{ALARM}["publish-receipt-beta-duration"]': UPDATE,
    }


def test_a_changed_image_tag_moves_the_task_definition_and_not_the_service(applied: Cycle) -> None:
    assert applied.terraform.plan(fargate={"image_tag": NEW_TAG}) == {
        f"{FARGATE}.aws_ecs_task_definition.this": DELETE_FIRST,
    }


def test_a_map_changed_by_its_owner_moves_nothing(applied: Cycle) -> None:
    ssm, name = applied.client("ssm"), applied.terraform.outputs()["mapping"]["parameter"]
    ssm.put_parameter(Name=name, Value='{"Rabo":"Rabobank"}', Type="String", Overwrite=True)
    assert applied.terraform.plan() == {}
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == '{"Rabo":"Rabobank"}'


def test_another_source_of_the_map_moves_its_readers(applied: Cycle) -> None:
    assert applied.terraform.plan(mapping_source="table") == {
        f"{FUNCTION}.aws_iam_role_policy.this": UPDATE,
        f"{FUNCTION}.aws_lambda_function.this": UPDATE,
        f"{WORKER}.aws_iam_role_policy.this": UPDATE,
        f"{WORKER}.aws_lambda_function.this": UPDATE,
        f"{FARGATE}.aws_iam_role_policy.task": UPDATE,
        f"{FARGATE}.aws_ecs_task_definition.this": DELETE_FIRST,
    }


def make_primary(ecs: Any, name: str, task_definition: str, target_group: str) -> None:
    """Gives the service a new primary task set, as CodeDeploy does. UpdateService may not change a task definition."""
    service = ecs.describe_services(cluster=name, services=[name])["services"][0]
    made = ecs.create_task_set(
        cluster=name,
        service=name,
        taskDefinition=task_definition,
        loadBalancers=[{**service["loadBalancers"][0], "targetGroupArn": target_group}],
        networkConfiguration=service["networkConfiguration"],
        capacityProviderStrategy=service["capacityProviderStrategy"],
        scale={"value": 100, "unit": "PERCENT"},
    )["taskSet"]
    ecs.update_service_primary_task_set(cluster=name, service=name, primaryTaskSet=made["taskSetArn"])
    for old in service["taskSets"]:
        ecs.delete_task_set(cluster=name, service=name, taskSet=old["taskSetArn"], force=True)


def test_a_release_registers_the_same_task_definition_with_its_image(applied: Cycle) -> None:
    """What CodeBuild, CodePipeline and CodeDeploy do, in their order; and Terraform sees nothing of it."""
    ecs, name = applied.client("ecs"), applied.terraform.outputs()["name"]
    image = f"{applied.terraform.outputs()['image_repository_url']}:0123456789ab"
    registered = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]

    # CodeBuild: buildspec.yml writes the template.
    taskdef = load("fargate-app/deploy/taskdef.py")
    template = json.dumps(taskdef.template(json.loads(json.dumps(registered, default=str))))
    assert template.count("<IMAGE1_NAME>") == 1

    # CodePipeline: the image in place of the placeholder, as text; then the revision in the appspec, in the same way.
    revision = ecs.register_task_definition(**json.loads(template.replace("<IMAGE1_NAME>", image)))["taskDefinition"]
    appspec = (ROOT / "fargate-app/deploy/appspec.yaml").read_text()
    appspec = appspec.replace("<TASK_DEFINITION>", revision["taskDefinitionArn"])

    assert revision["revision"] == registered["revision"] + 1
    assert [container["image"] for container in revision["containerDefinitions"]] == [image]
    assert comparable(revision) == comparable(registered)

    # CodeDeploy: the appspec must name the service's own container, port and capacity.
    properties = yaml.safe_load(appspec)["Resources"][0]["TargetService"]["Properties"]
    service = ecs.describe_services(cluster=name, services=[name])["services"][0]
    balancer = service["loadBalancers"][0]
    assert properties["TaskDefinition"] == revision["taskDefinitionArn"]
    assert properties["LoadBalancerInfo"] == {
        "ContainerName": balancer["containerName"],
        "ContainerPort": balancer["containerPort"],
    }
    assert [
        {key[0].lower() + key[1:]: value for key, value in strategy.items()}
        for strategy in properties["CapacityProviderStrategy"]
    ] == service["capacityProviderStrategy"]
    deployment = applied.client("codedeploy").create_deployment(
        applicationName=name,
        deploymentGroupName=name,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec}},
    )
    assert deployment["deploymentId"]

    # CodeDeploy then turns the listeners to green, and the service to the new revision; autoscaling adds a task.
    elbv2 = applied.client("elbv2")
    blue, green = (elbv2.describe_target_groups(Names=[f"{name}-{colour}"])["TargetGroups"][0] for colour in COLOURS)
    turn = {blue["TargetGroupArn"]: green["TargetGroupArn"], green["TargetGroupArn"]: blue["TargetGroupArn"]}
    load_balancer = elbv2.describe_load_balancers(Names=[name])["LoadBalancers"][0]["LoadBalancerArn"]
    before = {
        listener["ListenerArn"]: listener["DefaultActions"]
        for listener in elbv2.describe_listeners(LoadBalancerArn=load_balancer)["Listeners"]
        if listener["DefaultActions"][0]["Type"] == "forward"
    }
    assert len(before) == 2
    for listener, actions in before.items():
        action = {"Type": "forward", "TargetGroupArn": turn[actions[0]["TargetGroupArn"]]}
        elbv2.modify_listener(ListenerArn=listener, DefaultActions=[action])
    make_primary(ecs, name, revision["taskDefinitionArn"], green["TargetGroupArn"])
    ecs.update_service(cluster=name, service=name, desiredCount=3)

    assert applied.terraform.plan() == {}

    for listener, actions in before.items():
        elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)
    make_primary(ecs, name, registered["taskDefinitionArn"], blue["TargetGroupArn"])
    ecs.update_service(cluster=name, service=name, desiredCount=2)
    # The pipeline's revisions are not Terraform's: they stay when it destroys.
    ecs.deregister_task_definition(taskDefinition=revision["taskDefinitionArn"])


def test_the_changes_applied_together_reach_what_they_should_and_no_more(applied: Cycle) -> None:
    prod, old_test = exported(applied, "prod"), exported(applied, "test")
    functions = applied.client("lambda")
    function = applied.terraform.outputs()["functions"]["string-replace"]["name"]

    def code(alias: str) -> str:
        return str(functions.get_function_configuration(FunctionName=function, Qualifier=alias)["CodeSha256"])

    old = {alias: code(alias) for alias in ("test", "prod")}
    assert old["test"] == old["prod"]

    write(applied, "openapi/lambda.yaml", "Is the service up?", NEW_SUMMARY)
    applied.write_package("string-replace", "second")
    applied.terraform.variables |= {"alarm_thresholds": NEW_THRESHOLD, "fargate": {"image_tag": NEW_TAG}}
    applied.terraform.apply()

    assert exported(applied, "prod") == prod
    assert exported(applied, "test") != old_test
    assert NEW_SUMMARY in json.dumps(exported(applied, "test"))
    assert code("prod") == old["prod"]
    assert code("test") != old["test"]
    name = applied.terraform.outputs()["name"]
    newest = applied.client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
    assert newest["containerDefinitions"][0]["image"].endswith(f":{NEW_TAG}")
    alarms = applied.client("cloudwatch").describe_alarms(AlarmNames=[f"{name}-lambda-string-replace-prod-duration"])
    assert alarms["MetricAlarms"][0]["Threshold"] == 4321
    assert applied.terraform.plan() == {}


def test_destroy_leaves_nothing_behind(applied: Cycle) -> None:
    assert len(applied.leftovers()) > 100  # the list sees what is there
    applied.terraform.destroy()
    assert applied.leftovers() == []
    assert applied.before <= applied.inventory()


class replaced:
    """The root's file with other text in it, for a while."""

    def __init__(self, cycle: Cycle, file: str, old: str, new: str) -> None:
        self.arguments = (cycle, file)
        self.texts = (old, new)

    def __enter__(self) -> None:
        write(*self.arguments, *self.texts)

    def __exit__(self, *_: object) -> None:
        write(*self.arguments, *reversed(self.texts))


def write(cycle: Cycle, file: str, old: str, new: str) -> None:
    path = cycle.terraform.root / file
    text = path.read_text()
    assert text.count(old) == 1, f"{file} holds {old!r} {text.count(old)} times"
    path.write_text(text.replace(old, new))


def load(file: str) -> ModuleType:
    """A script that is no module of a package."""
    path = ROOT / file
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def comparable(definition: dict[str, Any]) -> dict[str, Any]:
    """A task definition without its image and what ECS numbers and dates."""
    changing = ("taskDefinitionArn", "revision", "registeredAt", "registeredBy")
    containers = [{**container, "image": ""} for container in definition["containerDefinitions"]]
    return {key: value for key, value in definition.items() if key not in changing} | {
        "containerDefinitions": containers
    }
