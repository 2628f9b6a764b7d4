"""Every input of the root that is out of its range is refused, each with a sentence that says what is right."""

from typing import Any

import pytest

from terraform_cycle.cycle import Cycle

# All at once: Terraform checks every variable before it stops.
BAD = {
    "identifier": ("Switch_Yard", "identifier must be 2 to 14 lower-case letters, digits and single hyphens"),
    "environment": ("staging", "environment must be one of test, acceptance, production."),
    "region": ("Ireland", "region must be an AWS region's code, such as eu-west-1."),
    "architectures": (["lambda", "mainframe"], "architectures must name at least one of lambda, fargate"),
    "root_domain": ("https://example.com/", "root_domain must be a lower-case domain name without a trailing dot"),
    "notification_email": ("ops", "notification_email must be an e-mail address."),
    "log_retention_days": (31, "log_retention_days must be one that CloudWatch Logs has"),
    "mapping_source": ("file", "mapping_source must be parameter or table."),
    "rate_limit": (9, "rate_limit must be 10 to 2,000,000,000"),
    "lambda_architecture": ("arm", "lambda_architecture must be arm64 or x86_64."),
}

# Handed on by the root, and refused by the module that they are for.
BELOW = {
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
}
REFUSED_BELOW = [
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
]


@pytest.fixture(scope="module")
def refusal(deployment: Cycle) -> str:
    with pytest.raises(AssertionError) as refused:
        deployment.terraform.plan(**{name: value for name, (value, _) in BAD.items()})
    return in_one_line(str(refused.value))


@pytest.mark.parametrize("name", BAD)
def test_a_bad_value_is_refused_with_what_would_be_right(name: str, refusal: str) -> None:
    _, message = BAD[name]
    assert message in refusal


@pytest.fixture(scope="module")
def refusal_below(deployment: Cycle) -> str:
    with pytest.raises(AssertionError) as refused:
        deployment.terraform.plan(**BELOW)
    return in_one_line(str(refused.value))


@pytest.mark.parametrize("message", REFUSED_BELOW)
def test_what_a_module_refuses_is_said_as_well(message: str, refusal_below: str) -> None:
    assert message in refusal_below


# Of private, by the root: each group is one plan, and has all of what it refuses.
PRIVATE: list[tuple[dict[str, Any], list[str]]] = [
    (
        {"architectures": ["lambda", "private"]},
        ["architectures must have fargate beside private: its containers are what the VPC link leads to."],
    ),
    (
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
    (
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
    # And by the modules that they are for.
    (
        {
            "architectures": ["fargate", "private"],
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
]


@pytest.mark.parametrize(
    ("variables", "messages"), PRIVATE, ids=["architectures", "root", "external-services", "modules"]
)
def test_bad_input_of_private_is_refused_with_what_would_be_right(
    variables: dict[str, Any], messages: list[str], deployment: Cycle
) -> None:
    with pytest.raises(AssertionError) as refused:
        deployment.terraform.plan(**variables)
    said = in_one_line(str(refused.value))
    assert [message for message in messages if message not in said] == []


def test_an_api_without_any_address_is_refused(deployment: Cycle) -> None:
    with pytest.raises(AssertionError) as refused:
        deployment.terraform.plan(root_domain=None, api_gateway={"default_endpoint": False})
    assert "api_gateway.default_endpoint may be false only with a root_domain" in in_one_line(str(refused.value))


def in_one_line(message: str) -> str:
    """Terraform wraps its messages and draws a line beside them."""
    return " ".join(message.replace("│", " ").split())
