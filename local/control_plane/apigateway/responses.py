"""The operations of REST APIs: each method is the AWS operation of that name.

moto answers API keys, usage plans, custom domain names, base path mappings, VPC links and the account; everything that
belongs to one REST API is answered here.
https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from threading import RLock
from typing import Any
from urllib.parse import unquote

import yaml
from moto.apigateway import models
from moto.apigateway.exceptions import (
    BadRequestException,
    ConflictException,
    InvalidRestApiIdForBasePathMappingException,
    NotFoundException,
    RestAPINotFound,
    StageNotFoundException,
)
from moto.apigateway.responses import APIGatewayResponse
from moto.core.common_types import TYPE_RESPONSE
from moto.core.utils import camelcase_to_underscores

from .model import Deployment, Json, RestApi, Stage, find, new_id
from .openapi_export import export_document, select_extensions
from .openapi_import import import_document, put_documentation_part
from .patch import Operation, patch, patch_stage

# Terraform makes ten requests at a time, and an API is many dictionaries that belong together.
ONE_AT_A_TIME = RLock()

INTEGRATION_TYPES = ("AWS", "AWS_PROXY", "HTTP", "HTTP_PROXY", "MOCK")
INTEGRATION_ARN = re.compile(r"arn:aws[\w-]*:apigateway:[\w-]+:[\w.-]+:(path|action)/")
PATH_PART = re.compile(r"\{[\w.:-]+\+?\}|[\w.:-]+")


class UsagePlan(models.UsagePlan):
    """moto keeps a changed limit as text and cuts a changed rate to a whole number; AWS keeps both as numbers, and has
    throttling per method of a stage as well."""

    def apply_patch_operations(self, patch_operations: list[dict[str, Any]]) -> None:
        for operation in patch_operations:
            parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].strip("/").split("/")]
            if parts[0] == "apiStages" and len(parts) > 1:
                self._throttle_method(parts[1:], operation)
            elif parts[0] == "apiStages" or operation["op"] == "remove":
                super().apply_patch_operations([operation])
            else:
                document = self.to_json()
                patch(document, [operation], "UsagePlan")
                self.name, self.description = document["name"], document["description"]
                self.product_code = document.get("productCode")
                self.throttle, self.quota = document.get("throttle", {}), document.get("quota", {})

    def _throttle_method(self, parts: list[str], operation: dict[str, Any]) -> None:
        """`/apiStages/{api}:{stage}/throttle/{resource}/{verb}/rateLimit`, or a part of it to remove all below."""
        api, stage = parts[0].split(":")
        attached = next((entry for entry in self.api_stages if (entry["apiId"], entry["stage"]) == (api, stage)), None)
        if attached is None:
            raise NotFoundException(f"Usage plan {self.id} has no stage {parts[0]}")
        if operation["op"] != "remove":
            method = attached.setdefault("throttle", {}).setdefault("/".join(parts[2:-1]), {})
            method[parts[-1]] = float(operation["value"]) if parts[-1] == "rateLimit" else int(operation["value"])
        elif len(parts) <= 2:
            attached.pop("throttle", None)
        else:
            attached.get("throttle", {}).pop("/".join(parts[2:]), None)


class Backend(models.APIGatewayBackend):
    """moto's state, with REST APIs of ours in it: moto's base path mappings and WAF look into `apis` and at stages."""

    apis: dict[str, RestApi]  # type: ignore[assignment]

    def get_rest_api(self, function_id: str) -> RestApi:  # type: ignore[override]
        if function_id not in self.apis:
            raise RestAPINotFound()
        return self.apis[function_id]

    def get_stage(self, function_id: str, stage_name: str) -> Stage:  # type: ignore[override]
        stages = self.get_rest_api(function_id).stages
        if stage_name not in stages:
            raise StageNotFoundException()
        return stages[stage_name]


class Response(APIGatewayResponse):
    def call_action(self) -> TYPE_RESPONSE:
        with ONE_AT_A_TIME:
            return super().call_action()

    @property
    def backend(self) -> Backend:
        backend = super().backend
        assert isinstance(backend, Backend)
        return backend

    # What a request says.

    @property
    def api(self) -> RestApi:
        return self.backend.get_rest_api(self.path_value("restapi_id"))

    @property
    def given(self) -> Json:
        """The JSON members of the body."""
        given: Json = json.loads(self.body) if self.body else {}
        return given

    @property
    def operations(self) -> list[Operation]:
        operations: list[Operation] = self.given.get("patchOperations", [])
        return operations

    def path_value(self, name: str) -> str:
        return unquote(str(self.uri_match[name]))

    def query_value(self, name: str, default: str = "") -> str:
        return str(self.querystring.get(name, [default])[0])

    def query_values(self, name: str) -> set[str]:
        """`a=x&a=y` and `a=x,y` alike."""
        return {value for text in self.querystring.get(name, []) for value in text.split(",")}

    # REST APIs.

    def create_rest_api(self) -> TYPE_RESPONSE:
        given = self.given
        if not given.get("name"):
            raise BadRequestException("API name must not be empty")
        attributes = {
            key: value for key, value in given.items() if key not in ("cloneFrom", "name") and value is not None
        }
        if "endpointConfiguration" in attributes:
            attributes["endpointConfiguration"].setdefault("ipAddressType", "ipv4")
        api = RestApi.create(given["name"], **attributes)
        self.backend.apis[api.id] = api
        return answer(api.document(), 201)

    def import_rest_api(self) -> TYPE_RESPONSE:
        document = self.openapi()
        api = RestApi.create(document.get("info", {}).get("title", "Imported API"))
        api.clear_definition()
        import_document(api, document)
        self.backend.apis[api.id] = api
        return answer(api.document(), 201)

    def put_rest_api(self) -> TYPE_RESPONSE:
        mode = self.query_value("mode", "merge")
        if mode not in ("merge", "overwrite"):
            raise BadRequestException(f"Invalid mode {mode}: give merge or overwrite")
        api, document = self.api, self.openapi()
        if mode == "overwrite":
            api.clear_definition()
        import_document(api, document)
        return answer(api.document())

    def openapi(self) -> Json:
        """The body, which may be JSON or YAML; JSON is YAML too."""
        try:
            document = yaml.safe_load(self.body)
        except yaml.YAMLError as error:
            raise BadRequestException(f"Unable to parse the API definition: {error}") from error
        if not isinstance(document, dict):
            raise BadRequestException("Unable to parse the API definition: it is not an object")
        return document

    def get_rest_apis(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(api.document() for api in self.backend.apis.values())

    def get_rest_api(self) -> TYPE_RESPONSE:
        return answer(self.api.document())

    def update_rest_api(self) -> TYPE_RESPONSE:
        patch(self.api.attributes, self.operations, "RestApi")
        return answer(self.api.document())

    def delete_rest_api(self) -> TYPE_RESPONSE:
        api = self.api
        for domain, mappings in self.backend.base_path_mappings.items():
            if any(mapping.rest_api_id == api.id for mapping in mappings.values()):
                raise BadRequestException(
                    f"Please remove all base path mappings of {domain} that refer to this API first"
                )
        del self.backend.apis[api.id]
        return answer(None, 202)

    # Resources and methods.

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

    # Models, validators, authorizers, gateway responses.

    def create_model(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        if given["name"] in api.models:
            raise ConflictException(f"Model name already exists for this REST API: {given['name']}")
        return answer(api.put_model(**{"schema": "{}", **given}), 201)

    def get_model(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.models, self.path_value("model_name"), "Model"))

    def get_models(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.models.values())

    def update_model(self) -> TYPE_RESPONSE:
        model = find(self.api.models, self.path_value("model_name"), "Model")
        patch(model, self.operations, "Model")
        return answer(model)

    def delete_model(self) -> TYPE_RESPONSE:
        return delete(self.api.models, self.path_value("model_name"), "Model")

    def create_request_validator(self) -> TYPE_RESPONSE:
        validator = {"id": new_id(6), "validateRequestBody": False, "validateRequestParameters": False, **self.given}
        self.api.request_validators[validator["id"]] = validator
        return answer(validator, 201)

    def get_request_validator(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator"))

    def get_request_validators(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.request_validators.values())

    def update_request_validator(self) -> TYPE_RESPONSE:  # type: ignore[override]
        validator = find(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator")
        patch(validator, self.operations, "RequestValidator")
        return answer(validator)

    def delete_request_validator(self) -> TYPE_RESPONSE:
        return delete(self.api.request_validators, self.path_value("requestvalidator_id"), "Request Validator")

    def create_authorizer(self) -> TYPE_RESPONSE:
        authorizer = {"id": new_id(6), "authorizerResultTtlInSeconds": 300, **self.given}
        self.api.authorizers[authorizer["id"]] = authorizer
        return answer(authorizer, 201)

    def get_authorizer(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(find(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer"))

    def get_authorizers(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(self.api.authorizers.values())

    def update_authorizer(self) -> TYPE_RESPONSE:  # type: ignore[override]
        authorizer = find(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer")
        patch(authorizer, self.operations, "Authorizer")
        return answer(authorizer)

    def delete_authorizer(self) -> TYPE_RESPONSE:
        return delete(self.api.authorizers, self.path_value("authorizer_id"), "Authorizer")

    def put_gateway_response(self) -> TYPE_RESPONSE:
        response = {
            "responseParameters": {},
            "responseTemplates": {},
            **self.given,
            "responseType": self.path_value("response_type"),
            "defaultResponse": False,
        }
        self.api.gateway_responses[response["responseType"]] = response
        return answer(response, 201)

    def get_gateway_response(self) -> TYPE_RESPONSE:
        return answer(find(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response"))

    def get_gateway_responses(self) -> TYPE_RESPONSE:
        return items(self.api.gateway_responses.values())

    def update_gateway_response(self) -> TYPE_RESPONSE:
        response = find(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response")
        patch(response, self.operations, "GatewayResponse")
        return answer(response)

    def delete_gateway_response(self) -> TYPE_RESPONSE:
        return delete(self.api.gateway_responses, self.path_value("response_type"), "Gateway Response")

    # Documentation.

    def create_documentation_part(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        if any(part["location"] == given["location"] for part in api.documentation_parts.values()):
            raise ConflictException("Documentation part already exists for the specified location")
        return answer(api.put_documentation_part(given["location"], given["properties"]), 201)

    def import_documentation_parts(self) -> TYPE_RESPONSE:
        api = self.api
        if self.query_value("mode") == "overwrite":
            api.documentation_parts.clear()
        before = set(api.documentation_parts)
        for part in self.openapi().get("x-amazon-apigateway-documentation", {}).get("documentationParts", []):
            properties = part["properties"]
            put_documentation_part(
                api, part["location"], json.loads(properties) if isinstance(properties, str) else properties
            )
        return answer({"ids": [part for part in api.documentation_parts if part not in before], "warnings": []})

    def get_documentation_part(self) -> TYPE_RESPONSE:
        return answer(find(self.api.documentation_parts, self.path_value("part_id"), "Documentation part"))

    def get_documentation_parts(self) -> TYPE_RESPONSE:
        wanted = {key: self.query_value(key) for key in ("type", "path", "name") if self.query_value(key)}
        return items(
            part for part in self.api.documentation_parts.values() if wanted.items() <= part["location"].items()
        )

    def update_documentation_part(self) -> TYPE_RESPONSE:
        part = find(self.api.documentation_parts, self.path_value("part_id"), "Documentation part")
        patch(part, self.operations, "DocumentationPart")
        return answer(part)

    def delete_documentation_part(self) -> TYPE_RESPONSE:
        return delete(self.api.documentation_parts, self.path_value("part_id"), "Documentation part")

    def create_documentation_version(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        name = given["documentationVersion"]
        if name in api.documentation_versions:
            raise ConflictException(f"Documentation version already exists: {name}")
        version = {"version": name, "createdDate": int(time.time())}
        if given.get("description"):
            version["description"] = given["description"]
        api.documentation_versions[name] = version
        if given.get("stageName"):
            self.backend.get_stage(api.id, given["stageName"]).document["documentationVersion"] = name
        return answer(version, 201)

    def get_documentation_version(self) -> TYPE_RESPONSE:
        return answer(find(self.api.documentation_versions, self.path_value("doc_version"), "Documentation version"))

    def get_documentation_versions(self) -> TYPE_RESPONSE:
        return items(self.api.documentation_versions.values())

    def update_documentation_version(self) -> TYPE_RESPONSE:
        version = find(self.api.documentation_versions, self.path_value("doc_version"), "Documentation version")
        patch(version, self.operations, "DocumentationVersion")
        return answer(version)

    def delete_documentation_version(self) -> TYPE_RESPONSE:
        return delete(self.api.documentation_versions, self.path_value("doc_version"), "Documentation version")

    # Deployments and stages.

    def create_deployment(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        api.require_deployable()
        document: Json = {"id": new_id(6), "createdDate": int(time.time())}
        if given.get("description"):
            document["description"] = given["description"]
        api.deployments[document["id"]] = Deployment(document, json.dumps(export_document(api)))
        if name := given.get("stageName"):
            stage = api.stages.setdefault(name, Stage(new_stage(name)))
            stage.document.update({"deploymentId": document["id"], "lastUpdatedDate": int(time.time())})
            for source, target in (("stageDescription", "description"), ("variables", "variables")):
                if given.get(source):
                    stage.document[target] = given[source]
        return answer(document, 201)

    @property
    def the_deployment(self) -> Deployment:
        identifier, deployments = self.path_value("deployment_id"), self.api.deployments
        if identifier not in deployments:
            raise NotFoundException("Invalid Deployment identifier specified")
        return deployments[identifier]

    def get_deployment(self) -> TYPE_RESPONSE:  # type: ignore[override]
        deployment = self.the_deployment
        if "apisummary" in self.query_values("embed"):
            return answer({**deployment.document, "apiSummary": summary(json.loads(deployment.definition))})
        return answer(deployment.document)

    def get_deployments(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return items(deployment.document for deployment in self.api.deployments.values())

    def update_deployment(self) -> TYPE_RESPONSE:
        deployment = self.the_deployment
        patch(deployment.document, self.operations, "Deployment")
        return answer(deployment.document)

    def delete_deployment(self) -> TYPE_RESPONSE:
        api, identifier = self.api, self.the_deployment.document["id"]
        if any(stage.document["deploymentId"] == identifier for stage in api.stages.values()):
            raise BadRequestException("Active stages pointing to this deployment must be moved or deleted")
        del api.deployments[identifier]
        return answer(None, 202)

    def create_stage(self) -> TYPE_RESPONSE:
        given, api = self.given, self.api
        name = given["stageName"]
        if name in api.stages:
            raise ConflictException("Stage already exists")
        require_deployment(api, given.get("deploymentId", ""))
        stage = Stage({**new_stage(name), **{key: value for key, value in given.items() if value is not None}})
        api.stages[name] = stage
        return answer(stage.document, 201)

    @property
    def the_stage(self) -> Stage:
        return self.backend.get_stage(self.path_value("restapi_id"), self.path_value("stage_name"))

    def get_stage(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer(self.the_stage.document)

    def get_stages(self) -> TYPE_RESPONSE:  # type: ignore[override]
        wanted = self.query_value("deploymentId")
        return items(
            stage.document
            for stage in self.api.stages.values()
            if not wanted or stage.document["deploymentId"] == wanted
        )

    def update_stage(self) -> TYPE_RESPONSE:  # type: ignore[override]
        stage = self.the_stage.document
        for operation in self.operations:
            if operation["path"] == "/deploymentId":
                require_deployment(self.api, operation["value"])
        patch_stage(stage, self.operations)
        stage["lastUpdatedDate"] = int(time.time())
        return answer(stage)

    def delete_stage(self) -> TYPE_RESPONSE:
        stages = self.api.stages
        if self.path_value("stage_name") not in stages:
            raise StageNotFoundException()
        del stages[self.path_value("stage_name")]
        return answer(None, 202)

    def get_export(self) -> TYPE_RESPONSE:
        kind = self.path_value("export_type")
        if kind != "oas30":
            raise BadRequestException(f"Export type {kind} is not made here: give oas30")
        api, stage = self.api, self.the_stage.document
        definition = json.loads(api.deployments[stage["deploymentId"]].definition)
        document = select_extensions(definition, self.query_values("extensions"))
        document["servers"] = [
            {
                "url": f"https://{api.id}.execute-api.{self.region}.amazonaws.com/{{basePath}}",
                "variables": {"basePath": {"default": stage["stageName"]}},
            }
        ]
        as_yaml = "yaml" in self.headers.get("Accept", "")
        body = yaml.safe_dump(document, sort_keys=False) if as_yaml else json.dumps(document)
        name = f"oas30_{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}.{'yaml' if as_yaml else 'json'}"
        headers = {
            "Content-Type": "application/yaml" if as_yaml else "application/json",
            "Content-Disposition": f'attachment; filename="{name}"',
        }
        return 200, headers, body.encode()

    # What moto has, and of which it lacks the change.

    def update_vpc_link(self) -> TYPE_RESPONSE:
        link = self.backend.get_vpc_link(self.path_value("vpclink_id"))
        return answer(patched(link, link.to_json(), self.operations, "VpcLink"))

    def update_domain_name(self) -> TYPE_RESPONSE:
        domain = self.backend.get_domain_name(self.path_value("domain_name"))
        return answer(patched(domain, domain.to_json(), self.operations, "DomainName"))

    def create_base_path_mapping(self) -> TYPE_RESPONSE:
        if self.given["restApiId"] not in self.backend.apis:
            raise InvalidRestApiIdForBasePathMappingException()
        return super().create_base_path_mapping()

    # Tags, of everything that has them; moto knows those of a stage.

    @property
    def the_tags(self) -> dict[str, str]:
        """`arn:aws:apigateway:eu-west-1::/restapis/{id}/stages/{name}`."""
        kind, identifier, *rest = unquote(self.path.split("/tags/", 1)[1]).split("::/", 1)[1].split("/")
        if kind == "restapis" and rest:
            return self.backend.get_stage(identifier, rest[1]).tags
        if kind == "restapis":
            tags: dict[str, str] = self.backend.get_rest_api(identifier).attributes["tags"]
            return tags
        holder: Any
        if kind == "apikeys":
            holder = self.backend.get_api_key(identifier)
        elif kind == "usageplans":
            holder = self.backend.get_usage_plan(identifier)
        elif kind == "vpclinks":
            holder = self.backend.get_vpc_link(identifier)
        elif kind == "domainnames":
            holder = self.backend.get_domain_name(identifier)
        else:
            raise NotFoundException(f"Nothing of kind {kind} has tags")
        holder.tags = dict(holder.tags or {})
        return holder.tags  # type: ignore[no-any-return]

    def get_tags(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer({"tags": self.the_tags})

    def tag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        self.the_tags.update(self.given["tags"])
        return answer(None, 204)

    def untag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        tags = self.the_tags
        for key in self.querystring.get("tagKeys", []):
            tags.pop(key, None)
        return answer(None, 204)


def answer(document: Json | None, status: int = 200) -> TYPE_RESPONSE:
    return (
        status,
        {"status": str(status), "Content-Type": "application/json"},
        "" if document is None else json.dumps(document),
    )


def items(documents: Any) -> TYPE_RESPONSE:
    """A whole collection, in one page."""
    return answer({"item": list(documents)})


def delete(where: dict[str, Json], key: str, what: str) -> TYPE_RESPONSE:
    find(where, key, what)
    del where[key]
    return answer(None, 202)


def new_stage(name: str) -> Json:
    now = int(time.time())
    return {
        "stageName": name,
        "methodSettings": {},
        "variables": {},
        "cacheClusterEnabled": False,
        "cacheClusterStatus": "NOT_AVAILABLE",
        "tracingEnabled": False,
        "createdDate": now,
        "lastUpdatedDate": now,
    }


def require_deployment(api: RestApi, identifier: str) -> None:
    if identifier not in api.deployments:
        raise BadRequestException("Deployment id does not exist")


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


def summary(definition: Json) -> Json:
    """GetDeployment's apiSummary: which methods each path has, and what they ask of the caller."""
    return {
        path: {
            "ANY" if verb.startswith("x-") else verb.upper(): {
                "authorizationType": "NONE" if set().union(*operation.get("security", [])) <= {"api_key"} else "CUSTOM",
                "apiKeyRequired": any("api_key" in requirement for requirement in operation.get("security", [])),
            }
            for verb, operation in item.items()
        }
        for path, item in definition["paths"].items()
    }


def patched(holder: Any, document: Json, operations: list[Operation], shape: str) -> Json:
    """Change one of moto's objects through the document that it writes of itself."""
    patch(document, operations, shape)
    for operation in operations:
        member = operation["path"].strip("/").split("/")[0]
        setattr(holder, camelcase_to_underscores(member), document.get(member))
    return document
