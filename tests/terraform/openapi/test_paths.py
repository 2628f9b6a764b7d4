"""The paths of several services as one tree."""

import pytest

from harness.contracts import OK, contract, service, text
from switchyard.openapi import template
from switchyard.openapi.contract import BadContract, Json


def at(*paths: str, **more: Json) -> Json:
    """A contract with a GET at each of the paths."""
    made: Json = {}
    for path in paths:
        names = [segment[1:-1] for segment in path.split("/") if segment.startswith("{")]
        parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
        made[path] = {"get": {"responses": OK, "parameters": parameters}, **more}
    return contract(made)


@pytest.mark.parametrize("path", ["/bills/{id}/items.json", "/a-b_c,d:e", "/v1.2/{bill_id}"])
def test_a_path_that_api_gateway_has(path: str) -> None:
    assert f"\n  {path}:\n" in text(at(path))


@pytest.mark.parametrize(
    "path", ["/bills/", "/bills//items", "/bills/{id}.json", "/bills/a b", "/bills/{id}{part}", "/b~c"]
)
def test_a_path_that_api_gateway_has_not_is_refused(path: str) -> None:
    with pytest.raises(BadContract, match=r"path .* of billing: API Gateway has no resource"):
        text({"openapi": "3.1.0", "paths": {path: {"get": {"responses": OK}}}})


@pytest.mark.parametrize("path", ["/ping", "/sping"])
def test_a_path_that_api_gateway_answers_itself_is_refused(path: str) -> None:
    with pytest.raises(BadContract, match=f"API Gateway answers {path} itself"):
        text(at(path))
    assert f"/billing{path}:" in text(at(path), prefix="/billing")


def test_a_method_that_api_gateway_has_not_is_refused() -> None:
    with pytest.raises(BadContract, match="API Gateway has no method TRACE"):
        text(at("/bills", trace={"responses": OK}))


def test_a_variable_has_one_name_for_all_that_is_below() -> None:
    assert "/bills/{id}/items" in text(at("/bills/{id}", "/bills/{id}/items", "/bills/new"))
    with pytest.raises(
        BadContract,
        match=r"path /bills/\{bill\}/items of billing: after '/bills/' .* \{id\}, beside \{bill\}: name them alike",
    ):
        text(at("/bills/{id}", "/bills/{bill}/items"))


def test_a_variable_at_the_root_would_be_beside_the_catch_all() -> None:
    with pytest.raises(
        BadContract, match=r"a variable already, \{proxy\+\}, beside \{tenant\}: begin with a word, or set a prefix"
    ):
        text(at("/{tenant}/bills"))
    assert "/billing/{tenant}/bills" in text(at("/{tenant}/bills"), prefix="/billing")


def test_two_services_with_the_same_path_are_told_what_to_do() -> None:
    one, other = (service("billing"), at("/status/health", "/bills")), (service("stock"), at("/status/health"))
    with pytest.raises(BadContract) as error:
        template.of([one, other])
    assert str(error.value) == (
        "path /status/health of stock: the path is billing's already: give one of them a prefix in services.json, "
        'such as "prefix": "/stock"'
    )


def test_two_services_with_variables_of_different_names_in_one_place_are_refused() -> None:
    with pytest.raises(
        BadContract, match=r"path /bills/\{number\} of stock: after '/bills/' there is a variable already, \{id\}"
    ):
        template.of([(service("billing"), at("/bills/{id}/x")), (service("stock"), at("/bills/{number}"))])


def test_an_operation_of_the_same_name_is_refused() -> None:
    def named(path: str) -> Json:
        return contract({path: {"get": {"responses": OK, "operationId": "list"}}})

    with pytest.raises(BadContract, match="operation list is at /bills and at /goods"):
        template.of([(service("billing"), named("/bills")), (service("stock"), named("/goods"))])
    template.of([(service("billing"), named("/bills")), (service("stock", prefix="/stock"), named("/goods"))])


def test_an_open_path_that_is_not_there_is_refused() -> None:
    with pytest.raises(BadContract, match="open_paths of billing: its contract has no /health; it has /bills"):
        text(at("/bills"), open_paths=("/health",))
