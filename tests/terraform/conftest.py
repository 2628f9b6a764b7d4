"""The whole root, everything switched on, planned once against a control plane of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harness.control_plane import ROOT
from terraform_cycle.cycle import Cycle

# Also what Infracost is given: what is priced is what is planned here.
VARIABLES = json.loads((ROOT / "usage" / "terraform.tfvars.json").read_text())

TASK_DEFINITION = "module.fargate[0].aws_ecs_task_definition.this"


@pytest.fixture(scope="session")
def deployment() -> Iterator[Cycle]:
    """A fresh account with nothing deployed in it."""
    cycle = Cycle("checks", **VARIABLES)
    try:
        with cycle.terraform.one_provider():
            yield cycle
    finally:
        cycle.end()


@pytest.fixture(scope="session")
def first_plan(deployment: Cycle) -> dict[str, Any]:
    """The plan of the first apply, as JSON."""
    return deployment.terraform.plan_document()


@pytest.fixture(scope="session")
def applied_task_definition(deployment: Cycle, first_plan: dict[str, Any]) -> dict[str, Any]:
    """The task definition, with what it needs (roles, key, repository) applied and nothing else; as ECS describes it.
    `first_plan` is asked for so that it is made before."""
    deployment.terraform.apply(TASK_DEFINITION)
    ecs = deployment.client("ecs")
    (arn,) = ecs.list_task_definitions()["taskDefinitionArns"]
    described: dict[str, Any] = ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]
    return described
