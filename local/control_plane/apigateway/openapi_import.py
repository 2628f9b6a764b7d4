"""From an OpenAPI 3 document with API Gateway's extensions to the API that it defines.

moto keeps the paths, their methods and integrations; AWS also makes models, request validators, authorizers, gateway
responses and documentation parts, and reads parameters, security, media types and the policy.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-import-api.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from moto.apigateway.exceptions import BadRequestException

from .model import Json, RestApi, new_id

EXTENSION = "x-amazon-apigateway-"
VERBS = ("get", "put", "post", "delete", "options", "head", "patch", EXTENSION + "any-method")
LOCATIONS = {"path": "path", "query": "querystring", "header": "header"}
AUTHORIZER_TYPES = {"token": "TOKEN", "request": "REQUEST", "cognito_user_pools": "COGNITO_USER_POOLS"}
DOCUMENTED = {"path": "PATH_PARAMETER", "query": "QUERY_PARAMETER", "header": "REQUEST_HEADER"}


def import_document(api: RestApi, document: Json) -> None:
    """Add what `document` defines to `api`; what the API already has under the same name is replaced."""
    if not str(document.get("openapi", "")).startswith("3."):
        raise BadRequestException("Only OpenAPI 3.x documents can be imported here")
    _Import(api, document).run()


class _Import:
    def __init__(self, api: RestApi, document: Json) -> None:
        self.api = api
        self.document = document
        self.authorizers: dict[str, Json] = {}
        """Security scheme → authorizer; a scheme that is an API key or a signature has none."""
        self.schemes: dict[str, Json] = document.get("components", {}).get("securitySchemes", {})

    def run(self) -> None:
        self.api_attributes()
        for name, schema in self.document.get("components", {}).get("schemas", {}).items():
            self.model(name, schema)
        for name, validator in self.extension("request-validators", {}).items():
            self.request_validator(name, validator)
        for response_type, response in self.extension("gateway-responses", {}).items():
            self.gateway_response(response_type, response)
        for name, scheme in self.schemes.items():
            if EXTENSION + "authorizer" in scheme:
                self.authorizers[name] = self.authorizer(name, scheme)
        for path, item in self.document.get("paths", {}).items():
            resource = self.api.resource_at(path)
            for verb in VERBS:
                if verb in item:
                    self.method(resource, verb, self.resolved(item[verb]), item.get("parameters", []))
        self.documentation()

    def extension(self, name: str, default: Any = None) -> Any:
        return self.document.get(EXTENSION + name, default)

    def resolved(self, value: Json) -> Json:
        """`value`, or what it refers to in this document. Schemas are not resolved: they become models."""
        while "$ref" in value:
            target: Any = self.document
            for token in value["$ref"].removeprefix("#/").split("/"):
                if token not in target:
                    raise BadRequestException(f"Unable to resolve {value['$ref']}")
                target = target[token]
            value = target
        return value

    def api_attributes(self) -> None:
        attributes, info = self.api.attributes, self.document.get("info", {})
        for source, name in (
            (info.get("title"), "name"),
            (info.get("version"), "version"),
            (info.get("description"), "description"),
        ):
            if source:
                attributes[name] = source
        for extension, name in (
            ("binary-media-types", "binaryMediaTypes"),
            ("api-key-source", "apiKeySource"),
            ("minimum-compression-size", "minimumCompressionSize"),
        ):
            if (value := self.extension(extension)) is not None:
                attributes[name] = value
        if policy := self.extension("policy"):
            attributes["policy"] = json.dumps(policy, separators=(",", ":"))
        endpoint = self.extension("endpoint-configuration", {})
        if "disableExecuteApiEndpoint" in endpoint:
            attributes["disableExecuteApiEndpoint"] = endpoint["disableExecuteApiEndpoint"]
        if "vpcEndpointIds" in endpoint:
            attributes["endpointConfiguration"]["vpcEndpointIds"] = endpoint["vpcEndpointIds"]

    def model(self, name: str, schema: Json, content_type: str = "application/json") -> str:
        self.api.put_model(
            name=name,
            schema=json.dumps(
                _with_references(schema, f"https://apigateway.amazonaws.com/restapis/{self.api.id}/models/")
            ),
            contentType=content_type,
            description=schema.get("description"),
        )
        return name

    def model_of(self, media_type: str, media: Json) -> str | None:
        """The name of a body's model. AWS makes a model, named MODEL and six characters, of a schema written inline."""
        schema = media.get("schema")
        if not schema:
            return None
        if set(schema) == {"$ref"}:
            return str(schema["$ref"].rsplit("/", 1)[-1])
        digest = hashlib.sha256(json.dumps(schema, sort_keys=True).encode()).hexdigest()
        return self.model(f"MODEL{digest[:6]}", schema, media_type)

    def request_validator(self, name: str, validator: Json) -> None:
        existing = next((old for old in self.api.request_validators.values() if old["name"] == name), {"id": new_id(6)})
        self.api.request_validators[existing["id"]] = {
            "id": existing["id"],
            "name": name,
            "validateRequestBody": bool(validator.get("validateRequestBody")),
            "validateRequestParameters": bool(validator.get("validateRequestParameters")),
        }

    def gateway_response(self, response_type: str, response: Json) -> None:
        document: Json = {
            "responseType": response_type,
            "responseParameters": response.get("responseParameters") or {},
            "responseTemplates": response.get("responseTemplates") or {},
            "defaultResponse": False,
        }
        if response.get("statusCode"):
            document["statusCode"] = str(response["statusCode"])
        self.api.gateway_responses[response_type] = document

    def authorizer(self, name: str, scheme: Json) -> Json:
        source = scheme[EXTENSION + "authorizer"]
        kind = AUTHORIZER_TYPES.get(source["type"])
        if kind is None:
            raise BadRequestException(
                f"Authorizer type {source['type']} of {name} is not one of {', '.join(AUTHORIZER_TYPES)}"
            )
        existing = next((old for old in self.api.authorizers.values() if old["name"] == name), {"id": new_id(6)})
        document = {
            "id": existing["id"],
            "name": name,
            "type": kind,
            "authType": scheme.get(EXTENSION + "authtype", "custom"),
            "identitySource": source.get("identitySource"),
            "authorizerUri": source.get("authorizerUri"),
            "authorizerCredentials": source.get("authorizerCredentials"),
            "identityValidationExpression": source.get("identityValidationExpression"),
            "authorizerResultTtlInSeconds": source.get("authorizerResultTtlInSeconds", 300),
            "providerARNs": source.get("providerARNs"),
        }
        if kind != "REQUEST" and not document["identitySource"]:
            document["identitySource"] = f"method.request.header.{scheme.get('name', 'Authorization')}"
        authorizer = {key: value for key, value in document.items() if value is not None}
        self.api.authorizers[authorizer["id"]] = authorizer
        return authorizer

    def method(self, resource: Json, verb: str, operation: Json, shared_parameters: list[Json]) -> None:
        verb = "ANY" if verb == EXTENSION + "any-method" else verb.upper()
        method: Json = {"httpMethod": verb, "apiKeyRequired": False, "authorizationType": "NONE", "methodResponses": {}}
        self.security(method, operation)
        if operation.get("operationId"):
            method["operationName"] = operation["operationId"]

        # A parameter of the operation replaces the path's of the same name and place.
        parameters = {
            f"method.request.{LOCATIONS[parameter['in']]}.{parameter['name']}": bool(parameter.get("required"))
            for parameter in map(self.resolved, [*shared_parameters, *operation.get("parameters", [])])
            if parameter["in"] in LOCATIONS
        }
        if parameters:
            method["requestParameters"] = parameters
        body = self.resolved(operation.get("requestBody", {})).get("content", {})
        models = {media_type: name for media_type, media in body.items() if (name := self.model_of(media_type, media))}
        if models:
            method["requestModels"] = models

        validator = operation.get(EXTENSION + "request-validator", self.extension("request-validator"))
        if validator:
            known = {document["name"]: document["id"] for document in self.api.request_validators.values()}
            if validator not in known:
                raise BadRequestException(f"Request validator {validator} is not defined")
            method["requestValidatorId"] = known[validator]

        for status, response in operation.get("responses", {}).items():
            if not str(status).isdigit():  # OpenAPI's `default`: a method response has a number
                continue
            method["methodResponses"][str(status)] = self.method_response(str(status), self.resolved(response))
        if integration := operation.get(EXTENSION + "integration"):
            method["methodIntegration"] = self.integration(resource, integration)
        resource.setdefault("resourceMethods", {})[verb] = method

    def security(self, method: Json, operation: Json) -> None:
        if operation.get(EXTENSION + "auth", {}).get("type") == "AWS_IAM":
            method["authorizationType"] = "AWS_IAM"
        # An operation's own list replaces the document's, an empty one too.
        requirements: list[Json] | None = operation.get("security", self.document.get("security"))
        for requirement in requirements or []:
            for name, scopes in requirement.items():
                scheme = self.schemes.get(name)
                if scheme is None:
                    raise BadRequestException(f"Security scheme {name} is not defined")
                if name in self.authorizers:
                    authorizer = self.authorizers[name]
                    cognito = authorizer["type"] == "COGNITO_USER_POOLS"
                    method["authorizationType"] = "COGNITO_USER_POOLS" if cognito else "CUSTOM"
                    method["authorizerId"] = authorizer["id"]
                    if scopes:
                        method["authorizationScopes"] = scopes
                elif scheme.get(EXTENSION + "authtype") == "awsSigv4":
                    method["authorizationType"] = "AWS_IAM"
                elif scheme.get("type") == "apiKey" and scheme.get("name", "").lower() == "x-api-key":
                    method["apiKeyRequired"] = True

    def method_response(self, status: str, response: Json) -> Json:
        document: Json = {"statusCode": status}
        if headers := response.get("headers"):
            document["responseParameters"] = {f"method.response.header.{name}": False for name in headers}
        models = {
            media_type: name
            for media_type, media in response.get("content", {}).items()
            if (name := self.model_of(media_type, media))
        }
        if models:
            document["responseModels"] = models
        return document

    def integration(self, resource: Json, source: Json) -> Json:
        responses = source.get("responses", {})
        document = {key: value for key, value in source.items() if key != "responses"}
        # Lower case and upper case both import; the API answers in upper case.
        document["type"] = source["type"].upper()
        document["passthroughBehavior"] = source.get("passthroughBehavior", "when_no_match").upper()
        document["timeoutInMillis"] = int(source.get("timeoutInMillis", 29000))
        document.setdefault("cacheNamespace", resource["id"])
        document.setdefault("cacheKeyParameters", [])
        document["integrationResponses"] = {
            str(response["statusCode"]): _integration_response(pattern, response)
            for pattern, response in responses.items()
        }
        return document

    def documentation(self) -> None:
        """Parts given in the extension come first; the document's own descriptions fill what they leave."""
        parts = [
            (part["location"], _properties(part["properties"]))
            for part in self.extension("documentation", {}).get("documentationParts", [])
        ]
        covered = [location for location, _ in parts]
        parts += [(location, properties) for location, properties in self.descriptions() if location not in covered]
        for location, properties in parts:
            put_documentation_part(self.api, location, properties)
        if version := self.extension("documentation", {}).get("version"):
            snapshot = list(self.api.documentation_parts.values())
            self.api.documentation_versions.setdefault(
                version, {"version": version, "createdDate": self.api.attributes["createdDate"], "parts": snapshot}
            )

    def descriptions(self) -> Iterator[tuple[Json, Json]]:
        info = {key: value for key, value in self.document.get("info", {}).items() if key not in ("title", "version")}
        if info:
            yield {"type": "API"}, {"info": info}
        for name, schema in self.document.get("components", {}).get("schemas", {}).items():
            if described := _described(schema):
                yield {"type": "MODEL", "name": name}, described
        for path, item in self.document.get("paths", {}).items():
            if described := _described(item):
                yield {"type": "RESOURCE", "path": path}, described
            for verb in VERBS:
                if verb in item:
                    yield from self.method_descriptions(path, verb, item[verb], item.get("parameters", []))

    def method_descriptions(
        self, path: str, verb: str, operation: Json, shared: list[Json]
    ) -> Iterator[tuple[Json, Json]]:
        where = {"path": path, "method": "ANY" if verb.startswith("x-") else verb.upper()}
        if described := _described(operation, "tags"):
            yield {"type": "METHOD", **where}, described
        for parameter in map(self.resolved, [*shared, *operation.get("parameters", [])]):
            if parameter["in"] in DOCUMENTED and (described := _described(parameter)):
                yield {"type": DOCUMENTED[parameter["in"]], **where, "name": parameter["name"]}, described
        if described := _described(self.resolved(operation.get("requestBody", {}))):
            yield {"type": "REQUEST_BODY", **where}, described
        for status, response in operation.get("responses", {}).items():
            response = self.resolved(response)
            if described := _described(response):
                yield {"type": "RESPONSE", **where, "statusCode": str(status)}, described
            for name, header in response.get("headers", {}).items():
                if described := _described(self.resolved(header)):
                    yield {"type": "RESPONSE_HEADER", **where, "statusCode": str(status), "name": name}, described


def put_documentation_part(api: RestApi, location: Json, properties: Json) -> None:
    """Add a part; one at the same location gets the new properties and keeps its others."""
    for part in api.documentation_parts.values():
        if part["location"] == location:
            part["properties"] = json.dumps({**json.loads(part["properties"]), **properties})
            return
    api.put_documentation_part(location, json.dumps(properties))


def _described(source: Json, *more: str) -> Json:
    return {key: source[key] for key in ("summary", "description", *more) if source.get(key)}


def _properties(properties: Any) -> Json:
    loaded: Json = json.loads(properties) if isinstance(properties, str) else properties
    return loaded


def _integration_response(pattern: str, response: Json) -> Json:
    document: Json = {
        "statusCode": str(response["statusCode"]),
        "responseTemplates": response.get("responseTemplates") or {},
    }
    if pattern != "default":
        document["selectionPattern"] = pattern
    for name in ("responseParameters", "contentHandling"):
        if response.get(name):
            document[name] = response[name]
    return document


def _with_references(schema: Any, base: str) -> Any:
    """Inside a model, another model is referred to by its URL."""
    if isinstance(schema, dict):
        return {
            key: base + value.rsplit("/", 1)[-1]
            if key == "$ref" and isinstance(value, str)
            else _with_references(value, base)
            for key, value in schema.items()
        }
    if isinstance(schema, list):
        return [_with_references(item, base) for item in schema]
    return schema
