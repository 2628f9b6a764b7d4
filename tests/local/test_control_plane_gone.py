"""The control plane goes and comes back; what was read from it is served all the while."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness import http
from harness.binaries import binary
from harness.control_plane import ControlPlane
from harness.data_plane import DataPlane
from harness.waiting import eventually


def deploy_an_api(client: Callable[[str], Any], message: str) -> str:
    """One that needs nothing but the gateway. Its id."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    document = {
        "openapi": "3.0.1",
        "info": {"title": message, "version": "1"},
        "paths": {"/": {"get": {"responses": {"200": {}}, "x-amazon-apigateway-integration": integration}}},
    }
    api = client("apigateway").import_rest_api(body=json.dumps(document))["id"]
    client("apigateway").create_deployment(restApiId=api, stageName="test")
    return str(api)


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.stop()


@pytest.fixture
def data_plane(control_plane: ControlPlane, tmp_path: Path) -> Iterator[DataPlane]:
    with DataPlane(control_plane.url, tmp_path, binary("fargate-app")) as plane:
        yield plane


def status(data_plane: DataPlane, api: str) -> int:
    return http.request(f"{data_plane.url}/_aws/execute-api/{api}/test", "GET", "/").status


def test_what_was_deployed_is_served_without_it(control_plane: ControlPlane, data_plane: DataPlane) -> None:
    api = deploy_an_api(control_plane.client, "stays")
    eventually("the API is served", lambda: status(data_plane, api) == 200)
    port = control_plane.url.rpartition(":")[2]
    control_plane.process.signal(signal.SIGKILL)
    control_plane.process.wait()
    data_plane.process.wait_for_output("still served")
    assert status(data_plane, api) == 200

    # Another one, at the same address, without anything in it: it is followed again, from its beginning.
    following = ControlPlane(port=int(port))
    try:
        eventually("the API is gone", lambda: status(data_plane, api) == 403)
        other = deploy_an_api(following.client, "comes")
        eventually("the other API is served", lambda: status(data_plane, other) == 200)
    finally:
        following.stop()
