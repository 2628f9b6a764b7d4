"""Every input of the root that is out of its range is refused, each with a sentence that says what is right.

A plan takes seconds, and Terraform checks every variable before it stops: so there are few, each with as much that is
wrong as can be wrong at once. What is wrong with one variable hides what is wrong with those whose rules ask for it:
architectures hides network and external_services, each of these hides the next, and the last hides private.
"""

from typing import Any, NamedTuple

import pytest

from terraform_cycle.cycle import Cycle


class Plan(NamedTuple):
    variables: dict[str, Any]
    messages: list[str]
    """What must be said, all of it."""


PLANS = {
    "values": Plan(
        {
            "identifier": "Switch_Yard",
            "environment": "staging",
            "region": "Ireland",
            "root_domain": "https://example.com/",
            "notification_email": "ops",
            "log_retention_days": 31,
            "mapping_source": "file",
            "rate_limit": 9,
            "lambda_architecture": "arm",
            "publish": {
                "stage_name": "1",
                "authorization_header": "Auth Details",
                "authorization_ttl_seconds": 3601,
            },
            "network": {"nat_gateways": "none", "interface_endpoints": ["ssm"]},
        },
        [
            "identifier must be 2 to 14 lower-case letters, digits and single hyphens",
            "environment must be one of test, acceptance, production.",
            "region must be an AWS region's code, such as eu-west-1.",
            "root_domain must be a lower-case domain name without a trailing dot",
            "notification_email must be an e-mail address.",
            "log_retention_days must be one that CloudWatch Logs has",
            "mapping_source must be parameter or table.",
            "rate_limit must be 10 to 2,000,000,000",
            "lambda_architecture must be arm64 or x86_64.",
            # An alias of a function cannot begin with a digit.
            "publish.stage_name must be letters, digits and underscores, and not begin with a digit.",
            "publish.authorization_header must be a header's name",
            "publish.authorization_ttl_seconds must be 0 to 3600: API Gateway's range.",
            "network.nat_gateways may be none beside fargate only if network.interface_endpoints has ecr.api",
        ],
    ),
    "architectures, an API without any address": Plan(
        {
            "architectures": ["lambda", "mainframe", "private"],
            "root_domain": None,
            "api_gateway": {"default_endpoint": False},
        },
        [
            "architectures must name at least one of lambda, fargate",
            "architectures must have fargate beside private: its containers are what the VPC link leads to.",
            "api_gateway.default_endpoint may be false only with a root_domain",
        ],
    ),
    "services outside AWS without private and a fixed address": Plan(
        {
            "architectures": ["fargate"],
            "external_services": {"billing": {"port": 9001, "upstream": "https://billing.example.com"}},
            "network": {"nat_gateways": "none", "interface_endpoints": ["ssm", "ecr.api", "ecr.dkr", "logs"]},
        },
        [
            "external_services needs private among the architectures",
            "external_services needs a NAT gateway, whose fixed address the remote firewall can admit",
        ],
    ),
    "private": Plan(
        {
            "architectures": ["fargate", "private"],
            "private": {
                "stages": {"Prod": {"port": 8000, "rate_limit": 0}, "dev": {"port": 8000}},
                "open_stages": ["prod"],
                "cors": {"origins": ["*", "app.example.com"], "max_age_seconds": 100000},
                "authorization_ttl_seconds": 3601,
            },
        },
        [
            "private.stages must have at least one stage, each named by up to 20 lower-case letters and digits",
            "private.stages and external_services must each have a port of their own",
            "private.stages must have a rate_limit and a burst_limit above 0",
            "private.open_stages must name stages of private.stages.",
            "private.cors.origins must be different origins as browsers send them: https://app.example.com",
            "private.cors.origins must not have * beside other origins or with credentials",
            "private.cors.max_age_seconds must be a whole number from 0 to 86400",
            "private.authorization_ttl_seconds must be 0 to 3600: API Gateway's range.",
        ],
    ),
    # Handed on by the root, and refused by the module that they are for.
    "values for modules": Plan(
        {
            "network": {
                "availability_zones": ["eu-west-1a", "eu-west-1a"],
                "cidr_block": "10.0.0.0/24",
                "nat_gateways": "two",
                "interface_endpoints": ["s3"],
            },
            "fargate": {
                "image_tag": "registry.example.com/app:1",
                "container": {
                    "cpu_architecture": "arm64",
                    "cpu": 256,
                    "memory": 8192,
                    "drain_seconds": 111,
                    "mapping_refresh_seconds": 0,
                },
                "scaling": {"minimum": 5, "maximum": 4, "target_percent": 100},
                "api_key": {"version": 0, "parameter_arn": "/mine/key"},
                "test_listener_cidr_blocks": ["192.0.2.1"],
                "release": {"traffic": "AllAtOnce", "keep_blue_minutes": 3000},
            },
            "repository": {
                "full_name": "https://github.com/example/switchyard",
                "connection_arn": "arn:aws:iam::123456789012:role/x",
            },
            "lambda_packages": "nowhere",
            "private": {"allowed_cidr_blocks": ["0.0.0.0/0"], "contact": "x" * 201},
            "external_services": {
                "Billing": {
                    "port": 443,
                    "upstream": "http://billing.example.com/path",
                    "server_name": "*.example.com",
                    "certificate_authority": "ca.pem",
                }
            },
            "proxy_image": "public.ecr.aws/nginx/nginx",
        },
        [
            "availability_zones must name exactly two different zones",
            "cidr_block must be an IPv4 block from /16 to /22, such as 10.0.0.0/16.",
            "nat_gateways must be none, single or per-zone.",
            "interface_endpoints must not name s3 or dynamodb: they have gateway endpoints",
            "image_tag must be a tag: up to 128 letters, digits",
            "container.cpu_architecture must be ARM64 or X86_64.",
            "container.cpu and container.memory must be a pair that Fargate has",
            "container.drain_seconds must be 1 to 110",
            "container.mapping_refresh_seconds must be at least 1.",
            "scaling.minimum must be at least 1",
            "scaling.target_percent must be 10 to 90.",
            "api_key.version must be a whole number from 1 on.",
            "api_key.parameter_arn must be the ARN of an SSM parameter",
            "test_listener_cidr_blocks must be IPv4 blocks, such as 192.0.2.0/24.",
            "release.traffic must be one of CodeDeployDefault.ECSAllAtOnce",
            "release.keep_blue_minutes must be 0 to 2880",
            "repository.full_name must be owner/name, such as example/switchyard: not a URL.",
            "repository.connection_arn must be the ARN of a connection",
            "There is no nowhere/string-replace.zip: build it with",
            "allowed_cidr_blocks must be blocks such as 192.0.2.0/24, 192.0.2.1/32 or 2001:db8::/32",
            "contact must be 1 to 200 characters.",
            "A service's name must be lower-case letters, digits and single hyphens",
            "A service's port must be a whole number from 1024 (below it only root may listen) to 65535",
            "A service's upstream must be https://host or https://host:port",
            "A service's server_name must be the host name in its certificate",
            "A service's certificate_authority must be one certificate or more as PEM",
            "image must be an nginx image with a version's tag (not latest) or a digest",
        ],
    ),
}


@pytest.mark.parametrize("name", PLANS)
def test_what_is_wrong_is_refused_with_what_would_be_right(name: str, deployment: Cycle) -> None:
    variables, messages = PLANS[name]
    with pytest.raises(AssertionError) as refused:
        deployment.terraform.plan(**variables)
    said = in_one_line(str(refused.value))
    assert [message for message in messages if message not in said] == []
    # Whoever quotes the beginning quotes an error.
    assert said.startswith("terraform plan ended with 1: Error: ")


def in_one_line(message: str) -> str:
    """Terraform wraps its messages and draws a line beside them."""
    return " ".join(message.replace("│", " ").split())
