"""Resources, their methods and integrations, and the responses of both.

https://docs.aws.amazon.com/apigateway/latest/api/API_Resource.html
https://docs.aws.amazon.com/apigateway/latest/api/API_Method.html
https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
"""

from __future__ import annotations

import re

from moto.apigateway.exceptions import BadRequestException, ConflictException
from moto.core.common_types import TYPE_RESPONSE

from .model import Json, find
from .patch import patch
from .request import Request, answer, items

INTEGRATION_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
INTEGRATION_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+:[\w.-]+:(path|action)/")
PATH_PART = re.compile(r"\{[\w.:-]+\+?\}|[\w.:-]+")


class Methods(Request):
    def create_resource(self) -> TYPE_RESPONSE:
        api, part = self.api, self.given["pathPart"]
        if not PATH_PART.fullmatch(part):
            raise BadRequestException(
                f"Resource's path part {part} may hold letters, digits, '.', '_', '-' and ':', or be a {{variable}}"
            )
        parent = find(api.resources, self.path_value("parent_id"), "Resource")
        if any(other.get("parentId") == parent["id"] and other["pathPart"] == part for other in api.resources.values()):
            raise ConflictException(f"Another resource with the same parent already has this name: {part}")
        return answer(api.create_resource(parent, part), 201)

    def get_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.resources, self.path_value("resource_id"), "Resource"))

    def get_resources(self) -> TYPE_RESPONSE:  # type: ignore[override]
        # AWS leaves each method empty unless asked with embed=methods; moto never did, and more does not hurt.
        return items(self.api.resources.values())

    def update_resource(self) -> TYPE_RESPONSE:
        api = self.api
        resource = find(api.resources, self.path_value("resource_id"), "Resource")
        patch(resource, self.operations, "Resource")
        api.move_resource(resource)
        return answer(resource)

    def delete_resource(self) -> TYPE_RESPONSE:
        api = self.api
        api.delete_resource(find(api.resources, self.path_value("resource_id"), "Resource"))
        return answer(None, 202)

    @property
    def the_method(self) -> Json:
        return self.api.method(self.path_value("resource_id"), self.path_value("http_method"))

    def put_method(self) -> TYPE_RESPONSE:
        resource = find(self.api.resources, self.path_value("resource_id"), "Resource")
        verb = self.path_value("http_method")
        method = {"apiKeyRequired": False, **self.given, "httpMethod": verb, "methodResponses": {}}
        resource.setdefault("resourceMethods", {})[verb] = method
        return answer(method, 201)

    def get_method(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(self.the_method)

    def update_method(self) -> TYPE_RESPONSE:
        method = self.the_method
        patch(method, self.operations, "Method")
        return answer(method)

    def delete_method(self) -> TYPE_RESPONSE:
        resource = find(self.api.resources, self.path_value("resource_id"), "Resource")
        find(resource.get("resourceMethods", {}), self.path_value("http_method"), "Method")
        del resource["resourceMethods"][self.path_value("http_method")]
        if not resource["resourceMethods"]:
            del resource["resourceMethods"]
        return answer(None, 204)

    def put_method_response(self) -> TYPE_RESPONSE:
        response = {**self.given, "statusCode": self.path_value("status_code")}
        self.the_method["methodResponses"][response["statusCode"]] = response
        return answer(response, 201)

    def get_method_response(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.the_method["methodResponses"], self.path_value("status_code"), "Response status code"))

    def update_method_response(self) -> TYPE_RESPONSE:
        response = find(self.the_method["methodResponses"], self.path_value("status_code"), "Response status code")
        patch(response, self.operations, "MethodResponse")
        return answer(response, 201)

    def delete_method_response(self) -> TYPE_RESPONSE:
        self.the_method["methodResponses"].pop(self.path_value("status_code"), None)
        return answer(None, 204)

    @property
    def the_integration(self) -> Json:
        return find(self.the_method, "methodIntegration", "Integration")

    def put_integration(self) -> TYPE_RESPONSE:
        given = self.given
        require_valid_integration(given, self.current_account)
        integration = {
            "passthroughBehavior": "WHEN_NO_MATCH",
            "timeoutInMillis": 29000,
            "cacheNamespace": self.path_value("resource_id"),
            "cacheKeyParameters": [],
            **given,
        }
        self.the_method["methodIntegration"] = integration
        return answer(integration, 201)

    def get_integration(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(self.the_integration)

    def update_integration(self) -> TYPE_RESPONSE:
        integration = self.the_integration
        patch(integration, self.operations, "Integration")
        return answer(integration)

    def delete_integration(self) -> TYPE_RESPONSE:
        self.the_method.pop("methodIntegration", None)
        return answer(None, 204)

    def put_integration_response(self) -> TYPE_RESPONSE:
        response = {**self.given, "statusCode": self.path_value("status_code")}
        self.the_integration.setdefault("integrationResponses", {})[response["statusCode"]] = response
        return answer(response, 201)

    @property
    def the_integration_response(self) -> Json:
        responses = self.the_integration.get("integrationResponses", {})
        return find(responses, self.path_value("status_code"), "Response status code")

    def get_integration_response(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(self.the_integration_response)

    def update_integration_response(self) -> TYPE_RESPONSE:
        response = self.the_integration_response
        patch(response, self.operations, "IntegrationResponse")
        return answer(response)

    def delete_integration_response(self) -> TYPE_RESPONSE:
        self.the_integration.get("integrationResponses", {}).pop(self.path_value("status_code"), None)
        return answer(None, 204)


def require_valid_integration(integration: Json, account: str) -> None:
    kind, uri = integration.get("type"), integration.get("uri", "")
    if kind not in INTEGRATION_TYPES:
        raise BadRequestException(f"Invalid integration type {kind}: give one of {', '.join(INTEGRATION_TYPES)}")
    if kind != "MOCK" and not integration.get("httpMethod"):
        raise BadRequestException("Enumeration value for HttpMethod must be non-empty")
    if kind in ("AWS", "AWS_PROXY") and not INTEGRATION_ARN.match(uri):
        raise BadRequestException(f"AWS ARN for integration must contain path or action: {uri}")
    if kind in ("HTTP", "HTTP_PROXY") and not uri.startswith(("http://", "https://")):
        raise BadRequestException(f"Invalid HTTP endpoint specified for URI: {uri}")
    credentials = integration.get("credentials")
    if credentials and not re.match(rf"arn:aws[\w-]*:iam::({account}|\*):", credentials):
        raise BadRequestException("Cross-account pass role is not allowed.")
