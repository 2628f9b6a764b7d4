"""An API is rebuilt from its export alone, in an account that has nothing but what the definition refers to."""

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

import release
from harness.control_plane import ACCOUNT, REGION, ControlPlane, environment
from releases.definition import AUTHORIZER, FUNCTION, with_cancellation
from releases.interruption import KILLED, run_and_kill
from releases.shop import Shop, make_functions
from switchyard.releases import export
from switchyard.releases.difference import operations

POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}],
}
MOST_CHANGES = 40


@pytest.fixture
def released(shop: Shop) -> Path:
    """The export of a release."""
    definition = with_cancellation()
    # As API Gateway exports it.
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{shop.api}/*"
    definition["x-amazon-apigateway-policy"] = {**POLICY, "Statement": [{**POLICY["Statement"][0], "Resource": arn}]}  # type: ignore[dict-item]
    shop.apply(definition)
    assert shop.run("api-release", "lambda", "prod", "1.1.0") == 0
    return shop.archive / "lambda" / "1.1.0.yaml"


@pytest.fixture(scope="module")
def other_account() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def empty(other_account: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """Another account, which the commands talk to from now on: the functions are there, and no API."""
    clear(other_account)
    for name, value in environment(other_account).items():
        monkeypatch.setenv(name, value)
    return other_account


def restore(path: Path, *more: str) -> int:
    return release.main(["api-restore", str(path), *more])


def apis(plane: ControlPlane) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plane.client("apigateway").get_rest_apis()["items"]
    return found


def test_every_operation_is_served_as_it_was(
    shop: Shop, released: Path, empty: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    assert restore(released) == 0
    (api,) = apis(empty)
    apigateway = empty.client("apigateway")
    for stage in ("test", "prod"):
        was, served = shop.serves("prod"), export.fetch(apigateway, api["id"], stage)
        before, after = operations(export.comparable(was)), operations(export.comparable(served))
        assert len(before) == 4
        assert before.keys() == after.keys()
        for key, operation in before.items():
            assert after[key] == operation, key
        assert export.is_same(served, was)
        # Descriptions too.
        assert dict(export.descriptions(served)) == dict(export.descriptions(was))

    assert (api["name"], api["endpointConfiguration"]["types"]) == ("shop", ["REGIONAL"])
    assert api["tags"]["Architecture"] == "lambda"
    stages = {stage["stageName"]: stage for stage in apigateway.get_stages(restApiId=api["id"])["item"]}
    assert {name: stage["variables"] for name, stage in stages.items()} == {
        "test": {"alias": "test"},
        "prod": {"alias": "prod"},
    }
    assert stages["prod"]["methodSettings"]["*/*"]["throttlingRateLimit"] == 100
    assert stages["prod"]["tracingEnabled"] is True
    assert stages["prod"]["description"] == "Release 1.1.0"
    assert stages["prod"]["documentationVersion"] == "release-1.1.0"
    policy = json.loads(json.loads(f'"{api["policy"]}"'))
    assert policy["Statement"][0]["Resource"] == f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api['id']}/*"
    told = capsys.readouterr().out
    assert f"API {api['id']} serves the 4 operations" in told
    assert "not restored, because no export holds them: custom domains, firewall, API keys" in told


def test_api_gateway_may_call_what_the_definition_names_and_no_more(released: Path, empty: ControlPlane) -> None:
    assert restore(released) == 0
    (api,) = apis(empty)
    arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api['id']}"
    assert sources(empty, FUNCTION, "prod") == [f"{arn}/prod/*/*"]
    assert sources(empty, FUNCTION, "test") == [f"{arn}/test/*/*"]
    assert sources(empty, AUTHORIZER, "prod") == [f"{arn}/authorizers/*"]


def sources(plane: ControlPlane, function: str, alias: str) -> list[str]:
    policy = plane.client("lambda").get_policy(FunctionName=function, Qualifier=alias)["Policy"]
    statements = json.loads(policy)["Statement"]
    of_alias = [each for each in statements if each["Resource"].endswith(f":function:{function}:{alias}")]
    return [each["Condition"]["ArnLike"]["AWS:SourceArn"] for each in of_alias]


def test_restoring_twice_makes_one_api(released: Path, empty: ControlPlane) -> None:
    assert restore(released) == 0
    before = apis(empty), sources(empty, FUNCTION, "prod")
    assert restore(released) == 0
    assert (apis(empty), sources(empty, FUNCTION, "prod")) == before


def test_without_a_manifest_the_export_names_the_stage_and_the_caller_its_variables(
    shop: Shop, released: Path, empty: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    released.with_suffix(".json").unlink()
    assert restore(released) == 2
    assert "uses stage variables that nothing gives the stage test: VARIABLES='alias=...'" in capsys.readouterr().err
    assert apis(empty) == []
    assert restore(released, "--variable", "alias=prod") == 0
    (api,) = apis(empty)
    (stage,) = empty.client("apigateway").get_stages(restApiId=api["id"])["item"]
    assert (stage["stageName"], stage["variables"]) == ("test", {"alias": "prod"})
    assert export.is_same(export.fetch(empty.client("apigateway"), api["id"], "test"), shop.serves("prod"))


def test_a_function_that_is_not_there_is_named_and_a_later_run_goes_on(
    released: Path, empty: ControlPlane, capsys: pytest.CaptureFixture[str]
) -> None:
    empty.client("lambda").delete_function(FunctionName=FUNCTION)
    assert restore(released) == 1
    assert f"function:{FUNCTION}:prod, which is not there: deploy it, then again" in capsys.readouterr().err
    make_functions(empty.client)
    assert restore(released) == 0
    assert len(apis(empty)) == 1


def test_ended_after_any_change_and_run_again(released: Path, empty: ControlPlane) -> None:
    assert restore(released) == 0
    expected = restored(empty)
    for change in range(1, MOST_CHANGES):
        clear(empty)
        code = run_and_kill(partial(restore, released), change)
        if code == 0:
            break
        assert code == KILLED
        assert restore(released) == 0
        assert restored(empty) == expected, f"ended after change {change}"
    assert 8 <= change < MOST_CHANGES - 1, "so many changes there are"


def clear(plane: ControlPlane) -> None:
    for api in apis(plane):
        plane.client("apigateway").delete_rest_api(restApiId=api["id"])
    functions = plane.client("lambda")
    for function in functions.list_functions()["Functions"]:
        functions.delete_function(FunctionName=function["FunctionName"])
    make_functions(plane.client)


def restored(plane: ControlPlane) -> Any:
    (api,) = apis(plane)
    apigateway = plane.client("apigateway")
    stages = apigateway.get_stages(restApiId=api["id"])["item"]
    served = {stage["stageName"]: export.fetch(apigateway, api["id"], stage["stageName"]) for stage in stages}
    settings = [
        {key: value for key, value in stage.items() if key not in ("createdDate", "lastUpdatedDate", "deploymentId")}
        for stage in sorted(stages, key=lambda stage: str(stage["stageName"]))
    ]
    deployments = apigateway.get_deployments(restApiId=api["id"])["items"]
    permissions = [
        sources(plane, FUNCTION, "prod"),
        sources(plane, FUNCTION, "test"),
        sources(plane, AUTHORIZER, "prod"),
    ]
    text = json.dumps([served, settings, [item["description"] for item in deployments], permissions], sort_keys=True)
    return json.loads(text.replace(api["id"], "(api)"))


@pytest.mark.parametrize("content", ["{", "[]", "openapi: 3.0.1"])
def test_what_is_no_export_is_named(
    account: ControlPlane, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str
) -> None:
    path = tmp_path / "1.0.0.yaml"
    path.write_text(content)
    assert restore(path) == 2
    assert f"{path} cannot be read as an export" in capsys.readouterr().err


def test_an_export_without_a_stage_says_so(released: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    alone = tmp_path / "alone.yaml"
    shutil.copy(released, alone)
    document = yaml.safe_load(alone.read_text())
    del document["servers"]
    alone.write_text(yaml.safe_dump(document))
    assert restore(alone) == 2
    assert "names no stage in `servers`" in capsys.readouterr().err
