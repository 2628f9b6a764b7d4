"""One operation of a contract as a method of API Gateway, with everything that passes it on to the service."""

from __future__ import annotations

from switchyard.openapi import parameter
from switchyard.openapi.contract import Json, resolved
from switchyard.openapi.escape import escaped
from switchyard.openapi.model import Models, alphanumeric
from switchyard.openapi.parameter import Parameter
from switchyard.openapi.service import Service

TIMEOUT_MILLISECONDS = 29_000
"""API Gateway's longest, unless AWS raises it for an account.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html"""


def method(service: Service, contract: Json, models: Models, path: str, item: Json, verb: str) -> Json:
    """The method for the operation `verb` of `item`, which is at `path`.

    Left out: `servers`, which would move the paths; `callbacks`; `deprecated`, which "is not supported" (NOTES); what
    other tools' extensions say.
    """
    operation = item[verb]
    parameters = parameter.of_operation(contract, operation, item.get("parameters", []))
    identifier = operation_id(service, path, verb, operation)
    documented: Json = {
        "operationId": identifier,
        **{name: operation[name] for name in ("summary", "description", "tags") if operation.get(name)},
        **({"parameters": [each.declared() for each in parameters]} if parameters else {}),
        **request_body(contract, models, operation, alphanumeric(identifier)),
        "responses": responses(contract, models, operation, alphanumeric(identifier)),
    }
    return {
        **escaped(documented),
        **security(service, path, verb),
        "x-amazon-apigateway-request-validator": service.validator,
        "x-amazon-apigateway-integration": integration(service, path, verb, parameters),
    }


def operation_id(service: Service, path: str, verb: str, operation: Json) -> str:
    """Its name in SDKs. Under a prefix it has the prefix before it, so that two services may name theirs alike."""
    words = [verb, *path.replace("{", "").replace("}", "").split("/")[1:]]
    return "_".join([*service.prefix.split("/")[1:], operation.get("operationId") or "_".join(words)])


def security(service: Service, path: str, verb: str) -> Json:
    """The authorizer, unless the path is one of the open ones; a service that answers OPTIONS itself gets them
    without a token, since browsers send none then. Each operation has its own, because "API Gateway doesn't use root
    level security" (NOTES). What the contract asks for is not among it: its keys are parameters, and tokens are the
    authorizer's."""
    return {} if verb == "options" or path in service.open_paths else {"security": [{"authorizer": []}]}


def request_body(contract: Json, models: Models, operation: Json, name: str) -> Json:
    """The body's media types and models."""
    body = resolved(operation.get("requestBody", {}), contract)
    if not body:
        return {}
    described = {"description": body["description"]} if body.get("description") else {}
    media_types = content(models, body, name + "Request")
    return {"requestBody": {**described, "required": bool(body.get("required")), "content": media_types}}


def responses(contract: Json, models: Models, operation: Json, name: str) -> Json:
    """The responses with a status of three digits. `default` and ranges such as 4XX are no method responses ("API
    Gateway does not support Swagger's 'default' method response": https://github.com/rstudio/plumber/issues/856). The
    list is documentation: whatever the service answers is passed back."""
    made: Json = {}
    for status, written in operation.get("responses", {}).items():
        if str(status).isdigit():
            response = resolved(written, contract)
            headers = response_headers(contract, response)
            media_types = content(models, response, f"{name}Response{status}")
            made[str(status)] = {
                "description": response["description"],
                **({"headers": headers} if headers else {}),
                **({"content": media_types} if media_types else {}),
            }
    return made


def response_headers(contract: Json, response: Json) -> Json:
    """The headers, with description and type alone. The content type is not one of them, by OpenAPI."""
    headers = {name: resolved(header, contract) for name, header in response.get("headers", {}).items()}
    return {
        name: {
            **({"description": header["description"]} if header.get("description") else {}),
            "schema": {"type": parameter.type_of(contract, header)},
        }
        for name, header in headers.items()
        if name.lower() != "content-type"
    }


def content(models: Models, message: Json, name: str) -> Json:
    """The media types, each with a reference to its model; no `example`, which "is not supported" (NOTES). Ranges
    such as text/* are left out: the import refuses them.
    https://help.qlik.com/talend/en-US/api-designer-user-guide/Cloud/api-gateway-compatibility-mode"""
    made: Json = {}
    for written, media in message.get("content", {}).items():
        media_type = written.partition(";")[0].strip()
        if "*" not in media_type:
            kind = "" if media_type == "application/json" else alphanumeric(media_type.partition("/")[2])
            made[media_type] = {"schema": models.reference(media["schema"], name + kind)} if "schema" in media else {}
    return made


def integration(service: Service, path: str, verb: str, parameters: list[Parameter]) -> Json:
    """Passes the request on through the stage's VPC link, and the answer back, both as they are. `$${...}` is
    Terraform's way to write `${...}`, which here is API Gateway's for a stage variable."""
    return {
        "type": "http_proxy",
        "httpMethod": verb.upper(),
        "uri": f"${{base_urls.{service.name}}}{path}",
        "connectionType": "VPC_LINK",
        "connectionId": "$${stageVariables.VPCLINK}",
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": TIMEOUT_MILLISECONDS,
        "requestParameters": escaped(parameter.mappings(parameters)),
    }
