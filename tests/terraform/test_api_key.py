"""The container's API key is where it is needed, and nowhere that Terraform writes to."""

import json
import zipfile
from typing import Any

import pytest

from harness.terraform import planned_changes
from terraform_cycle.cycle import Cycle

PARAMETER = "module.fargate[0].aws_ssm_parameter.api_key[0]"


@pytest.fixture(scope="module")
def key(deployment: Cycle, applied_task_definition: dict[str, Any]) -> str:
    """The key as an operator reads it, through the reference that the task definition has."""
    (secret,) = applied_task_definition["containerDefinitions"][0]["secrets"]
    assert secret["name"] == "API_KEY"
    return read(deployment, secret["valueFrom"])


@pytest.fixture(scope="module")
def second_plan(deployment: Cycle, key: str) -> dict[str, Any]:
    return deployment.terraform.plan_document()


def read(deployment: Cycle, parameter: str) -> str:
    name = parameter.partition(":parameter")[2]
    answer = deployment.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]
    assert answer["Type"] == "SecureString"
    value: str = answer["Value"]
    return value


def test_it_is_long_and_fits_into_a_header(key: str) -> None:
    assert len(key) == 40
    assert key.isascii()
    assert key.isalnum()


def test_the_first_plan_has_no_value_for_it(first_plan: dict[str, Any]) -> None:
    (change,) = [change for change in first_plan["resource_changes"] if change["address"] == PARAMETER]
    assert change["change"]["after"]["value_wo"] is None
    assert change["change"]["after"].get("value") is None
    assert change["change"]["after"]["value_wo_version"] == 1


def test_it_is_in_no_state_plan_or_task_definition(
    deployment: Cycle, key: str, second_plan: dict[str, Any], applied_task_definition: dict[str, Any]
) -> None:
    ssm, s3 = deployment.client("ssm"), deployment.client("s3")
    bucket = ssm.get_parameter(Name="/terraform/statefiles/bucket")["Parameter"]["Value"]
    written = {
        f"s3://{bucket}/{item['Key']}": s3.get_object(Bucket=bucket, Key=item["Key"])["Body"].read()
        for item in s3.list_objects_v2(Bucket=bucket)["Contents"]
    }
    assert any(PARAMETER.rpartition(".")[0].rpartition(".")[2].encode() in text for text in written.values())

    written["plan as JSON"] = json.dumps(second_plan).encode()
    with zipfile.ZipFile(deployment.terraform.folder / "plan") as plan:
        written |= {f"plan: {name}": plan.read(name) for name in plan.namelist()}
    written["task definition"] = json.dumps(applied_task_definition, default=str).encode()

    assert [where for where, text in written.items() if key.encode() in text] == []


def test_it_is_replaced_when_its_version_is_raised_and_only_then(
    deployment: Cycle, key: str, second_plan: dict[str, Any]
) -> None:
    assert PARAMETER not in planned_changes(second_plan)

    deployment.terraform.apply(PARAMETER, fargate={"api_key": {"version": 2}})
    (parameter,) = deployment.client("ssm").describe_parameters(
        ParameterFilters=[{"Key": "Name", "Option": "Contains", "Values": ["api-key"]}]
    )["Parameters"]
    assert read(deployment, f":parameter{parameter['Name']}") != key
