"""The REST API's definition: what API Gateway answers by itself is what the service would answer."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contract.cases import CASES, FORBIDDEN, JSON, NOT_FOUND, NOT_JSON

ROOT = Path(__file__).parents[2]

# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
RESPONSE_TYPES = {
    "ACCESS_DENIED",
    "API_CONFIGURATION_ERROR",
    "AUTHORIZER_CONFIGURATION_ERROR",
    "AUTHORIZER_FAILURE",
    "BAD_REQUEST_BODY",
    "BAD_REQUEST_PARAMETERS",
    "DEFAULT_4XX",
    "DEFAULT_5XX",
    "EXPIRED_TOKEN",
    "INTEGRATION_FAILURE",
    "INTEGRATION_TIMEOUT",
    "INVALID_API_KEY",
    "INVALID_SIGNATURE",
    "MISSING_AUTHENTICATION_TOKEN",
    "QUOTA_EXCEEDED",
    "REQUEST_TOO_LARGE",
    "RESOURCE_NOT_FOUND",
    "THROTTLED",
    "UNAUTHORIZED",
    "UNSUPPORTED_MEDIA_TYPE",
    "WAF_FILTERED",
}


def load() -> dict[str, Any]:
    """The template, with something in place of what Terraform fills in."""
    template = (ROOT / "terraform" / "openapi" / "lambda.yaml").read_text()
    document: dict[str, Any] = yaml.safe_load(re.sub(r"\$\{([^}]+)\}", r"<\1>", template))
    return document


DEFINITION = load()
RESPONSES = DEFINITION["x-amazon-apigateway-gateway-responses"]
OPERATIONS = {
    (path, method): operation for path, methods in DEFINITION["paths"].items() for method, operation in methods.items()
}


def rendered(response_type: str) -> tuple[int | None, dict[str, str]]:
    """The status and the body, as API Gateway makes them: `messageString` brings its quotation marks along."""
    response = RESPONSES[response_type]
    ((content_type, template),) = response["responseTemplates"].items()
    assert content_type == JSON
    body: dict[str, str] = json.loads(template.replace("$context.error.messageString", '"said \\"so\\""'))
    return response.get("statusCode"), body


@pytest.mark.parametrize("response_type", RESPONSES)
def test_whatever_the_gateway_answers_has_the_one_shape(response_type: str) -> None:
    assert response_type in RESPONSE_TYPES
    _, body = rendered(response_type)
    assert isinstance(body["message"], str)
    assert body.keys() <= {"message", "cause"}
    assert "$" not in json.dumps(body), "only messageString is known to come in quotation marks"


def test_what_is_not_listed_falls_back_to_the_one_shape() -> None:
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= RESPONSES.keys()


@pytest.mark.parametrize("response_type", ["BAD_REQUEST_BODY", "BAD_REQUEST_PARAMETERS"])
def test_what_the_validator_refuses_comes_with_its_cause(response_type: str) -> None:
    status, body = rendered(response_type)
    assert (status, body["cause"]) == (400, 'said "so"')


@pytest.mark.parametrize(
    ("response_type", "status", "message"),
    [
        ("BAD_REQUEST_BODY", 400, NOT_JSON),
        ("INVALID_API_KEY", 403, FORBIDDEN),
        ("ACCESS_DENIED", 403, FORBIDDEN),
        ("WAF_FILTERED", 403, FORBIDDEN),
        ("MISSING_AUTHENTICATION_TOKEN", 404, NOT_FOUND),
        ("RESOURCE_NOT_FOUND", 404, NOT_FOUND),
        ("REQUEST_TOO_LARGE", 413, "Request Too Long"),
        ("THROTTLED", 429, "Too Many Requests"),
        ("QUOTA_EXCEEDED", 429, "Limit Exceeded"),
    ],
)
def test_the_gateway_answers_as_the_service_does(response_type: str, status: int, message: str) -> None:
    answered, body = rendered(response_type)
    assert (answered, body["message"]) == (status, message)


def test_the_validator_lets_through_what_the_service_answers_itself() -> None:
    """All JSON: the gateway has one answer for a refused body, and the service tells "Malformed Input" from it."""
    body = OPERATIONS["/string/replace", "post"]["requestBody"]["content"]
    assert set(body) == {JSON}, "a body of another content type is not validated"
    model = DEFINITION["components"]["schemas"][body[JSON]["schema"]["$ref"].rpartition("/")[2]]
    jsonschema.Draft4Validator.check_schema(model)
    seen = 0
    for case in CASES:
        try:
            document = json.loads(case.body)
        except ValueError:
            continue
        seen += 1
        assert jsonschema.Draft4Validator(model).is_valid(document), case.name
    assert seen > 50


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_a_key_is_asked_for_wherever_work_is_done(path: str, method: str) -> None:
    needs_key = OPERATIONS[path, method].get("security") == [{"api_key": []}]
    assert needs_key == (path == "/string/replace")


@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_operation_is_described(path: str, method: str) -> None:
    operation = OPERATIONS[path, method]
    assert operation["summary"]
    assert operation["description"]
    assert all(response["description"] for response in operation["responses"].values())


def test_unknown_paths_need_no_function() -> None:
    for path in ("/", "/{proxy+}"):
        integration = OPERATIONS[path, "x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        assert integration["type"] == "mock"
        assert json.loads(integration["requestTemplates"][JSON]) == {"statusCode": 404}
        answer = integration["responses"]["default"]
        assert answer["statusCode"] == "404"
        assert json.loads(answer["responseTemplates"][JSON]) == {"message": NOT_FOUND}


def test_everything_is_validated() -> None:
    name = DEFINITION["x-amazon-apigateway-request-validator"]
    assert DEFINITION["x-amazon-apigateway-request-validators"][name] == {
        "validateRequestBody": True,
        "validateRequestParameters": True,
    }


def test_every_function_that_is_called_has_an_entry_and_a_crate() -> None:
    # An entry's package is the crate of its name, unless it says which.
    entry = re.compile(r'^    ([a-z-]+) = \{\n(?:      package += "([a-z-]+)")?', re.MULTILINE)
    entries = entry.findall((ROOT / "terraform" / "functions.tf").read_text())
    uris = {
        operation["x-amazon-apigateway-integration"]["uri"]
        for operation in OPERATIONS.values()
        if operation["x-amazon-apigateway-integration"]["type"] == "aws_proxy"
    }
    assert uris == {"<functions.string-replace.uri>"}
    assert {package or name for name, package in entries} == {
        folder.name for folder in (ROOT / "lambdas").iterdir() if folder.is_dir()
    }
