"""What takes effect when: an API by a deployment, a stage's settings and the keys at once.

https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-deploy-api.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.exchange import Answer, send
from harness.control_plane import ControlPlane
from harness.data_plane import DataPlane
from harness.waiting import eventually


class Mock:
    """An API with one MOCK at /answer, whose body is a template."""

    def __init__(self, apigateway: Any, data_plane: DataPlane, template: str, **operation: Any) -> None:
        self._apigateway = apigateway
        self._data_plane = data_plane
        self._operation = operation
        self.id = str(apigateway.create_rest_api(name="changing")["id"])
        self.define(template)

    def define(self, template: str) -> None:
        """Changes the API; no stage serves that yet."""
        integration = {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": {"statusCode": "200", "responseTemplates": {"application/json": template}}},
        }
        get = {
            "responses": {"200": {"description": "The answer"}},
            "x-amazon-apigateway-integration": integration,
            **self._operation,
        }
        schemes = {"api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"}}
        document = {
            "openapi": "3.0.1",
            "info": {"title": "changing", "version": "1"},
            "paths": {"/answer": {"get": get}},
            "components": {"securitySchemes": schemes},
        }
        self._apigateway.put_rest_api(restApiId=self.id, mode="overwrite", body=json.dumps(document))

    def deploy(self, stage: str = "test", **stage_settings: Any) -> str:
        return str(self._apigateway.create_deployment(restApiId=self.id, stageName=stage, **stage_settings)["id"])

    def get(self, stage: str = "test", **headers: str) -> Answer:
        prefix = f"/_aws/execute-api/{self.id}/{stage}"
        return send(self._data_plane.url, prefix, {"path": "/answer", "headers": headers})

    def wait_for(self, body: str, stage: str = "test") -> None:
        def answered() -> bool:
            answer = self.get(stage)
            assert answer.body.decode() == body, answer
            return True

        eventually(f"the answer {body!r} of stage {stage}", answered)


@pytest.fixture(scope="module")
def control_plane() -> Iterator[ControlPlane]:
    """Of its own: with each change all of an account is read again, and that of the cases holds hundreds of APIs."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="module")
def data_plane(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataPlane]:
    with DataPlane(control_plane.url, tmp_path_factory.mktemp("changes"), container_binary="none-is-needed") as plane:
        yield plane


@pytest.fixture
def apigateway(control_plane: ControlPlane) -> Any:
    return control_plane.client("apigateway")


@pytest.fixture
def mock(apigateway: Any, data_plane: DataPlane) -> Mock:
    """Made, deployed and served while the data plane runs."""
    mock = Mock(apigateway, data_plane, '"first"')
    mock.deploy()
    mock.wait_for('"first"')
    return mock


def test_a_change_waits_for_its_deployment(mock: Mock, apigateway: Any, data_plane: DataPlane) -> None:
    mock.define('"second"')
    # By the time that another API, made later, is served, this one's change would have arrived as well.
    other = Mock(apigateway, data_plane, '"other"')
    other.deploy()
    other.wait_for('"other"')
    assert mock.get().body == b'"first"'

    mock.deploy()
    mock.wait_for('"second"')


def test_stages_serve_deployments_of_their_own(mock: Mock, apigateway: Any) -> None:
    first = apigateway.get_stage(restApiId=mock.id, stageName="test")["deploymentId"]
    mock.define('"second"')
    mock.deploy("prod")
    mock.wait_for('"second"', "prod")
    assert mock.get("test").body == b'"first"'

    back = [{"op": "replace", "path": "/deploymentId", "value": first}]
    apigateway.update_stage(restApiId=mock.id, stageName="prod", patchOperations=back)
    mock.wait_for('"first"', "prod")


def test_a_stage_variable_needs_no_deployment(apigateway: Any, data_plane: DataPlane) -> None:
    mock = Mock(apigateway, data_plane, '"$stageVariables.color"')
    mock.deploy(variables={"color": "blue"})
    mock.wait_for('"blue"')

    red = [{"op": "replace", "path": "/variables/color", "value": "red"}]
    apigateway.update_stage(restApiId=mock.id, stageName="test", patchOperations=red)
    mock.wait_for('"red"')


def test_a_key_is_taken_from_when_it_is_in_a_plan(apigateway: Any, data_plane: DataPlane) -> None:
    mock = Mock(apigateway, data_plane, '"open"', security=[{"api_key": []}])
    mock.deploy()
    mock.wait_for('{"message":"Forbidden"}')

    value = "changing-key-0123456789"
    key = apigateway.create_api_key(name="changing", value=value, enabled=True)["id"]
    plan = apigateway.create_usage_plan(name="changing", apiStages=[{"apiId": mock.id, "stage": "test"}])["id"]
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key, keyType="API_KEY")
    eventually("the key opens", lambda: mock.get(**{"x-api-key": value}).status == 200)

    apigateway.update_api_key(apiKey=key, patchOperations=[{"op": "replace", "path": "/enabled", "value": "false"}])
    eventually("the key opens no more", lambda: mock.get(**{"x-api-key": value}).status == 403)


def test_a_deleted_stage_is_served_no_more(mock: Mock, apigateway: Any) -> None:
    apigateway.delete_stage(restApiId=mock.id, stageName="test")
    mock.wait_for('{"message":"Forbidden"}')
