"""services.json, and contracts that are none."""

import json
from pathlib import Path
from typing import Any

import pytest

import openapi
from harness import contracts
from switchyard.openapi import contract, service
from switchyard.openapi.contract import BadContract


def read(folder: Path, entries: Any) -> list[service.Service]:
    file = folder / "services.json"
    file.write_text(entries if isinstance(entries, str) else json.dumps(entries))
    return service.read(file)


def test_an_entry_says_where_the_contract_is_and_what_is_special(tmp_path: Path) -> None:
    (billing,) = read(
        tmp_path,
        {
            "billing": {
                "contract": "contracts/billing.json",
                "base_url": {"external": "data-centre"},
                "prefix": "/billing",
                "open_paths": ["/health"],
                "validator": "parameters",
            }
        },
    )
    assert billing == service.Service(
        "billing",
        tmp_path / "contracts" / "billing.json",
        {"external": "data-centre"},
        "/billing",
        ("/health",),
        "parameters",
    )


def test_an_entry_needs_no_more_than_a_contract(tmp_path: Path) -> None:
    assert read(tmp_path, {"a": {"contract": "a.json"}}) == [service.Service("a", tmp_path / "a.json")]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("{", "services.json cannot be read as JSON"),
        ([], "give an object with an entry for each service"),
        ({}, "give an object with an entry for each service"),
        ({"Billing": {}}, "service 'Billing': a service's name has small letters, digits and hyphens"),
        ({"billing": "b.json"}, "service 'billing': give an object"),
        ({"billing": {}}, "contract is missing: the contract's file, beside services.json"),
        ({"billing": {"contract": "b", "url": 1}}, "there is no url. There are contract: "),
        (
            {"billing": {"contract": "b", "base_url": "http://b"}},
            'base_url is where the service is: "service", ours, or',
        ),
        ({"billing": {"contract": "b", "base_url": {"external": 1}}}, "base_url is where the service is"),
        ({"billing": {"contract": "b", "prefix": "billing"}}, "prefix is what the gateway's paths have before"),
        ({"billing": {"contract": "b", "prefix": "/billing/"}}, "prefix is what the gateway's paths have before"),
        ({"billing": {"contract": "b", "prefix": 1}}, "prefix is what the gateway's paths have before"),
        ({"billing": {"contract": "b", "open_paths": "/a"}}, "open_paths is a list: the contract's paths"),
        (
            {"billing": {"contract": "b", "validator": "body"}},
            "validator is what the gateway checks of a request: all or",
        ),
    ],
)
def test_an_entry_that_is_wrong_is_told_what_would_be_right(tmp_path: Path, entries: Any, message: str) -> None:
    with pytest.raises(BadContract) as error:
        read(tmp_path, entries)
    assert message in str(error.value)


VALID = {
    "openapi": "3.1.0",
    "info": {"title": "Bills", "version": "1"},
    "paths": {"/a": {"get": {"responses": contracts.OK}}},
}


@pytest.mark.parametrize("version", ["3.0.0", "3.0.3", "3.1.0", "3.1.1"])
def test_a_contract_is_openapi_3_0_or_3_1(version: str) -> None:
    assert contract.checked({**VALID, "openapi": version}, "it")["openapi"] == version


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "it is no OpenAPI 3.0 or 3.1 document: it has no member 'openapi'"),
        ({"swagger": "2.0"}, "it is no OpenAPI 3.0 or 3.1 document: it has no member 'openapi'"),
        ({**VALID, "openapi": "3.2.0"}, "it is no OpenAPI 3.0 or 3.1 document: its version is '3.2.0'"),
        (
            {**VALID, "info": {"title": "Bills"}},
            'it is no valid OpenAPI 3.1.0 document: info: "version" is a required property',
        ),
        (
            {**VALID, "paths": {"/a": {"get": {"responses": {"200": {}}}}}},
            "it is no valid OpenAPI 3.1.0 document: paths",
        ),
        ({**VALID, "paths": {}}, "it has no paths: there is nothing to pass on"),
        ({**VALID, "paths": {"/{id}": VALID["paths"]["/a"]}}, "'id'"),  # type: ignore[index]
    ],
)
def test_a_broken_contract_is_named_with_what_is_wrong(document: Any, message: str) -> None:
    with pytest.raises(BadContract) as error:
        contract.checked(document, "it")
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (
            "#/components/parameters/Nobody",
            "a reference leads nowhere: the contract has no /components/parameters/Nobody",
        ),
        ("common.json#/Page", "common.json#/Page is in another file, which API Gateway does not read: bring it in"),
        ("http://127.0.0.1:9/page.json", "http://127.0.0.1:9/page.json is in another file"),
    ],
)
def test_a_reference_that_cannot_be_followed_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], reference: str, message: str
) -> None:
    operation = {"parameters": [{"$ref": reference}], "responses": contracts.OK}
    file = contracts.written(tmp_path, billing=({**VALID, "paths": {"/a": {"get": operation}}}, {}))
    assert openapi.main(["template", "--services", str(file), "--file", str(tmp_path / "out.yaml")]) == 1
    assert f"{tmp_path / 'billing.json'}: {message}" in capsys.readouterr().err
    assert not (tmp_path / "out.yaml").exists()


def test_the_script_names_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "services.json"
    file.write_text('{"billing": {"contract": "gone.json"}}')
    assert openapi.main(["template", "--services", str(file), "--file", str(tmp_path / "out.yaml")]) == 1
    assert f"openapi.py: {tmp_path / 'gone.json'} cannot be read as JSON" in capsys.readouterr().err
