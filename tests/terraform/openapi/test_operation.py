"""Operations as methods: what of a contract is declared, and how a request comes to the service."""

from typing import Any

import pytest

from harness.contracts import OK, contract, service
from switchyard.openapi import operation, parameter
from switchyard.openapi.contract import BadContract, Json
from switchyard.openapi.model import Models

KEY = {"key": {"type": "apiKey", "in": "header", "name": "x-api-key"}}


def method(
    operation_: Json, path: str = "/bills", shared: Any = (), *, of: Json | None = None, **components: Any
) -> Json:
    """The method for `operation_`, the GET of `path`; `of`: members of the service."""
    item = {"get": {"responses": OK, **operation_}, "parameters": list(shared)}
    document = contract({path: item}, **components)
    billing = service(**(of or {}))
    return operation.method(billing, document, Models("billing", document), path, item, "get")


def integration(made: Json) -> Json:
    found: Json = made["x-amazon-apigateway-integration"]
    return found


def declared(name: str, place: str = "query", **more: Any) -> Json:
    return {"name": name, "in": place, "schema": {"type": "string"}, **more}


def test_a_request_is_passed_on_as_it_is_through_the_stages_vpc_link() -> None:
    assert integration(method({})) == {
        "type": "http_proxy",
        "httpMethod": "GET",
        "uri": "${base_urls.billing}/bills",
        "connectionType": "VPC_LINK",
        "connectionId": "$${stageVariables.VPCLINK}",
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": 29000,
        "requestParameters": {"integration.request.header.X-Forwarded-For": "context.identity.sourceIp"},
    }


def test_path_and_headers_are_mapped_and_the_query_is_passed_on_by_itself() -> None:
    names = {"type": "array", "items": {"type": "string"}}
    made = method(
        {
            "parameters": [
                declared("state", required=True),
                declared("X-Customer", "header", required=True),
                declared("X-Tag", "header", schema=names),
            ]
        },
        "/bills/{id}",
        [declared("id", "path", required=True)],
    )
    assert integration(made)["requestParameters"] == {
        "integration.request.header.X-Forwarded-For": "context.identity.sourceIp",
        "integration.request.path.id": "method.request.path.id",
        "integration.request.header.X-Customer": "method.request.header.X-Customer",
        "integration.request.header.X-Tag": "method.request.multivalueheader.X-Tag",
    }
    assert integration(made)["uri"] == "${base_urls.billing}/bills/{id}"
    asked = {each["name"]: each["required"] for each in made["parameters"]}
    assert asked == {"id": True, "state": True, "X-Customer": True, "X-Tag": False}, "the validator knows all of them"


def test_of_a_parameter_only_what_the_import_supports_is_left() -> None:
    written = declared(
        "page", schema={"type": "integer", "minimum": 1, "default": 1}, style="form", example=2, description="Which"
    )
    assert method({"parameters": [written]})["parameters"] == [
        {"name": "page", "in": "query", "required": False, "schema": {"type": "integer"}, "description": "Which"}
    ]


def test_an_operations_parameter_counts_more_than_its_paths() -> None:
    made = method(
        {"parameters": [declared("page", description="mine")]}, shared=[declared("page", description="all's")]
    )
    assert [each["description"] for each in made["parameters"]] == ["mine"]


@pytest.mark.parametrize(
    ("name", "place"),
    [("session", "cookie"), ("Accept", "header"), ("content-type", "header"), ("Authorization", "header")],
)
def test_what_is_no_parameter_of_api_gateway_is_left_to_the_service(name: str, place: str) -> None:
    assert "parameters" not in method({"parameters": [declared(name, place)]})


@pytest.mark.parametrize("name", ["X-Amzn-Trace-Id", "Host", "X-Forwarded-For", "Content-Length"])
def test_what_api_gateway_sets_itself_is_not_mapped(name: str) -> None:
    made = method({"parameters": [declared(name, "header")]})
    assert [each["name"] for each in made["parameters"]] == [name]
    assert list(integration(made)["requestParameters"].values()) == ["context.identity.sourceIp"]


def test_a_header_that_the_contract_declares_itself_is_there_once() -> None:
    body: Json = {"content": {"text/plain": {}}}
    made = method({"requestBody": body, "parameters": [declared("content-encoding", "header", required=True)]})
    assert [(each["name"], each["required"]) for each in made["parameters"]] == [("content-encoding", True)]


def test_the_encoding_of_a_body_is_mapped_because_a_proxy_integration_drops_it() -> None:
    made = method({"requestBody": {"content": {"text/plain": {}}}})
    assert [(each["name"], each["required"]) for each in made["parameters"]] == [("Content-Encoding", False)]
    mappings = integration(made)["requestParameters"]
    assert mappings["integration.request.header.Content-Encoding"] == "method.request.header.Content-Encoding"


def test_a_parameter_may_be_referred_to() -> None:
    made = method(
        {"parameters": [{"$ref": "#/components/parameters/Page"}]},
        parameters={"Page": declared("page", schema={"$ref": "#/components/schemas/Page"})},
        schemas={"Page": {"type": "integer"}},
    )
    assert made["parameters"][0]["schema"] == {"type": "integer"}


@pytest.mark.parametrize("where", ["operation", "document"])
def test_the_services_own_key_is_a_parameter_and_no_key_of_api_gateway(where: str) -> None:
    document = contract({"/bills": {"get": {"responses": OK}}}, securitySchemes=KEY)
    required: Json = {"security": [{"key": []}]}
    written = {"responses": OK, **(required if where == "operation" else {})}
    document |= required if where == "document" else {}
    made = operation.method(service(), document, Models("billing", document), "/bills", {"get": written}, "get")
    assert made["security"] == [{"authorizer": []}]
    (key,) = made["parameters"]
    assert (key["name"], key["in"], key["required"]) == ("x-api-key", "header", False)
    mappings = integration(made)["requestParameters"]
    assert mappings["integration.request.header.x-api-key"] == "method.request.header.x-api-key"


@pytest.mark.parametrize(
    "scheme", [{"type": "http", "scheme": "bearer"}, {"type": "apiKey", "in": "cookie", "name": "session"}]
)
def test_another_scheme_of_the_services_is_no_parameter(scheme: Json) -> None:
    made = method({"security": [{"other": []}]}, securitySchemes={"other": scheme})
    assert "parameters" not in made
    assert made["security"] == [{"authorizer": []}]


def test_a_token_is_asked_for_unless_the_path_is_open() -> None:
    assert method({"security": []})["security"] == [{"authorizer": []}], "what the contract leaves open is not"
    assert method({})["security"] == [{"authorizer": []}]
    assert "security" not in method({}, of={"open_paths": ("/bills",)})


def test_a_service_that_answers_preflights_gets_them_without_a_token() -> None:
    assert operation.security(service(), "/bills", "options") == {}


@pytest.mark.parametrize("validator", ["all", "parameters"])
def test_the_validator_is_the_services_choice(validator: str) -> None:
    assert method({}, of={"validator": validator})["x-amazon-apigateway-request-validator"] == validator


def test_a_response_has_three_digits_and_its_references_are_resolved() -> None:
    made = method(
        {
            "responses": {
                "200": {"description": "All", "content": {"application/json": {"schema": {"type": "object"}}}},
                "404": {"$ref": "#/components/responses/Gone"},
                "4XX": {"description": "A range"},
                "default": {"description": "Every other"},
            }
        },
        responses={"Gone": {"description": "Gone", "headers": {"X-Why": {"$ref": "#/components/headers/Why"}}}},
        headers={"Why": {"description": "Why", "schema": {"type": "integer", "format": "int32"}, "example": 3}},
    )
    assert made["responses"] == {
        "200": {
            "description": "All",
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/BillingGetBillsResponse200"}}},
        },
        "404": {"description": "Gone", "headers": {"X-Why": {"description": "Why", "schema": {"type": "integer"}}}},
    }


def test_media_types_have_models_of_names_and_no_ranges_or_examples() -> None:
    text = {"schema": {"type": "string"}, "example": "x"}
    inline = {"schema": {"type": "object"}, "examples": {"one": {"value": {}}}}
    body = {"content": {"text/plain; charset=utf-8": text, "application/json": inline, "application/vnd.a+xml": inline}}
    made = method({"operationId": "send", "requestBody": body | {"content": body["content"] | {"image/*": text}}})
    assert made["requestBody"] == {
        "required": False,
        "content": {
            "text/plain": {"schema": {"$ref": "#/components/schemas/BillingText"}},
            "application/json": {"schema": {"$ref": "#/components/schemas/BillingSendRequest"}},
            "application/vnd.a+xml": {"schema": {"$ref": "#/components/schemas/BillingSendRequestVndAXml"}},
        },
    }


def test_what_is_only_openapis_is_left_out() -> None:
    made = method(
        {"deprecated": True, "servers": [{"url": "/v2"}], "x-internal": True, "tags": ["bills"], "summary": "All"}
    )
    assert made.keys() == {
        *("operationId", "summary", "tags", "security", "responses"),
        *("x-amazon-apigateway-request-validator", "x-amazon-apigateway-integration"),
    }


def test_a_prefix_is_in_the_name_and_not_in_the_services_path() -> None:
    made = method({"operationId": "list"}, of={"prefix": "/billing/v1"})
    assert made["operationId"] == "billing_v1_list"
    assert integration(made)["uri"] == "${base_urls.billing}/bills"


def test_what_terraform_would_read_as_a_template_is_escaped() -> None:
    made = method({"description": "costs ${price} or %{ if }", "parameters": [declared("X-${name}", "header")]})
    assert made["description"] == "costs $${price} or %%{ if }"
    assert made["parameters"][0]["name"] == "X-$${name}"
    assert "integration.request.header.X-$${name}" in integration(made)["requestParameters"]


def test_a_reference_that_leads_nowhere_is_named() -> None:
    with pytest.raises(BadContract, match="#/components/parameters/Nobody leads nowhere"):
        parameter.of_operation(contract(), {"parameters": [{"$ref": "#/components/parameters/Nobody"}]}, [])


def test_a_reference_that_goes_round_is_named() -> None:
    document = contract() | {"components": {"parameters": {"A": {"$ref": "#/components/parameters/A"}}}}
    with pytest.raises(BadContract, match="refers to itself"):
        parameter.of_operation(document, {"parameters": [{"$ref": "#/components/parameters/A"}]}, [])
