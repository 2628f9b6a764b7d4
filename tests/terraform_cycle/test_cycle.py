"""One whole life of the root, everything on: apply, no changes, each kind of change, no changes, destroy, nothing left.

The tests are steps and run in this order. `make test/terraform-cycle` shows Terraform's own lines as they come.
"""

import importlib.util
import io
import json
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from types import ModuleType
from typing import Any

import pytest
import yaml

import release
from harness.control_plane import REGION, ROOT, environment
from harness.terraform import Changes, planned_changes
from terraform_cycle.cycle import DOMAIN, Cycle

CREATE_FIRST = ("create", "delete")
DELETE_FIRST = ("delete", "create")
UPDATE = ("update",)

API = "module.rest_api[0]"
FUNCTION = 'module.function["string-replace"]'
RECEIPT = 'module.publish_function["publish-receipt"]'
WORKER = 'module.publish_function["publish-worker"]'
FARGATE = "module.fargate[0]"
ALARM = "module.alarms.aws_cloudwatch_metric_alarm.this"

PRIVATE_API = "module.private_api[0]"
PROXIES = "module.external_services[0]"
ALLOW_LIST = "module.allow_list[0]"

PRIVATE = {"allowed_cidr_blocks": ["192.0.2.0/24", "2001:db8::/32"], "cors": {"origins": ["https://app.example.com"]}}
EXTERNAL_SERVICES = {
    "billing": {"port": 9001, "upstream": "https://billing.dc.example.com"},
    "stock": {
        "port": 9002,
        "upstream": "https://10.1.2.3:8443",
        "server_name": "stock.dc.example.com",
        # Nobody reads it here: only that it arrives matters.
        "certificate_authority": "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
    },
}

COLOURS = ("blue", "green")
NEW_SUMMARY = "Is the service alive?"
NEW_TAG = "changed"
NEW_THRESHOLD = {"function": {"duration_p95_milliseconds": 4321}}


@pytest.fixture(scope="module")
def cycle() -> Iterator[Cycle]:
    cycle = Cycle(
        "everything",
        architectures=["lambda", "fargate", "events", "publish", "private"],
        root_domain=DOMAIN,
        notification_email="owner@example.com",
        api_gateway={"manage_account": True},
        network={"nat_gateways": "per-zone", "interface_endpoints": ["ssm", "ecr.api", "ecr.dkr", "logs"]},
        repository={"full_name": "example/switchyard"},
        private=PRIVATE,
        external_services=EXTERNAL_SERVICES,
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


def test_the_second_plan_says_no_changes_even_when_the_owner_has_changed_the_map(applied: Cycle) -> None:
    ssm, name = applied.client("ssm"), applied.terraform.outputs()["mapping"]["parameter"]
    ssm.put_parameter(Name=name, Value='{"Rabo":"Rabobank"}', Type="String", Overwrite=True)
    assert applied.terraform.plan() == {}
    assert ssm.get_parameter(Name=name)["Parameter"]["Value"] == '{"Rabo":"Rabobank"}'


def test_each_stage_has_the_firewall_that_it_should(applied: Cycle) -> None:
    """One before everything, and before what is closed the list of who may call."""
    wafv2, name = applied.client("wafv2"), applied.terraform.outputs()["name"]
    behind = {}
    for architecture, api in applied.terraform.outputs()["apis"].items():
        for stage in api["stages"]:
            arn = f"arn:aws:apigateway:{REGION}::/restapis/{api['id']}/stages/{stage}"
            behind[f"{architecture}/{stage}"] = wafv2.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["Name"]
    closed = {f"private/{stage}" for stage in ("dev", "test", "stage")}
    assert behind == {stage: f"{name}-closed" if stage in closed else name for stage in behind}
    assert closed | {"private/prod", "lambda/prod", "publish/beta", "events/beta"} <= behind.keys()


def test_the_vpc_link_leads_to_the_containers_whichever_of_them_serve(applied: Cycle) -> None:
    apigateway, elbv2 = applied.client("apigateway"), applied.client("elbv2")
    outputs = applied.terraform.outputs()
    (link,) = apigateway.get_vpc_links()["items"]
    (arn,) = link["targetArns"]
    (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    assert (balancer["Type"], balancer["Scheme"]) == ("network", "internal")
    assert balancer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == "off"
    (group,) = applied.client("ec2").describe_security_groups(GroupIds=balancer["SecurityGroups"])["SecurityGroups"]
    assert group["IpPermissions"] == [], "the VPC link needs no rule, and nobody else may come in"

    listeners = {each["Port"]: each for each in elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]}
    assert listeners.keys() == {8000, 8001, 8002, 8003, 9001, 9002}
    (application,) = elbv2.describe_load_balancers(Names=[outputs["name"]])["LoadBalancers"]
    for stage, port in {"prod": 8000, "dev": 8001, "test": 8002, "stage": 8003}.items():
        assert outputs["private"]["endpoints"][stage].endswith(f":{port}")
        target_group = listeners[port]["DefaultActions"][0]["TargetGroupArn"]
        (described,) = elbv2.describe_target_groups(TargetGroupArns=[target_group])["TargetGroups"]
        assert (described["TargetType"], described["Port"]) == ("alb", 443)
        (target,) = elbv2.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        assert target["Target"]["Id"] == application["LoadBalancerArn"]

    stages = {
        each["stageName"]: each for each in apigateway.get_stages(restApiId=outputs["apis"]["private"]["id"])["item"]
    }
    assert {name: stage["variables"] for name, stage in stages.items()} == {
        name: {"VPCLINK": link["id"], "VPCNLB": endpoint} for name, endpoint in outputs["private"]["endpoints"].items()
    }


def test_a_stage_of_private_is_at_a_host_name_of_its_own(applied: Cycle) -> None:
    apigateway, outputs = applied.client("apigateway"), applied.terraform.outputs()
    for stage, url in outputs["private"]["urls"].items():
        host = url.removeprefix("https://")
        (mapping,) = apigateway.get_base_path_mappings(domainName=host)["items"]
        assert (mapping["basePath"], mapping["stage"]) == ("(none)", stage)
        assert mapping["restApiId"] == outputs["apis"]["private"]["id"]


# A plan of everything takes a quarter of a minute of CPU time: changes that have nothing to do with each other are
# planned at once. Beside a changed API stands none that could move it by mistake. Change → what it moves.
FIRST_CHANGES: dict[str, Changes] = {
    "an address that is let in moves its list": {
        f'{ALLOW_LIST}.aws_wafv2_ip_set.this["ipv4"]': UPDATE,
    },
    "a stage that is opened changes its firewall": {
        'aws_wafv2_web_acl_association.private["stage"]': DELETE_FIRST,
    },
    "a moved upstream moves the proxies": {
        f"{PROXIES}.aws_ecs_task_definition.this": DELETE_FIRST,
        f"{PROXIES}.aws_ecs_service.this": UPDATE,
    },
    "a changed OpenAPI text moves the stage test and leaves prod": {
        f"{API}.aws_api_gateway_rest_api.this": UPDATE,
        f'{API}.aws_api_gateway_deployment.this["test"]': CREATE_FIRST,
        f'{API}.aws_api_gateway_documentation_version.this["test"]': CREATE_FIRST,
        f'{API}.aws_api_gateway_stage.this["test"]': UPDATE,
    },
    "a changed alarm threshold moves that alarm of each alias": {
        f'{ALARM}["lambda-string-replace-prod-duration"]': UPDATE,
        f'{ALARM}["lambda-string-replace-test-duration"]': UPDATE,
        f'{ALARM}["private-authorizer-live-duration"]': UPDATE,
        # The worker has a threshold of its own.
        f'{ALARM}["publish-authorizer-beta-duration"]': UPDATE,
        f'{ALARM}["publish-receipt-beta-duration"]': UPDATE,
    },
    "a changed image tag moves the task definition and not the service": {
        f"{FARGATE}.aws_ecs_task_definition.this": DELETE_FIRST,
    },
}
SECOND_CHANGES: dict[str, Changes] = {
    "another page that may call moves the stage that follows": {
        f"{PRIVATE_API}.aws_api_gateway_rest_api.this": UPDATE,
        f'{PRIVATE_API}.aws_api_gateway_deployment.this["dev"]': CREATE_FIRST,
        f'{PRIVATE_API}.aws_api_gateway_documentation_version.this["dev"]': CREATE_FIRST,
        f'{PRIVATE_API}.aws_api_gateway_stage.this["dev"]': UPDATE,
        # The containers mark their answers for the same pages.
        f"{FARGATE}.aws_ecs_task_definition.this": DELETE_FIRST,
    },
    "a changed function moves its package and no alias": {
        f"{FUNCTION}.aws_s3_object.package": CREATE_FIRST,
        f"{FUNCTION}.aws_lambda_function.this": UPDATE,
    },
    "another source of the map moves its readers": {
        f"{FUNCTION}.aws_iam_role_policy.this": UPDATE,
        f"{FUNCTION}.aws_lambda_function.this": UPDATE,
        f"{WORKER}.aws_iam_role_policy.this": UPDATE,
        f"{WORKER}.aws_lambda_function.this": UPDATE,
        f"{FARGATE}.aws_iam_role_policy.task": UPDATE,
        f"{FARGATE}.aws_ecs_task_definition.this": DELETE_FIRST,
    },
}


@pytest.fixture(scope="module")
def first_changes(applied: Cycle) -> Changes:
    with replaced(applied, "openapi/lambda.yaml", "Is the service up?", NEW_SUMMARY):
        return applied.terraform.plan_change(
            private={
                **PRIVATE,
                "allowed_cidr_blocks": [*PRIVATE["allowed_cidr_blocks"], "198.51.100.7/32"],
                "open_stages": ["prod", "stage"],
            },
            external_services={
                **EXTERNAL_SERVICES,
                "billing": {"port": 9001, "upstream": "https://new.dc.example.com"},
            },
            alarm_thresholds=NEW_THRESHOLD,
            fargate={"image_tag": NEW_TAG},
        )


@pytest.mark.parametrize("change", FIRST_CHANGES)
def test_of_the_first_changes(change: str, first_changes: Changes) -> None:
    expected = FIRST_CHANGES[change]
    assert {address: first_changes.get(address) for address in expected} == expected


def test_the_first_changes_move_no_more(first_changes: Changes) -> None:
    assert first_changes.keys() - set().union(*FIRST_CHANGES.values()) == set()


@pytest.fixture(scope="module")
def second_plan(applied: Cycle) -> dict[str, Any]:
    applied.write_package("string-replace", "second")
    try:
        return applied.terraform.plan_document(
            "-refresh=false",
            private={**PRIVATE, "cors": {"origins": ["https://other.example.com"]}},
            mapping_source="table",
        )
    finally:
        applied.write_package("string-replace", "first")


@pytest.mark.parametrize("change", SECOND_CHANGES)
def test_of_the_second_changes(change: str, second_plan: dict[str, Any]) -> None:
    expected, planned = SECOND_CHANGES[change], planned_changes(second_plan)
    assert {address: planned.get(address) for address in expected} == expected


def test_the_second_changes_move_no_more(second_plan: dict[str, Any]) -> None:
    assert planned_changes(second_plan).keys() - set().union(*SECOND_CHANGES.values()) == set()


def test_what_two_of_the_second_changes_move_is_moved_by_both(second_plan: dict[str, Any]) -> None:
    readers = {"STRINGS_MAPPING_PARAMETER_NAME", "STRINGS_MAPPING_TABLE"}

    function = planned_values(second_plan, f"{FUNCTION}.aws_lambda_function.this")
    before, after = (values["environment"][0]["variables"] for values in function)
    assert before.keys() ^ after.keys() == readers
    before, after = (values["source_code_hash"] for values in function)
    assert before != after

    tasks = planned_values(second_plan, f"{FARGATE}.aws_ecs_task_definition.this")
    containers = (json.loads(values["container_definitions"])[0] for values in tasks)
    before, after = ({each["name"]: each["value"] for each in container["environment"]} for container in containers)
    assert before.keys() ^ after.keys() == readers
    assert (before["CORS_ORIGINS"], after["CORS_ORIGINS"]) == ("https://app.example.com", "https://other.example.com")


def test_publish_says_where_it_is(applied: Cycle) -> None:
    publish, sqs = applied.terraform.outputs()["publish"], applied.client("sqs")
    assert publish["url"] == f"https://switchyard-publish-test.{DOMAIN}/beta"
    assert {publish["queue_url"], publish["error_queue_url"]} <= set(sqs.list_queues()["QueueUrls"])
    names = ["RedrivePolicy"]
    redrive = sqs.get_queue_attributes(QueueUrl=publish["queue_url"], AttributeNames=names)["Attributes"][names[0]]
    errors = json.loads(redrive)["deadLetterTargetArn"].rsplit(":", 1)[-1]
    assert publish["error_queue_url"].endswith(f"/{errors}")
    notified = applied.client("s3").get_bucket_notification_configuration(Bucket=publish["bucket"])
    (queue,) = notified["QueueConfigurations"]
    assert publish["queue_url"].endswith(f"/{queue['QueueArn'].rsplit(':', 1)[-1]}")


@pytest.fixture(scope="module")
def told(applied: Cycle) -> dict[str, Any]:
    """What is planned when publish is told everything that it can be told: address → values."""
    publish = {
        "name": "inbox",
        "description": "Takes whatever comes",
        "stage_name": "live",
        "authorization_header": "X-Token",
        "authorization_ttl_seconds": 0,
        "max_processing_attempts": 7,
    }
    changes = applied.terraform.plan_document("-refresh=false", publish=publish, log_retention_days=90)[
        "resource_changes"
    ]
    planned = {change["address"]: change["change"]["after"] for change in changes if change["mode"] == "managed"}
    return {address: values for address, values in planned.items() if values is not None}


def test_what_publish_is_told_reaches_it(told: dict[str, Any]) -> None:
    api = told["module.publish_api[0].aws_api_gateway_rest_api.this"]
    assert (api["name"], api["description"]) == ("inbox", "Takes whatever comes")
    scheme = yaml.safe_load(api["body"])["components"]["securitySchemes"]["token"]
    authorizer = scheme["x-amazon-apigateway-authorizer"]
    assert (scheme["name"], authorizer["authorizerResultTtlInSeconds"]) == ("X-Token", 0)
    assert "-authorizer:live/invocations" in authorizer["authorizerUri"]
    assert told['module.publish_api[0].aws_api_gateway_stage.this["live"]']["xray_tracing_enabled"]
    assert json.loads(told["module.capture[0].aws_sqs_queue.this"]["redrive_policy"])["maxReceiveCount"] == 7
    logs = {
        address: values["retention_in_days"]
        for address, values in told.items()
        if ".aws_cloudwatch_log_group." in address
    }
    for module in ("publish_api[0]", "publish_function[", "events_api[0]", "event_stream[0]"):
        assert any(address.startswith(f"module.{module}") for address in logs), module
    assert set(logs.values()) == {90}


def test_what_is_published_is_kept_for_two_weeks_and_for_nobody_else(told: dict[str, Any]) -> None:
    bucket = {
        address.split(".")[-2]: values
        for address, values in told.items()
        if address.startswith("module.capture[0].module.bucket.")
    }
    (rule,) = bucket["aws_s3_bucket_lifecycle_configuration"]["rule"]
    assert (rule["status"], rule["expiration"][0]["days"]) == ("Enabled", 14)
    assert bucket["aws_s3_bucket_versioning"]["versioning_configuration"][0]["status"] == "Disabled"
    (encryption,) = bucket["aws_s3_bucket_server_side_encryption_configuration"]["rule"]
    assert encryption["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "AES256"
    closed = bucket["aws_s3_bucket_public_access_block"]
    assert all(closed[name] for name in closed if name.startswith(("block_", "ignore_", "restrict_")))
    statements = json.loads(bucket["aws_s3_bucket_policy"]["policy"])["Statement"]
    assert [each["Sid"] for each in statements if each["Effect"] == "Deny"] == ["TlsOnly"]
    arn = told["module.capture[0].module.bucket.aws_s3_bucket.this"]["arn"]
    put, receipt, worker = (
        told[f"{owner}.aws_iam_role.{role}"]["arn"]
        for owner, role in (("module.capture[0]", "put"), (RECEIPT, "this"), (WORKER, "this"))
    )
    allowed = {
        (each["Principal"]["AWS"], *each["Action"], each["Resource"].removeprefix(arn))
        for each in statements
        if each["Effect"] == "Allow"
    }
    assert allowed == {
        (put, "s3:PutObject", "/captured/*"),
        (receipt, "s3:GetObject", "/*"),
        (worker, "s3:GetObject", "/captured/*"),
        (worker, "s3:PutObject", "/results/*"),
    }


def test_the_worker_runs_in_the_private_subnets(told: dict[str, Any]) -> None:
    private = {
        values["id"] for address, values in told.items() if address.startswith("module.network[0].aws_subnet.private[")
    }
    (network,) = told[f"{WORKER}.aws_lambda_function.this"]["vpc_config"]
    assert set(network["subnet_ids"]) == private
    assert len(private) == 2
    for name in ("authorizer", "publish-receipt"):
        assert told[f'module.publish_function["{name}"].aws_lambda_function.this']["vpc_config"] == []
    for name in ("authorizer", "publish-receipt", "publish-worker"):
        function = told[f'module.publish_function["{name}"].aws_lambda_function.this']
        assert function["tracing_config"][0]["mode"] == "Active"


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


def test_every_stage_is_released_and_rolled_back_and_nothing_is_planned(applied: Cycle) -> None:
    """The change of the test before reaches prod, and is taken back, by commands alone; Terraform reads their notes."""
    apis = applied.terraform.outputs()["apis"]
    assert set(apis) == {"lambda", "events", "publish", "private"}
    old, new = exported(applied, "prod"), exported(applied, "test")
    assert new["paths"] != old["paths"]
    for api, said in apis.items():
        for stage in said["stages"]:
            run_release(applied, apis, "api-release", api, stage, "1.1.0")
    assert exported(applied, "prod")["paths"] == new["paths"]
    # Every stage of every API, below the head of the table.
    table = run_release(applied, apis, "api-status").splitlines()[1:]
    assert len(table) == sum(len(said["stages"]) for said in apis.values())
    assert all("  1.1.0" in line and line.endswith("  none") for line in table)
    assert applied.terraform.plan() == {}

    for api, said in apis.items():
        for stage in said["stages"]:
            # A stage that follows every change is held at what was recorded of it; the others go back to their first.
            back = "1.1.0" if stage == said["following"] else "1.0.0"
            run_release(applied, apis, "api-rollback", api, stage, back)
    assert exported(applied, "prod") == old
    assert applied.terraform.plan() == {}


def run_release(cycle: Cycle, apis: dict[str, Any], *command: str) -> str:
    """As the targets api/release and so on call it, with the files of this deployment; what it prints."""
    given = {
        "--file": cycle.terraform.root / "releases.json",
        "--folder": cycle.terraform.folder / "releases",
        "--apis": json.dumps(apis),
    }
    arguments = [*(str(word) for pair in given.items() for word in pair), *command]
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(printed):
        for name, value in environment(cycle.control_plane).items():
            patch.setenv(name, value)
        code = release.main(arguments)
    assert code == 0, f"{command}: {printed.getvalue()}"
    return printed.getvalue()


def test_destroy_leaves_nothing_behind(applied: Cycle) -> None:
    assert len(applied.leftovers()) > 100  # the list sees what is there
    applied.terraform.destroy()
    assert applied.leftovers() == []
    assert applied.before <= applied.inventory()


def planned_values(document: dict[str, Any], address: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Before and after what is planned for a resource."""
    (change,) = (each["change"] for each in document["resource_changes"] if each["address"] == address)
    return change["before"], change["after"]


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
