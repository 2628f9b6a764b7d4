"""Each service that is changed or added, by what Terraform would stumble over without the change."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.control_plane import ACCOUNT, REGION

Client = Callable[[str], Any]

ROLE = f"arn:aws:iam::{ACCOUNT}:role/things"


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_stays_pending(client: Client, service: str) -> None:
    api = client(service)
    arn = api.create_connection(
        ConnectionName="things", ProviderType="GitHub", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )["ConnectionArn"]
    connection = api.get_connection(ConnectionArn=arn)["Connection"]
    assert connection["ConnectionStatus"] == "PENDING"
    assert connection["ProviderType"] == "GitHub"
    api.untag_resource(ResourceArn=arn, TagKeys=["a"])
    assert api.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    api.delete_connection(ConnectionArn=arn)
    assert api.list_connections()["Connections"] == []
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.get_connection(ConnectionArn=arn)


def test_a_notification_rule(client: Client) -> None:
    api = client("codestar-notifications")
    resource = f"arn:aws:codepipeline:{REGION}:{ACCOUNT}:things"
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:things"
    failed = "codepipeline-pipeline-pipeline-execution-failed"
    arn = api.create_notification_rule(
        Name="things",
        DetailType="FULL",
        Resource=resource,
        EventTypeIds=[failed],
        Targets=[{"TargetAddress": topic}],
        Tags={"a": "1"},
    )["Arn"]
    api.update_notification_rule(Arn=arn, DetailType="BASIC")
    rule = api.describe_notification_rule(Arn=arn)
    assert (rule["Name"], rule["DetailType"], rule["Status"], rule["Resource"]) == (
        "things",
        "BASIC",
        "ENABLED",
        resource,
    )
    assert [event["EventTypeId"] for event in rule["EventTypes"]] == [failed]
    assert rule["Targets"] == [{"TargetAddress": topic, "TargetType": "SNS", "TargetStatus": "ACTIVE"}]
    assert rule["Tags"] == {"a": "1"}
    api.delete_notification_rule(Arn=arn)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        api.describe_notification_rule(Arn=arn)


def test_a_saved_query(client: Client) -> None:
    logs = client("logs")
    identifier = logs.put_query_definition(name="things/errors", queryString="fields @message")["queryDefinitionId"]
    logs.put_query_definition(name="things/errors", queryString="limit 5", queryDefinitionId=identifier)
    found = logs.describe_query_definitions(queryDefinitionNamePrefix="things/")["queryDefinitions"]
    assert [(query["queryDefinitionId"], query["queryString"]) for query in found] == [(identifier, "limit 5")]
    assert logs.delete_query_definition(queryDefinitionId=identifier)["success"] is True
    assert logs.delete_query_definition(queryDefinitionId=identifier)["success"] is False


def test_a_composite_alarm(client: Client) -> None:
    cloudwatch = client("cloudwatch")
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule="ALARM(one) OR ALARM(two)", AlarmActions=[ROLE])
    alarm = cloudwatch.describe_alarms(AlarmNames=["all"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"][0]
    assert alarm["AlarmRule"] == "ALARM(one) OR ALARM(two)"
    assert alarm["ActionsEnabled"] is True
    assert alarm["AlarmActions"] == [ROLE]


def test_a_deployment_group(client: Client) -> None:
    codedeploy = client("codedeploy")
    codedeploy.create_application(applicationName="things", computePlatform="ECS")
    alarms = {"enabled": True, "alarms": [{"name": "slow"}]}
    group = {"applicationName": "things", "deploymentGroupName": "blue-green"}
    codedeploy.create_deployment_group(**group, serviceRoleArn=ROLE, alarmConfiguration=alarms)

    def get(name: str = "blue-green") -> Any:
        return codedeploy.get_deployment_group(**{**group, "deploymentGroupName": name})["deploymentGroupInfo"]

    assert get()["alarmConfiguration"] == alarms
    codedeploy.update_deployment_group(
        applicationName="things",
        currentDeploymentGroupName="blue-green",
        newDeploymentGroupName="green-blue",
        alarmConfiguration={"enabled": False, "alarms": []},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]},
    )
    changed = get("green-blue")
    assert changed["alarmConfiguration"]["enabled"] is False
    assert changed["autoRollbackConfiguration"] == {"enabled": True, "events": ["DEPLOYMENT_FAILURE"]}
    assert changed["serviceRoleArn"] == ROLE
    codedeploy.delete_deployment_group(applicationName="things", deploymentGroupName="green-blue")
    assert codedeploy.list_deployment_groups(applicationName="things")["deploymentGroups"] == []
    codedeploy.delete_application(applicationName="things")
    assert codedeploy.list_applications()["applications"] == []


def test_a_deployment_configuration(client: Client) -> None:
    codedeploy = client("codedeploy")
    routing = {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 20, "linearInterval": 1}}
    given = {"deploymentConfigName": "slowly", "computePlatform": "ECS", "trafficRoutingConfig": routing}
    codedeploy.create_deployment_config(**given)
    info = codedeploy.get_deployment_config(deploymentConfigName="slowly")["deploymentConfigInfo"]
    assert {name: info[name] for name in given} == given
    with pytest.raises(ClientError, match="DeploymentConfigAlreadyExistsException"):
        codedeploy.create_deployment_config(**given)
    codedeploy.delete_deployment_config(deploymentConfigName="slowly")
    with pytest.raises(ClientError, match="DeploymentConfigDoesNotExistException"):
        codedeploy.get_deployment_config(deploymentConfigName="slowly")


def test_tags_of_a_scalable_target(client: Client) -> None:
    scaling = client("application-autoscaling")
    ecs = client("ecs")
    ecs.create_cluster(clusterName="scaled")
    ecs.create_service(cluster="scaled", serviceName="scaled", desiredCount=1)
    target = {
        "ServiceNamespace": "ecs",
        "ResourceId": "service/scaled/scaled",
        "ScalableDimension": "ecs:service:DesiredCount",
    }
    arn = scaling.register_scalable_target(**target, MinCapacity=1, MaxCapacity=2, Tags={"a": "1"})["ScalableTargetARN"]
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["a"])
    assert scaling.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"b": "2"}


def test_an_ecs_service_keeps_what_it_was_given(client: Client) -> None:
    ecs = client("ecs")
    ecs.create_cluster(clusterName="kept")
    strategy = [{"capacityProvider": "FARGATE", "base": 1, "weight": 1}]
    ecs.create_service(
        cluster="kept",
        serviceName="kept",
        desiredCount=0,
        capacityProviderStrategy=strategy,
        healthCheckGracePeriodSeconds=60,
        deploymentController={"type": "CODE_DEPLOY"},
    )

    def service() -> Any:
        return ecs.describe_services(cluster="kept", services=["kept"])["services"][0]

    assert service()["capacityProviderStrategy"] == strategy
    assert service()["healthCheckGracePeriodSeconds"] == 60
    assert service()["availabilityZoneRebalancing"] == "DISABLED"
    assert "launchType" not in service()
    ecs.update_service(cluster="kept", service="kept", healthCheckGracePeriodSeconds=90)
    assert service()["healthCheckGracePeriodSeconds"] == 90
    assert service()["capacityProviderStrategy"] == strategy
    ecs.delete_service(cluster="kept", service="kept")
    assert ecs.list_services(cluster="kept")["serviceArns"] == []
    assert service()["status"] == "INACTIVE"


def package(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bootstrap", text)
    return file.getvalue()


def role(client: Client) -> str:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    name = f"role-{time.monotonic_ns()}"
    return str(client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy)["Role"]["Arn"])


def test_a_function_keeps_and_changes_its_whole_configuration(client: Client) -> None:
    api = client("lambda")
    logging = {"LogFormat": "JSON", "LogGroup": "/things", "ApplicationLogLevel": "INFO", "SystemLogLevel": "WARN"}
    letters = {"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"}
    api.create_function(
        FunctionName="kept",
        Role=role(client),
        Runtime="provided.al2023",
        Handler="bootstrap",
        Code={"ZipFile": package("first")},
        LoggingConfig=logging,
        DeadLetterConfig=letters,
        Publish=True,
    )
    configuration = api.get_function_configuration(FunctionName="kept")
    assert configuration["LoggingConfig"] == logging
    assert configuration["DeadLetterConfig"] == letters
    api.update_function_configuration(
        FunctionName="kept",
        LoggingConfig={"LogFormat": "Text", "LogGroup": "/things"},
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
    )
    configuration = api.get_function_configuration(FunctionName="kept")
    assert configuration["LoggingConfig"]["LogFormat"] == "Text"
    assert configuration["TracingConfig"] == {"Mode": "Active"}
    assert configuration["EphemeralStorage"] == {"Size": 1024}
    # What was published is not changed.
    assert api.get_function_configuration(FunctionName="kept", Qualifier="1")["LoggingConfig"] == logging


def test_a_mapping_to_an_alias_keeps_the_alias_and_takes_no_messages(client: Client) -> None:
    api, sqs = client("lambda"), client("sqs")
    code = {"ZipFile": package("first")}
    api.create_function(
        FunctionName="polls", Role=role(client), Runtime="provided.al2023", Handler="bootstrap", Code=code, Publish=True
    )
    alias = api.create_alias(FunctionName="polls", Name="prod", FunctionVersion="1")["AliasArn"]
    url = sqs.create_queue(QueueName="polled")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    mapping = api.create_event_source_mapping(EventSourceArn=queue, FunctionName=alias)
    assert mapping["FunctionArn"] == alias
    assert api.get_event_source_mapping(UUID=mapping["UUID"])["FunctionArn"] == alias
    sqs.send_message(QueueUrl=url, MessageBody="hello")
    assert [message["Body"] for message in sqs.receive_message(QueueUrl=url)["Messages"]] == ["hello"]
    api.delete_event_source_mapping(UUID=mapping["UUID"])


def test_queue_attributes_stay_when_others_are_set(client: Client) -> None:
    sqs = client("sqs")
    letters = sqs.create_queue(QueueName="letters")["QueueUrl"]
    url = sqs.create_queue(QueueName="things")["QueueUrl"]
    dead = f"arn:aws:sqs:{REGION}:{ACCOUNT}:letters"
    policy = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*"}]})
    allow = json.dumps({"redrivePermission": "denyAll"})
    redrive = {"deadLetterTargetArn": dead, "maxReceiveCount": 3}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy, "RedrivePolicy": json.dumps(redrive)})
    sqs.set_queue_attributes(QueueUrl=letters, Attributes={"RedriveAllowPolicy": allow})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "3"})

    def attributes(queue: str) -> Any:
        return sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["All"])["Attributes"]

    assert attributes(url)["Policy"] == policy
    assert attributes(url)["RedrivePolicy"] == json.dumps(redrive, separators=(",", ":"))
    assert attributes(letters)["RedriveAllowPolicy"] == allow
    sqs.set_queue_attributes(QueueUrl=letters, Attributes={"RedriveAllowPolicy": ""})
    assert "RedriveAllowPolicy" not in attributes(letters)


def tls_only(bucket: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def bucket(client: Client, name: str, *statements: dict[str, Any]) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))


def test_a_bucket_that_wants_tls_can_be_used(client: Client) -> None:
    bucket(client, "tls-only", tls_only("tls-only"))
    client("s3").put_object(Bucket="tls-only", Key="a", Body=b"x")
    assert client("s3").get_object(Bucket="tls-only", Key="a")["Body"].read() == b"x"


def test_a_bucket_that_denies_all_still_does(client: Client) -> None:
    bucket(
        client, "closed", {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::closed/*"}
    )
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        client("s3").get_object(Bucket="closed", Key="a")


def test_access_logs_into_a_bucket_that_wants_tls(client: Client) -> None:
    delivery = {
        "Effect": "Allow",
        "Principal": {"Service": "logging.s3.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": "arn:aws:s3:::logs/*",
    }
    bucket(client, "logged", tls_only("logged"))
    bucket(client, "logs", tls_only("logs"), delivery)
    target = {"LoggingEnabled": {"TargetBucket": "logs", "TargetPrefix": "s3/"}}
    client("s3").put_bucket_logging(Bucket="logged", BucketLoggingStatus=target)
    assert client("s3").get_bucket_logging(Bucket="logged")["LoggingEnabled"]["TargetBucket"] == "logs"
    with pytest.raises(ClientError):
        client("s3").put_bucket_logging(
            Bucket="logs", BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": "logged", "TargetPrefix": ""}}
        )


def test_a_build_project_of_a_pipeline(client: Client) -> None:
    codebuild = client("codebuild")
    environment = {"type": "ARM_CONTAINER", "image": "image", "computeType": "BUILD_GENERAL1_SMALL"}
    project = {
        "name": "things",
        "source": {"type": "CODEPIPELINE", "buildspec": "buildspec.yml"},
        "artifacts": {"type": "CODEPIPELINE"},
        "environment": environment,
        "serviceRole": ROLE,
        "encryptionKey": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k",
    }
    codebuild.create_project(**project)

    def get() -> Any:
        return codebuild.batch_get_projects(names=["things"])["projects"][0]

    assert {name: get()[name] for name in project} == project
    assert (get()["timeoutInMinutes"], get()["queuedTimeoutInMinutes"]) == (60, 480)
    codebuild.update_project(name="things", timeoutInMinutes=5, description="Builds")
    assert (get()["timeoutInMinutes"], get()["description"]) == (5, "Builds")
    assert get()["source"] == project["source"]
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        codebuild.update_project(name="other", timeoutInMinutes=5)
    codebuild.delete_project(name=get()["arn"])
    assert codebuild.list_projects()["projects"] == []


def test_a_pipeline_tells_when_it_was_made(client: Client) -> None:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "codepipeline.amazonaws.com"}}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = client("iam").create_role(RoleName="pipeline", AssumeRolePolicyDocument=policy)["Role"]["Arn"]

    def stage(name: str, category: str, provider: str) -> dict[str, Any]:
        kind = {"category": category, "owner": "AWS", "provider": provider, "version": "1"}
        return {"name": name, "actions": [{"name": name, "actionTypeId": kind}]}

    api = client("codepipeline")
    stages = [stage("Source", "Source", "S3"), stage("Approve", "Approval", "Manual")]
    store = {"type": "S3", "location": "bucket"}
    api.create_pipeline(pipeline={"name": "things", "roleArn": arn, "artifactStore": store, "stages": stages})
    # boto3 takes text as well as numbers; what is on the wire has to be a number, as the SDK for Go asks.
    wire: list[bytes] = []
    api.meta.events.register(
        "after-call.codepipeline.GetPipeline", lambda http_response, **_: wire.append(http_response.content)
    )
    api.get_pipeline(name="things")
    assert isinstance(json.loads(wire[0])["metadata"]["created"], float)


def test_a_rule_for_a_group_or_a_prefix_list_keeps_its_description(client: Client) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="things", Description="things", VpcId=vpc)["GroupId"]
    prefix = ec2.describe_managed_prefix_lists()["PrefixLists"][0]["PrefixListId"]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {**https, "UserIdGroupPairs": [{"GroupId": group, "Description": "by group"}]},
            {**https, "PrefixListIds": [{"PrefixListId": prefix, "Description": "by prefix"}]},
            {**https, "IpRanges": [{"CidrIp": "10.0.0.0/16", "Description": "by block"}]},
        ],
    )
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    described = {rule.get("Description") for rule in rules if not rule["IsEgress"]}
    assert described == {"by group", "by prefix", "by block"}


def test_whether_privatelink_is_asked_for_a_rule_stays_as_it_was_set(client: Client) -> None:
    ec2, elbv2 = client("ec2"), client("elbv2")
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.8.{number}.0/24", AvailabilityZone=f"{REGION}{zone}")
        for number, zone in enumerate("ab")
    ]
    group = ec2.create_security_group(GroupName="link", Description="link", VpcId=vpc)["GroupId"]
    arguments = {"Subnets": [each["Subnet"]["SubnetId"] for each in subnets], "SecurityGroups": [group]}

    def asked(arn: str) -> Any:
        (balancer,) = elbv2.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
        return balancer.get("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic")

    created = elbv2.create_load_balancer(Name="link", Type="network", Scheme="internal", **arguments)
    link = created["LoadBalancers"][0]["LoadBalancerArn"]
    assert asked(link) == "on"
    answer = elbv2.set_security_groups(
        LoadBalancerArn=link, SecurityGroups=[group], EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic="off"
    )
    assert answer["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] == asked(link) == "off"
    elbv2.set_security_groups(LoadBalancerArn=link, SecurityGroups=[group])
    assert asked(link) == "off"

    created = elbv2.create_load_balancer(Name="web", Type="application", **arguments)
    assert asked(created["LoadBalancers"][0]["LoadBalancerArn"]) is None
