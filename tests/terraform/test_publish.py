"""The publish API's definition: what is mapped where, who is asked, and what API Gateway answers by itself."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.control_plane import ROOT

TEMPLATE = ROOT / "terraform" / "openapi" / "publish.yaml"
AUTHORIZER = {"header": "AuthDetails", "ttl_seconds": 300, "uri": "arn:aws:apigateway:authorizer"}
JSON = "application/json"


def rendered(folder: Path, authorizer: dict[str, Any] | None) -> dict[str, Any]:
    """The document as Terraform makes it, without a deployment: `terraform console` knows the template language."""
    values = {
        "title": "publish",
        "put_uri": "arn:aws:apigateway:eu-west-1:s3:path/bucket/captured/{id}",
        "put_role_arn": "arn:aws:iam::123456789012:role/put",
        "receipt": {"uri": "arn:aws:apigateway:receipt", "timeout_milliseconds": 29000},
        "authorizer": authorizer,
    }
    done = subprocess.run(
        ["terraform", "console"],
        input=f"jsonencode(templatefile({json.dumps(str(TEMPLATE))}, {json.dumps(values)}))\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = yaml.safe_load(json.loads(json.loads(done.stdout)))
    return document


@pytest.fixture(scope="module")
def definition(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return rendered(tmp_path_factory.mktemp("authorized"), AUTHORIZER)


@pytest.fixture(scope="module")
def open_definition(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return rendered(tmp_path_factory.mktemp("open"), None)


def integration(definition: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = definition["paths"][path][method]["x-amazon-apigateway-integration"]
    return found


def test_a_body_goes_into_the_bucket_as_it_is(definition: dict[str, Any]) -> None:
    put = integration(definition, "/publish", "post")
    assert (put["type"], put["httpMethod"]) == ("aws", "PUT")
    assert "requestTemplates" not in put
    assert "contentHandling" not in put, "the request's bytes are passed through"
    assert put["requestParameters"] == {
        "integration.request.path.id": "context.requestId",
        "integration.request.header.Content-Type": "method.request.header.Content-Type",
        "integration.request.header.x-amz-meta-principal": "context.authorizer.principalId",
        "integration.request.header.x-amz-meta-trace-id": "method.request.header.X-Amzn-Trace-Id",
    }


def test_only_what_s3_took_is_captured(definition: dict[str, Any]) -> None:
    responses = integration(definition, "/publish", "post")["responses"]
    assert responses.keys() == {"200", "default"}
    assert responses["200"]["statusCode"] == "202"
    assert json.loads(responses["200"]["responseTemplates"][JSON]) == {"id": "$context.requestId", "status": "captured"}
    refused = responses["default"]
    assert refused["statusCode"] == "503"
    assert refused["responseParameters"] == {"method.response.header.Retry-After": "'1'"}
    assert json.loads(refused["responseTemplates"][JSON]) == {"message": "Service Unavailable"}
    # A mapped header must be one of the method's own.
    assert "Retry-After" in definition["paths"]["/publish"]["post"]["responses"]["503"]["headers"]


def test_the_authorizer_is_asked_by_the_header_and_kept_for_as_long_as_was_said(definition: dict[str, Any]) -> None:
    scheme = definition["components"]["securitySchemes"]["token"]
    assert (scheme["name"], scheme["in"], scheme["x-amazon-apigateway-authtype"]) == ("AuthDetails", "header", "custom")
    assert scheme["x-amazon-apigateway-authorizer"] == {
        "type": "token",
        "authorizerUri": AUTHORIZER["uri"],
        "authorizerResultTtlInSeconds": 300,
        "identitySource": "method.request.header.AuthDetails",
    }
    for path, method in (("/publish", "post"), ("/publish/{id}", "get")):
        assert definition["paths"][path][method]["security"] == [{"token": []}]


def test_without_a_header_nobody_is_asked(open_definition: dict[str, Any]) -> None:
    assert "securitySchemes" not in open_definition["components"]
    for methods in open_definition["paths"].values():
        assert all("security" not in operation for operation in methods.values())
    assert "authorizer" not in json.dumps(integration(open_definition, "/publish", "post"))
    assert not {"UNAUTHORIZED", "ACCESS_DENIED"} & open_definition["x-amazon-apigateway-gateway-responses"].keys()


@pytest.mark.parametrize("key", ["", "The token was revoked: ask for a new one"])
def test_every_answer_of_the_gateway_is_json_whether_or_not_the_authorizer_ran(
    definition: dict[str, Any], key: str
) -> None:
    for name, response in definition["x-amazon-apigateway-gateway-responses"].items():
        text = response["responseTemplates"][JSON].replace("$context.error.messageString", '"said \\"so\\""')
        body = json.loads(text.replace("$context.authorizer.key", key))
        assert isinstance(body["message"], str), name
        assert body.keys() <= {"message", "hint", "cause"}, name


@pytest.mark.parametrize(
    ("response_type", "status", "message", "hint"),
    [
        ("UNAUTHORIZED", 401, "Unauthorized", "Send the header AuthDetails with Bearer and a token"),
        ("ACCESS_DENIED", 403, "Forbidden", "$context.authorizer.key"),
        ("MISSING_AUTHENTICATION_TOKEN", 404, "Not Found", None),
        ("REQUEST_TOO_LARGE", 413, "Request Too Long", "A body may have 10 MB (10485760 bytes) at most"),
        ("THROTTLED", 429, "Too Many Requests", None),
        ("INTEGRATION_FAILURE", 503, "Service Unavailable", None),
        ("INTEGRATION_TIMEOUT", 503, "Service Unavailable", None),
    ],
)
def test_a_refusal_says_what_would_be_right(
    definition: dict[str, Any], response_type: str, status: int, message: str, hint: str | None
) -> None:
    response = definition["x-amazon-apigateway-gateway-responses"][response_type]
    body = json.loads(response["responseTemplates"][JSON])
    assert (response["statusCode"], body["message"], body.get("hint")) == (status, message, hint)


def test_whatever_else_is_asked_for_is_not_found(definition: dict[str, Any]) -> None:
    for path in ("/", "/{proxy+}"):
        mock = integration(definition, path, "x-amazon-apigateway-any-method")
        assert mock["type"] == "mock"
        assert mock["contentHandling"] == "CONVERT_TO_TEXT", "a binary body would reach no template"
        assert mock["responses"]["default"]["statusCode"] == "404"
