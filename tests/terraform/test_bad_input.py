"""Every input of the root that is out of its range is refused, each with a sentence that says what is right."""

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
    "network": {"nat_gateways": "none"},
    "fargate": {"container": {"cpu": 256, "memory": 8192}, "scaling": {"minimum": 5, "maximum": 4}},
    "repository": {"full_name": "https://github.com/example/switchyard"},
    "lambda_packages": "nowhere",
}
REFUSED_BELOW = [
    "nat_gateways must be single or per-zone.",
    "container.cpu and container.memory must be a pair that Fargate has",
    "scaling.minimum must be at least 1",
    "repository.full_name must be owner/name, such as example/switchyard: not a URL.",
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


def in_one_line(message: str) -> str:
    """Terraform wraps its messages and draws a line beside them."""
    return " ".join(message.replace("│", " ").split())
