"""Everything that exists in the control plane, as a set of names: what is left over can be seen, whoever made it."""

from collections.abc import Callable, Iterator
from typing import Any

Client = Callable[[str], Any]


def inventory(client: Client) -> set[str]:
    """Every resource of the kinds that the root makes, as `service kind: name`. What AWS has in every account (its own
    policies, the default VPC, the buses and keys of its services) is left out."""
    return {f"{kind}: {name}" for kind, names in KINDS.items() for name in names(client)}


def _paged(
    service: str, operation: str, member: str, key: str | None, **arguments: Any
) -> Callable[[Client], Iterator[str]]:
    """List `member` of `operation`, and of each item its `key` (None: the items are names)."""

    def names(client: Client) -> Iterator[str]:
        api = client(service)
        call = getattr(api, operation)
        pages = (
            api.get_paginator(operation).paginate(**arguments) if api.can_paginate(operation) else [call(**arguments)]
        )
        for page in pages:
            for item in page.get(member, []):
                yield str(item[key] if key else item)

    return names


def _vpcs(client: Client) -> Iterator[str]:
    yield from (vpc["VpcId"] for vpc in client("ec2").describe_vpcs()["Vpcs"] if not vpc["IsDefault"])


def _in_own_vpcs(operation: str, member: str, key: str) -> Callable[[Client], Iterator[str]]:
    """Parts of a VPC other than the default one."""

    def names(client: Client) -> Iterator[str]:
        own = set(_vpcs(client))
        for item in getattr(client("ec2"), operation)()[member]:
            vpcs = {item.get("VpcId"), *(attachment.get("VpcId") for attachment in item.get("Attachments", []))}
            if vpcs & own:
                yield item[key]

    return names


def _api_gateway_log_role(client: Client) -> Iterator[str]:
    """A setting of the account, not a resource; left behind, it names a role that is gone."""
    if role := client("apigateway").get_account().get("cloudwatchRoleArn"):
        yield role


def _open_nat_gateways(client: Client) -> Iterator[str]:
    for gateway in client("ec2").describe_nat_gateways()["NatGateways"]:
        if gateway["State"] != "deleted":
            yield gateway["NatGatewayId"]


def _open_endpoints(client: Client) -> Iterator[str]:
    for endpoint in client("ec2").describe_vpc_endpoints()["VpcEndpoints"]:
        if endpoint["State"] != "deleted":
            yield endpoint["VpcEndpointId"]


def _active_clusters(client: Client) -> Iterator[str]:
    ecs = client("ecs")
    # A deleted cluster is listed for a while, as INACTIVE.
    for cluster in ecs.describe_clusters(clusters=ecs.list_clusters()["clusterArns"])["clusters"]:
        if cluster["status"] == "ACTIVE":
            yield cluster["clusterArn"]


def _active_services(client: Client) -> Iterator[str]:
    ecs = client("ecs")
    for cluster in _active_clusters(client):
        yield from ecs.list_services(cluster=cluster)["serviceArns"]


def _own_policies(client: Client) -> Iterator[str]:
    yield from _paged("iam", "list_policies", "Policies", "Arn", Scope="Local")(client)


def _records(client: Client) -> Iterator[str]:
    route53 = client("route53")
    for zone in route53.list_hosted_zones()["HostedZones"]:
        for record in route53.list_resource_record_sets(HostedZoneId=zone["Id"])["ResourceRecordSets"]:
            yield f"{record['Type']} {record['Name']}"


def _own_keys(client: Client) -> Iterator[str]:
    kms = client("kms")
    of_services = {alias["TargetKeyId"] for alias in kms.list_aliases()["Aliases"] if _is_of_a_service(alias)}
    for key in kms.list_keys()["Keys"]:
        # A key cannot be deleted at once: it waits for at least a week.
        pending = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"
        if key["KeyId"] not in of_services and not pending:
            yield key["KeyId"]


def _own_aliases(client: Client) -> Iterator[str]:
    for alias in client("kms").list_aliases()["Aliases"]:
        if not _is_of_a_service(alias):
            yield alias["AliasName"]


def _is_of_a_service(alias: dict[str, str]) -> bool:
    return alias["AliasName"].startswith("alias/aws/") and "TargetKeyId" in alias


def _rule_targets(client: Client) -> Iterator[str]:
    events = client("events")
    for rule in events.list_rules()["Rules"]:
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
            yield f"{rule['Name']}/{target['Id']}"


def _deployment_groups(client: Client) -> Iterator[str]:
    codedeploy = client("codedeploy")
    for application in codedeploy.list_applications()["applications"]:
        yield application
        yield from codedeploy.list_deployment_groups(applicationName=application)["deploymentGroups"]


KINDS: dict[str, Callable[[Client], Iterator[str]]] = {
    "API Gateway REST API": _paged("apigateway", "get_rest_apis", "items", "name"),
    "API Gateway key": _paged("apigateway", "get_api_keys", "items", "name"),
    "API Gateway usage plan": _paged("apigateway", "get_usage_plans", "items", "name"),
    "API Gateway domain": _paged("apigateway", "get_domain_names", "items", "domainName"),
    "API Gateway role for logs": _api_gateway_log_role,
    "API Gateway VPC link": _paged("apigateway", "get_vpc_links", "items", "name"),
    "ACM certificate": _paged("acm", "list_certificates", "CertificateSummaryList", "DomainName"),
    "auto scaling target": _paged(
        "application-autoscaling", "describe_scalable_targets", "ScalableTargets", "ResourceId", ServiceNamespace="ecs"
    ),
    "auto scaling policy": _paged(
        "application-autoscaling", "describe_scaling_policies", "ScalingPolicies", "PolicyName", ServiceNamespace="ecs"
    ),
    "CloudWatch alarm": _paged("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "CloudWatch composite alarm": _paged("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    "CloudWatch dashboard": _paged("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "CodeBuild project": _paged("codebuild", "list_projects", "projects", None),
    "CodeConnections connection": _paged("codeconnections", "list_connections", "Connections", "ConnectionName"),
    "CodeStar connection": _paged("codestar-connections", "list_connections", "Connections", "ConnectionName"),
    "CodeDeploy application or group": _deployment_groups,
    "CodePipeline pipeline": _paged("codepipeline", "list_pipelines", "pipelines", "name"),
    "notification rule": _paged("codestar-notifications", "list_notification_rules", "NotificationRules", "Arn"),
    "DynamoDB table": _paged("dynamodb", "list_tables", "TableNames", None),
    "ECR repository": _paged("ecr", "describe_repositories", "repositories", "repositoryName"),
    "ECS cluster": _active_clusters,
    "ECS service": _active_services,
    "ECS task definition": _paged("ecs", "list_task_definitions", "taskDefinitionArns", None, status="ACTIVE"),
    "Elastic IP": _paged("ec2", "describe_addresses", "Addresses", "AllocationId"),
    "event rule": _paged("events", "list_rules", "Rules", "Name"),
    "event target": _rule_targets,
    "IAM policy": _own_policies,
    "IAM role": _paged("iam", "list_roles", "Roles", "RoleName"),
    "KMS alias": _own_aliases,
    "KMS key": _own_keys,
    "Lambda event source mapping": _paged("lambda", "list_event_source_mappings", "EventSourceMappings", "UUID"),
    "Lambda function": _paged("lambda", "list_functions", "Functions", "FunctionName"),
    "load balancer": _paged("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName"),
    "target group": _paged("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupName"),
    "log group": _paged("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "log metric filter": _paged("logs", "describe_metric_filters", "metricFilters", "filterName"),
    "log resource policy": _paged("logs", "describe_resource_policies", "resourcePolicies", "policyName"),
    "log query": _paged("logs", "describe_query_definitions", "queryDefinitions", "name"),
    "Route 53 record": _records,
    "Route 53 zone": _paged("route53", "list_hosted_zones", "HostedZones", "Name"),
    "S3 bucket": _paged("s3", "list_buckets", "Buckets", "Name"),
    "secret": _paged("secretsmanager", "list_secrets", "SecretList", "Name"),
    "SNS subscription": _paged("sns", "list_subscriptions", "Subscriptions", "SubscriptionArn"),
    "SNS topic": _paged("sns", "list_topics", "Topics", "TopicArn"),
    "SQS queue": _paged("sqs", "list_queues", "QueueUrls", None),
    "SSM parameter": _paged("ssm", "describe_parameters", "Parameters", "Name"),
    "VPC": _vpcs,
    "VPC endpoint": _open_endpoints,
    "VPC flow log": _paged("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    "VPC internet gateway": _in_own_vpcs("describe_internet_gateways", "InternetGateways", "InternetGatewayId"),
    "VPC NAT gateway": _open_nat_gateways,
    "VPC route table": _in_own_vpcs("describe_route_tables", "RouteTables", "RouteTableId"),
    "VPC security group": _in_own_vpcs("describe_security_groups", "SecurityGroups", "GroupId"),
    "VPC subnet": _in_own_vpcs("describe_subnets", "Subnets", "SubnetId"),
    "web ACL": _paged("wafv2", "list_web_acls", "WebACLs", "Name", Scope="REGIONAL"),
    "web ACL IP set": _paged("wafv2", "list_ip_sets", "IPSets", "Name", Scope="REGIONAL"),
}
