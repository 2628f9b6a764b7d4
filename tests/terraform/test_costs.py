"""Infracost's usage files against the plan: what they name exists, what is priced by use is named and reasoned.

Infracost itself needs an account with its makers, so it is not run here.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LEVELS = ["low", "medium", "high"]

# Type → its keys, nested: what Infracost takes in a usage file.
KNOWN: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "infracost_keys.json").read_text())["types"]

# Has a usage entry of any name and no resource: data transfer is billed by region.
WITHOUT_RESOURCE = "aws_data_transfer"


def usage(level: str) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load((ROOT / "usage" / f"{level}.yml").read_text())
    assert document["version"] == 0.1
    entries: dict[str, dict[str, Any]] = document["resource_usage"]
    return entries


def type_of(address: str) -> str:
    """`module.x[0].aws_lb.this["a"]` → `aws_lb`."""
    without_keys = re.sub(r"\[[^]]*\]", "", address)
    return without_keys.split(".")[-2]


@pytest.fixture(scope="module")
def planned(first_plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Address → what is planned of every resource that Terraform would make."""
    return {
        change["address"]: {"type": change["type"], **change["change"]["after"]}
        for change in first_plan["resource_changes"]
        if change["mode"] == "managed"
    }


@pytest.mark.parametrize("level", LEVELS)
def test_every_address_is_planned(level: str, planned: dict[str, Any]) -> None:
    gone = [address for address in usage(level) if type_of(address) != WITHOUT_RESOURCE and address not in planned]
    assert gone == []


@pytest.mark.parametrize("level", LEVELS)
def test_every_key_is_one_that_infracost_knows_for_that_type(level: str) -> None:
    unknown = [
        f"{address}: {key}"
        for address, keys in usage(level).items()
        for key in unknown_keys(keys, KNOWN.get(type_of(address), {}))
    ]
    assert unknown == []


def unknown_keys(keys: dict[str, Any], known: dict[str, Any] | None) -> Iterator[str]:
    for key, value in keys.items():
        if known is None or key not in known:
            yield key
        elif isinstance(value, dict):
            yield from (f"{key}.{inner}" for inner in unknown_keys(value, known[key]))


@pytest.mark.parametrize("level", LEVELS)
def test_every_resource_that_is_priced_by_use_has_an_assumption(level: str, planned: dict[str, dict[str, Any]]) -> None:
    priced = {address for address, resource in planned.items() if resource["type"] in KNOWN and not is_free(resource)}
    assert len(priced) > 20
    assert priced - usage(level).keys() == set()


def is_free(resource: dict[str, Any]) -> bool:
    # Gateway endpoints cost neither by the hour nor by the byte.
    return (resource["type"], resource.get("vpc_endpoint_type")) == ("aws_vpc_endpoint", "Gateway")


def test_the_levels_assume_about_the_same_things_and_rise() -> None:
    def numbers(level: str) -> dict[tuple[str, ...], float]:
        return dict(flat(usage(level)))

    low, medium, high = (numbers(level) for level in LEVELS)
    assert low.keys() == medium.keys() == high.keys()
    assert [key for key in low if not low[key] <= medium[key] <= high[key]] == []
    assert [key for key in low if low[key] < high[key]], "the levels differ"


def flat(entries: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], float]]:
    for key, value in entries.items():
        if isinstance(value, dict):
            yield from flat(value, (*path, key))
        elif isinstance(value, int | float):
            yield (*path, key), value


@pytest.mark.parametrize("level", LEVELS)
def test_every_assumption_has_its_reason_above_it(level: str) -> None:
    lines = (ROOT / "usage" / f"{level}.yml").read_text().splitlines()
    entries = [number for number, line in enumerate(lines) if line.startswith("  ") and line[2] not in " #"]
    assert len(entries) == len(usage(level))
    assert [lines[number] for number in entries if not lines[number - 1].startswith("  # ")] == []


def test_the_config_file_has_a_project_for_each_level() -> None:
    config = yaml.safe_load((ROOT / "infracost.yml").read_text())
    assert [project["name"] for project in config["projects"]] == LEVELS
    for project in config["projects"]:
        assert project["path"] == "terraform"
        assert project["usage_file"] == f"usage/{project['name']}.yml"
        # Infracost looks for these from the project's folder on.
        assert all((ROOT / project["path"] / file).is_file() for file in project["terraform_var_files"])


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("aws_data_transfer.internet", "aws_data_transfer"),
        ('module.network[0].aws_nat_gateway.this["a"]', "aws_nat_gateway"),
        ('module.domain["a.b"].module.x.aws_route53_record.validation', "aws_route53_record"),
    ],
)
def test_the_type_is_read_off_an_address(address: str, expected: str) -> None:
    assert type_of(address) == expected
