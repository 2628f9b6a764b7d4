"""The one contract, unchanged, behind every front door that `make local` serves; and what names the front doors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness import http
from harness.contract_suite import assert_kept
from harness.make_local import MakeLocal

CONTRACT_SECONDS = 600

KINDS = {
    "lambda-test": "gateway",
    "lambda-prod": "gateway",
    "lambda-test-domain": "gateway",
    "lambda-prod-domain": "gateway",
    "fargate-alb": "alb",
    "fargate-container": "container",
    **{f"private-{stage}{way}": "private" for stage in ("dev", "test", "stage", "prod") for way in ("", "-domain")},
}
"""Name of a front door → what stands there, which says which cases of the contract hold."""

SERVES_REPLACE = {"lambda", "fargate", "private"}


@pytest.fixture(scope="module")
def endpoints(deployed: MakeLocal) -> dict[str, dict[str, Any]]:
    document = json.loads(deployed.endpoints.read_text())
    assert document["control_plane"].startswith("http://127.0.0.1:")
    assert document["gateway"].startswith("http://127.0.0.1:")
    return {endpoint["name"]: endpoint for endpoint in document["endpoints"]}


def test_every_front_door_is_named(endpoints: dict[str, dict[str, Any]]) -> None:
    """So that none of those that serve the contract is left out below."""
    assert {name for name, endpoint in endpoints.items() if endpoint["architecture"] in SERVES_REPLACE} == set(KINDS)
    assert {endpoint["architecture"] for endpoint in endpoints.values()} == SERVES_REPLACE | {"events", "publish"}


def test_every_front_door_is_in_the_table(deployed: MakeLocal, endpoints: dict[str, dict[str, Any]]) -> None:
    for endpoint in endpoints.values():
        # The table is printed again when a release has moved the containers.
        *_, line = [line for line in deployed.stdout if line.strip().startswith(f"{endpoint['name']} ")]
        assert endpoint["url"] in line


WORKS = {
    "lambda": ("/string/replace", 200),
    "fargate": ("/string/replace", 200),
    "events": ("/events", 200),
    "publish": ("/publish", 202),
    "private": ("/string/replace", 200),
}
"""Architecture → the path after a front door's address, and what a request there, with its headers, is answered."""


def test_every_front_door_works_as_it_stands(endpoints: dict[str, dict[str, Any]]) -> None:
    for endpoint in endpoints.values():
        path, status = WORKS[endpoint["architecture"]]
        headers = {"content-type": "application/json", **endpoint["headers"]}
        answer = http.request(endpoint["url"], "POST", path, headers, b'{"content": "ABN"}')
        assert answer.status == status, f"{endpoint['name']}: {answer.status} {answer.body!r}"


@pytest.mark.parametrize("name", KINDS)
def test_the_contract(endpoints: dict[str, dict[str, Any]], name: str) -> None:
    endpoint = endpoints[name]
    assert_kept(endpoint["url"], KINDS[name], endpoint["headers"], CONTRACT_SECONDS)


def test_events_are_taken(endpoints: dict[str, dict[str, Any]]) -> None:
    doors = [endpoint for endpoint in endpoints.values() if endpoint["architecture"] == "events"]
    assert doors
    for door in doors:
        headers = {**door["headers"], "Content-Type": "application/json"}
        response = http.request(door["url"], "POST", "/events", headers, b'{"a": 1}')
        assert response.status == 200, response.body
