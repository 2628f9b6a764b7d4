"""A release of the container, blue to green, by the command that a person uses."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from harness import http
from harness.control_plane import ROOT, client
from harness.make_local import MakeLocal

RELEASE_SECONDS = 300


@pytest.fixture
def endpoints(deployed: MakeLocal) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(deployed.endpoints.read_text())
    return document


def service(ecs: Any) -> dict[str, Any]:
    cluster = ecs.list_clusters()["clusterArns"][0]
    arns = ecs.list_services(cluster=cluster)["serviceArns"]
    services = ecs.describe_services(cluster=cluster, services=arns)["services"]
    described: dict[str, Any]
    (described,) = [each for each in services if each["deploymentController"]["type"] == "CODE_DEPLOY"]
    return described


def primary(ecs: Any) -> str:
    return next(str(tasks["taskDefinition"]) for tasks in service(ecs)["taskSets"] if tasks["status"] == "PRIMARY")


def test_a_release_is_watched_to_its_end(deployed: MakeLocal, endpoints: dict[str, Any]) -> None:
    ecs = client(endpoints["control_plane"], "ecs")
    before = primary(ecs)
    done = subprocess.run(
        [sys.executable, "-m", "local.up.deploy", "--endpoints", str(deployed.endpoints), "--tag", "next"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=RELEASE_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line.partition("] ")[2] for line in done.stdout.splitlines()]
    for event in ("Install: Succeeded", "AllowTraffic: Succeeded", "Succeeded"):
        assert event in told, done.stdout

    assert primary(ecs) != before
    definition = ecs.describe_task_definition(taskDefinition=primary(ecs))["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"].endswith(":next")
    door = next(endpoint for endpoint in endpoints["endpoints"] if endpoint["name"] == "fargate-alb")
    headers = {**door["headers"], "Content-Type": "application/json"}
    response = http.request(door["url"], "POST", "/string/replace", headers, b'{"content": "rabo"}')
    assert (response.status, response.json()) == (200, {"message": "Rabobank"})
