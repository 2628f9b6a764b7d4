"""The definition of the private API as Terraform renders it: importable, and everything passed on that should be."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator

import openapi
from harness import contracts
from harness.private_definition import AUTHORIZER, FOLDER, STAGES_LISTENER, definition
from switchyard.openapi.contract import Json
from switchyard.openapi.model import KEYWORDS

JSON = "application/json"
APP, ADMIN = "https://app.example.com", "https://admin.example.com"
NOT_FOUND = {"message": "Unable to find the requested resource"}
INTEGRATION = "x-amazon-apigateway-integration"
ANY = "x-amazon-apigateway-any-method"


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Json:
    return definition(tmp_path_factory.mktemp("private"), (APP,))


@pytest.fixture(scope="module")
def committed() -> Json:
    document: Json = json.loads((FOLDER / "contracts" / "string.json").read_text())
    return document


def methods(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for verb, method in item.items():
            yield path, verb, method


def members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object, however deep."""
    if isinstance(value, dict):
        yield from value.items()
    for inside in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from members(inside)


def test_the_template_is_what_the_contracts_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert openapi.main(["template", "--check"]) == 0, capsys.readouterr().err


def test_it_is_a_valid_openapi_3_0_document(private: Json) -> None:
    assert private["openapi"] == "3.0.1"
    OpenAPIV30SpecValidator(private).validate()


def test_every_operation_of_the_contract_is_there_and_nothing_else(private: Json, committed: Json) -> None:
    verbs = {(path, verb) for path, item in committed["paths"].items() for verb in item}
    assert len(verbs) == 5
    preflights = {(path, "options") for path in committed["paths"]}
    others = {("/", ANY), ("/{proxy+}", ANY)}
    assert {(path, verb) for path, verb, _ in methods(private)} == verbs | preflights | others


def test_what_the_import_does_not_support_is_nowhere(private: Json) -> None:
    names = {name for name, _ in members(private)}
    assert not names & {
        *("example", "examples", "nullable", "readOnly", "deprecated", "discriminator", "exclusiveMinimum"),
        *("oneOf", "servers", "webhooks", "license", "callbacks"),
    }
    for schema in private["components"]["schemas"].values():
        assert schema.keys() <= KEYWORDS
        for name, value in members(schema):
            assert (name, value) not in [("format", "int32"), ("format", "int64")]
    assert all(name.isalnum() for name in private["components"]["schemas"])
    assert "security" not in private, "what stands at the root counts for nothing"


def test_bodies_refer_to_models_by_name(private: Json) -> None:
    seen = 0
    for name, value in members(private["paths"]):
        if name == "content":
            for media in value.values():
                assert set(media["schema"]) == {"$ref"}
                assert media["schema"]["$ref"].rpartition("/")[2] in private["components"]["schemas"]
                seen += 1
    assert seen > 10


def test_every_operation_goes_to_the_service_through_the_vpc_link(private: Json, committed: Json) -> None:
    for path, item in committed["paths"].items():
        for verb in item:
            method = private["paths"][path][verb]
            integration = method[INTEGRATION]
            assert (integration["type"], integration["httpMethod"]) == ("http_proxy", verb.upper())
            assert integration["uri"] == STAGES_LISTENER + path
            assert integration["connectionType"] == "VPC_LINK"
            assert integration["connectionId"] == "${stageVariables.VPCLINK}"
            assert (
                integration["requestParameters"]["integration.request.header.X-Forwarded-For"]
                == "context.identity.sourceIp"
            )
            assert method["x-amazon-apigateway-request-validator"] in private["x-amazon-apigateway-request-validators"]


def test_everything_but_health_preflights_and_404_asks_the_authorizer(private: Json) -> None:
    open_ones = {(path, verb) for path, verb, method in methods(private) if "security" not in method}
    preflights = {(path, "options") for path, item in private["paths"].items() if "options" in item}
    assert open_ones == {("/status/health", "get"), ("/", ANY), ("/{proxy+}", ANY)} | preflights
    assert all(
        method.get("security", [{"authorizer": []}]) == [{"authorizer": []}] for _, _, method in methods(private)
    )
    assert private["components"]["securitySchemes"] == {
        "authorizer": {
            "type": "apiKey",
            "name": "Authorization",
            "in": "header",
            "x-amazon-apigateway-authtype": "custom",
            "x-amazon-apigateway-authorizer": {
                "type": "token",
                "authorizerUri": AUTHORIZER,
                "authorizerResultTtlInSeconds": 300,
                "identitySource": "method.request.header.Authorization",
            },
        }
    }


def test_the_services_own_key_goes_through(private: Json) -> None:
    for path in ("/string/replace", "/api/string/replace"):
        method = private["paths"][path]["post"]
        mappings = method[INTEGRATION]["requestParameters"]
        assert mappings["integration.request.header.x-api-key"] == "method.request.header.x-api-key"
        assert ("x-api-key", False) in [(each["name"], each["required"]) for each in method["parameters"]]


def test_a_wrong_body_is_the_services_to_answer(private: Json) -> None:
    """Its 400s say which way a body is wrong; API Gateway's could not."""
    assert private["paths"]["/string/replace"]["post"]["x-amazon-apigateway-request-validator"] == "parameters"
    assert private["x-amazon-apigateway-request-validators"]["parameters"] == {
        "validateRequestBody": False,
        "validateRequestParameters": True,
    }


def test_whatever_else_is_asked_for_is_not_found(private: Json) -> None:
    for path in ("/", "/{proxy+}"):
        mock = private["paths"][path][ANY][INTEGRATION]
        assert (mock["type"], mock["contentHandling"], mock["passthroughBehavior"]) == (
            "mock",
            "CONVERT_TO_TEXT",
            "never",
        )
        assert json.loads(mock["requestTemplates"][JSON]) == {"statusCode": 404}
        answer = mock["responses"]["default"]
        assert answer["statusCode"] == "404"
        assert json.loads(answer["responseTemplates"][JSON]) == NOT_FOUND
    for name in ("MISSING_AUTHENTICATION_TOKEN", "RESOURCE_NOT_FOUND"):
        response = private["x-amazon-apigateway-gateway-responses"][name]
        assert (response["statusCode"], json.loads(response["responseTemplates"][JSON])) == (404, NOT_FOUND)


@pytest.mark.parametrize("key", ["", "The token was revoked: ask for a new one"])
def test_every_answer_of_the_gateway_is_json_whether_or_not_the_authorizer_ran(private: Json, key: str) -> None:
    for name, response in private["x-amazon-apigateway-gateway-responses"].items():
        text = response["responseTemplates"][JSON].replace("$context.error.messageString", '"said \\"so\\""')
        text = text.replace("$context.authorizer.key", key).replace("$context.httpMethod", "GET")
        body = json.loads(text)
        assert "$" not in text, f"{name}: nothing else is known to be safe in JSON"
        assert isinstance(body["message"], str), name
        assert body.keys() <= {"message", "hint", "http_method", "cause"}, name


@pytest.mark.parametrize(
    ("response_type", "status", "expected"),
    [
        (
            "UNAUTHORIZED",
            401,
            {
                "message": "Unauthorized",
                "hint": "Send the header Authorization with Bearer and a token",
                "http_method": "$context.httpMethod",
            },
        ),
        (
            "ACCESS_DENIED",
            403,
            {"message": "Forbidden", "hint": "$context.authorizer.key", "http_method": "$context.httpMethod"},
        ),
        (
            "WAF_FILTERED",
            403,
            {"message": "Forbidden", "hint": "$context.authorizer.key", "http_method": "$context.httpMethod"},
        ),
        ("THROTTLED", 429, {"message": "Too Many Requests"}),
        ("INTEGRATION_FAILURE", 503, {"message": "Service Unavailable"}),
        ("INTEGRATION_TIMEOUT", 503, {"message": "Service Unavailable"}),
    ],
)
def test_a_refusal_says_who_refused_what(private: Json, response_type: str, status: int, expected: Json) -> None:
    response = private["x-amazon-apigateway-gateway-responses"][response_type]
    assert (response["statusCode"], json.loads(response["responseTemplates"][JSON])) == (status, expected)


def preflight(document: Json, path: str = "/string/replace") -> Json:
    found: Json = document["paths"][path]["options"]
    return found


def cors_headers(document: Json) -> Json:
    answer = preflight(document)[INTEGRATION]["responses"]["default"]
    prefix = "method.response.header."
    return {name.removeprefix(prefix): value.strip("'") for name, value in answer["responseParameters"].items()}


def test_a_preflight_is_answered_without_a_token_with_the_methods_and_headers_of_its_path(private: Json) -> None:
    method = preflight(private)
    assert "security" not in method
    mock = method[INTEGRATION]
    assert (mock["type"], mock["contentHandling"], mock["passthroughBehavior"]) == ("mock", "CONVERT_TO_TEXT", "never")
    assert json.loads(mock["requestTemplates"][JSON]) == {"statusCode": 204}
    assert mock["responses"].keys() == {"default"}
    assert mock["responses"]["default"]["statusCode"] == "204"
    assert cors_headers(private) == {
        "Access-Control-Allow-Origin": APP,
        "Access-Control-Allow-Methods": "POST",
        "Access-Control-Allow-Headers": "Authorization,Content-Type,Content-Encoding,x-api-key",
        "Access-Control-Max-Age": "600",
        "Vary": "Origin",
    }
    # A mapped header must be one of the method's own.
    assert method["responses"]["204"]["headers"].keys() == cors_headers(private).keys()


def gateway_response_headers(document: Json) -> list[Json]:
    responses = document["x-amazon-apigateway-gateway-responses"].values()
    return [
        {k.removeprefix("gatewayresponse.header."): v for k, v in r["responseParameters"].items()} for r in responses
    ]


def test_a_page_may_read_what_the_gateway_answers(private: Json) -> None:
    for headers in gateway_response_headers(private):
        assert headers["Access-Control-Allow-Origin"] == f"'{APP}'"
        assert headers["Vary"] == "'Origin'"
        assert "Access-Control-Allow-Credentials" not in headers


def test_no_origin_is_no_cors(tmp_path: Path) -> None:
    document = definition(tmp_path, origins=())
    OpenAPIV30SpecValidator(document).validate()
    assert all("options" not in item for item in document["paths"].values())
    assert "Access-Control" not in json.dumps(document)


def test_of_several_origins_the_one_that_asks_is_named(tmp_path: Path) -> None:
    document = definition(tmp_path, origins=(APP, ADMIN), credentials=True)
    OpenAPIV30SpecValidator(document).validate()
    assert cors_headers(document)["Access-Control-Allow-Origin"] == APP
    assert cors_headers(document)["Access-Control-Allow-Credentials"] == "true"
    template = preflight(document)[INTEGRATION]["responses"]["default"]["responseTemplates"][JSON]
    for origin in (APP, ADMIN):
        assert f'#if($origin == "{origin}")' in template
    for headers in gateway_response_headers(document):
        assert headers["Access-Control-Allow-Origin"] == f"'{APP}'"
        assert headers["Access-Control-Allow-Credentials"] == "'true'"


def test_every_origin_may_be_allowed(tmp_path: Path) -> None:
    document = definition(tmp_path, origins=("*",))
    assert cors_headers(document)["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in json.dumps(document)


BILLING = contracts.contract(
    {
        "/status/health": {"get": {"operationId": "status_health", "responses": contracts.OK}},
        "/bills": {
            "get": {
                "operationId": "list",
                "description": "For ${x} in:\n- yes\n- 'no' #1",
                "parameters": [{"name": "X-Customer", "in": "header", "schema": {"type": "string"}}],
                "responses": {
                    "200": {
                        "description": "0x10",
                        "content": {JSON: {"schema": {"$ref": "#/components/schemas/Message"}}},
                    }
                },
            },
            "options": {"responses": contracts.OK},
        },
    },
    version="3.0.3",
    schemas={"Message": {"type": "integer", "example": 1, "description": "%{ if } : - null"}},
)


def test_a_second_service_is_its_document_and_one_entry(tmp_path: Path, committed: Json) -> None:
    string = json.loads((FOLDER / "services.json").read_text())["string"] | {"contract": "string.json"}
    entry = {"prefix": "/billing", "base_url": {"external": "data-centre"}}
    services = contracts.written(tmp_path, string=(committed, string), billing=(BILLING, entry))
    template = tmp_path / "private.yaml"
    assert openapi.main(["template", "--services", str(services), "--file", str(template)]) == 0
    folder = tmp_path / "terraform"
    folder.mkdir()
    base_urls = {"string": STAGES_LISTENER, "billing": "http://nlb.example.com:8100"}
    document = definition(folder, (), base_urls=base_urls, template=template)
    OpenAPIV30SpecValidator(document).validate()
    assert {"/string/replace", "/status/health", "/billing/status/health", "/billing/bills"} < document["paths"].keys()

    bills = document["paths"]["/billing/bills"]["get"]
    assert bills["operationId"] == "billing_list"
    assert bills["description"] == "For ${x} in:\n- yes\n- 'no' #1"
    assert bills["responses"]["200"]["description"] == "0x10"
    assert bills[INTEGRATION]["uri"] == "http://nlb.example.com:8100/bills"
    assert bills["x-amazon-apigateway-request-validator"] == "all"
    own = document["paths"]["/billing/bills"]["options"]
    assert own[INTEGRATION]["type"] == "http_proxy", "a service that answers preflights itself does"
    assert document["paths"]["/string/replace"]["post"][INTEGRATION]["uri"] == STAGES_LISTENER + "/string/replace"
    models = document["components"]["schemas"]
    assert models["BillingMessage"] == {"type": "integer", "description": "%{ if } : - null"}
    assert models["StringMessage"]["type"] == "object", "a schema of the same name in another contract"


def test_a_change_of_a_contract_is_drift(tmp_path: Path, committed: Json, capsys: pytest.CaptureFixture[str]) -> None:
    services = contracts.written(tmp_path, string=(committed, {}))
    template = tmp_path / "private.yaml"
    arguments = ["template", "--services", str(services), "--file", str(template)]
    assert openapi.main([*arguments, "--check"]) == 1, "it is not there yet"
    assert openapi.main(arguments) == 0
    assert openapi.main([*arguments, "--check"]) == 0
    before = template.read_text()

    committed = json.loads(json.dumps(committed))
    committed["paths"]["/string/replace"]["post"]["responses"]["429"] = {"description": "Too many"}
    contracts.written(tmp_path, string=(committed, {}))
    capsys.readouterr()
    assert openapi.main([*arguments, "--check"]) == 1
    assert f"{template} is not what its sources say: run `make openapi`" in capsys.readouterr().err
    assert template.read_text() == before, "--check writes nothing"
