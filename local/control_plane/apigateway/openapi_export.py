"""From an API to an OpenAPI 3 document with API Gateway's extensions.

The document holds all there is: importing it gives the same API again. It is written when an API is deployed, and kept
with the deployment; GetExport of a stage answers its deployment's.
https://docs.aws.amazon.com/apigateway/latest/api/API_GetExport.html
"""

from __future__ import annotations

import json
from typing import Any

from .model import Json, RestApi
from .openapi_import import EXTENSION, LOCATIONS

API_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}
SIGNATURE = {"type": "apiKey", "name": "Authorization", "in": "header", EXTENSION + "authtype": "awsSigv4"}
PLACES = {place: name for name, place in LOCATIONS.items()}
INTEGRATION_ORDER = (
    "type",
    "httpMethod",
    "uri",
    "connectionType",
    "connectionId",
    "credentials",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "contentHandling",
    "timeoutInMillis",
    "cacheNamespace",
    "cacheKeyParameters",
    "tlsConfig",
)


def export_document(api: RestApi) -> Json:
    """The whole API."""
    document: Json = {
        "openapi": "3.0.1",
        "info": {
            "title": api.attributes["name"],
            "version": str(api.attributes.get("version", api.attributes["createdDate"])),
        },
        "paths": {},
        "components": {},
    }
    if description := api.attributes.get("description"):
        document["info"]["description"] = description
    for resource in sorted(api.resources.values(), key=lambda resource: str(resource["path"])):
        if methods := resource.get("resourceMethods"):
            document["paths"][resource["path"]] = {
                _verb(verb): _operation(api, resource, method) for verb, method in sorted(methods.items())
            }
    if schemas := {name: _schema(model) for name, model in sorted(api.models.items())}:
        document["components"]["schemas"] = schemas
    if schemes := _security_schemes(api):
        document["components"]["securitySchemes"] = schemes
    document.update(_api_extensions(api))
    return document


def select_extensions(document: Json, extensions: set[str]) -> Json:
    """`document` with the extensions that GetExport was asked for: `integrations`, `authorizers`, `documentation`, or
    `apigateway` for all but the documentation."""
    if "apigateway" in extensions:
        kept = {key for key in _extension_names(document) if key != EXTENSION + "documentation"}
    else:
        kept = set()
    if "integrations" in extensions:
        kept |= {EXTENSION + "integration", EXTENSION + "any-method"}
    if "authorizers" in extensions:
        kept |= {EXTENSION + "authorizer", EXTENSION + "authtype"}
    if "documentation" in extensions:
        kept |= {EXTENSION + "documentation"}
    # Without it the method itself would be lost, not only what is AWS's in it.
    kept |= {EXTENSION + "any-method"}
    selected: Json = _without_extensions(document, kept)
    return selected


def _extension_names(value: Any) -> set[str]:
    if isinstance(value, dict):
        return {key for key in value if key.startswith(EXTENSION)}.union(*map(_extension_names, value.values()))
    if isinstance(value, list):
        return set().union(*map(_extension_names, value))
    return set()


def _without_extensions(value: Any, kept: set[str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_extensions(item, kept)
            for key, item in value.items()
            if not key.startswith(EXTENSION) or key in kept
        }
    if isinstance(value, list):
        return [_without_extensions(item, kept) for item in value]
    return value


def _verb(verb: str) -> str:
    return EXTENSION + "any-method" if verb == "ANY" else verb.lower()


def _operation(api: RestApi, resource: Json, method: Json) -> Json:
    operation: Json = {}
    where = {"path": resource["path"], "method": method["httpMethod"]}
    operation.update(_documentation(api, {"type": "METHOD", **where}))
    if "operationName" in method:
        operation["operationId"] = method["operationName"]
    if parameters := [_parameter(*entry) for entry in method.get("requestParameters", {}).items()]:
        operation["parameters"] = parameters
    if models := method.get("requestModels"):
        operation["requestBody"] = {"content": _content(models), "required": True}
    operation["responses"] = {
        status: _response(api, response, where)
        for status, response in sorted(method.get("methodResponses", {}).items())
    }
    if security := _security(api, method):
        operation["security"] = security
    if validator := method.get("requestValidatorId"):
        operation[EXTENSION + "request-validator"] = api.request_validators[validator]["name"]
    if integration := method.get("methodIntegration"):
        operation[EXTENSION + "integration"] = _integration(integration)
    return operation


def _parameter(source: str, required: bool) -> Json:
    place, name = source.removeprefix("method.request.").split(".", 1)
    parameter: Json = {"name": name, "in": PLACES[place], "schema": {"type": "string"}}
    if required:
        parameter["required"] = True
    return parameter


def _content(models: dict[str, str]) -> Json:
    return {media_type: {"schema": {"$ref": f"#/components/schemas/{name}"}} for media_type, name in models.items()}


def _response(api: RestApi, response: Json, where: Json) -> Json:
    status = response["statusCode"]
    documented = _documentation(api, {"type": "RESPONSE", **where, "statusCode": status})
    document: Json = {"description": documented.get("description", f"{status} response")}
    if parameters := response.get("responseParameters"):
        document["headers"] = {
            name.removeprefix("method.response.header."): {"schema": {"type": "string"}} for name in parameters
        }
    if models := response.get("responseModels"):
        document["content"] = _content(models)
    return document


def _security(api: RestApi, method: Json) -> list[Json]:
    requirement: Json = {}
    if authorizer := method.get("authorizerId"):
        requirement[api.authorizers[authorizer]["name"]] = method.get("authorizationScopes", [])
    elif method.get("authorizationType") == "AWS_IAM":
        requirement["sigv4"] = []
    if method.get("apiKeyRequired"):
        requirement["api_key"] = []
    return [requirement] if requirement else []


def _security_schemes(api: RestApi) -> Json:
    schemes: Json = {}
    methods = [method for resource in api.resources.values() for method in resource.get("resourceMethods", {}).values()]
    if any(method.get("apiKeyRequired") for method in methods):
        schemes["api_key"] = API_KEY
    if any(method.get("authorizationType") == "AWS_IAM" for method in methods):
        schemes["sigv4"] = SIGNATURE
    for authorizer in api.authorizers.values():
        source = authorizer.get("identitySource", "")
        header = (
            source.removeprefix("method.request.header.") if source.startswith("method.request.header.") else "Unused"
        )
        schemes[authorizer["name"]] = {
            "type": "apiKey",
            "name": header.split(",")[0],
            "in": "header",
            EXTENSION + "authtype": authorizer.get("authType", "custom"),
            EXTENSION + "authorizer": {
                "type": authorizer["type"].lower(),
                **{key: value for key, value in authorizer.items() if key not in ("id", "name", "type", "authType")},
            },
        }
    return schemes


def _integration(integration: Json) -> Json:
    document = {name: integration[name] for name in INTEGRATION_ORDER if integration.get(name) not in (None, [], {})}
    document["type"] = integration["type"].lower()
    if "passthroughBehavior" in document:
        document["passthroughBehavior"] = document["passthroughBehavior"].lower()
    if responses := integration.get("integrationResponses"):
        document["responses"] = {
            response.get("selectionPattern") or "default": {
                key: value for key, value in response.items() if key != "selectionPattern" and value not in (None, {})
            }
            for response in responses.values()
        }
    return document


def _schema(model: Json) -> Any:
    return _with_local_references(json.loads(model.get("schema") or "{}"))


def _with_local_references(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            key: f"#/components/schemas/{value.rsplit('/', 1)[-1]}"
            if key == "$ref" and isinstance(value, str) and "/models/" in value
            else _with_local_references(value)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_with_local_references(item) for item in schema]
    return schema


def _documentation(api: RestApi, location: Json) -> Json:
    for part in api.documentation_parts.values():
        if part["location"] == location:
            properties: Json = json.loads(part["properties"])
            return properties
    return {}


def _api_extensions(api: RestApi) -> Json:
    extensions: Json = {}
    if api.request_validators:
        extensions["request-validators"] = {
            validator["name"]: {
                "validateRequestBody": validator["validateRequestBody"],
                "validateRequestParameters": validator["validateRequestParameters"],
            }
            for validator in api.request_validators.values()
        }
    if api.gateway_responses:
        extensions["gateway-responses"] = {
            response_type: {
                key: value
                for key, value in response.items()
                if key not in ("responseType", "defaultResponse") and value
            }
            for response_type, response in sorted(api.gateway_responses.items())
        }
    for attribute, name in (
        ("binaryMediaTypes", "binary-media-types"),
        ("apiKeySource", "api-key-source"),
        ("minimumCompressionSize", "minimum-compression-size"),
    ):
        if (value := api.attributes.get(attribute)) not in (None, []):
            extensions[name] = value
    if policy := api.attributes.get("policy"):
        extensions["policy"] = json.loads(policy)
    if api.attributes.get("disableExecuteApiEndpoint"):
        extensions["endpoint-configuration"] = {"disableExecuteApiEndpoint": True}
    if api.documentation_parts:
        extensions["documentation"] = {
            "documentationParts": [
                {"location": part["location"], "properties": json.loads(part["properties"])}
                for part in api.documentation_parts.values()
            ]
        }
    return {EXTENSION + name: value for name, value in extensions.items()}
