"""Each architecture alone, with a domain and without: applies, plans clean, leaves nothing behind."""

import sys
from typing import Any

import pytest

from terraform_cycle.cycle import DOMAIN, Cycle

DEPLOYMENTS: dict[str, dict[str, Any]] = {
    "lambda": {"architectures": ["lambda"]},
    "lambda-domain": {"architectures": ["lambda"], "root_domain": DOMAIN},
    "fargate": {"architectures": ["fargate"]},
    "fargate-domain": {"architectures": ["fargate"], "root_domain": DOMAIN},
    "events-domain": {"architectures": ["events"], "root_domain": DOMAIN},
    "publish-domain": {"architectures": ["publish"], "root_domain": DOMAIN},
    "private": {"architectures": ["fargate", "private"]},
    "private-domain": {
        "architectures": ["fargate", "private"],
        "root_domain": DOMAIN,
        "private": {"open_stages": ["dev", "test", "stage", "prod"]},
    },
    "both": {"architectures": ["lambda", "fargate"]},
}


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_deployment_applies_plans_clean_and_leaves_nothing(name: str) -> None:
    cycle = Cycle(name, **DEPLOYMENTS[name])
    try:
        cycle.terraform.apply()
        assert cycle.terraform.plan() == {}
        assert len(cycle.leftovers()) > 10
        cycle.terraform.destroy()
        assert cycle.leftovers() == []
    finally:
        cycle.end()
        print(f"\n{name}:", ", ".join(cycle.terraform.timings), file=sys.stderr)
