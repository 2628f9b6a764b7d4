"""What a REST API is made of.

Everything is kept as the document that AWS answers for it, so that there is nothing to translate: GetMethod's answer,
with the integration and all responses in it, *is* the method. Timestamps are numbers, as the service's JSON has them.
"""

from __future__ import annotations

import json
import secrets
import string
import time
from dataclasses import dataclass, field
from typing import Any

from moto.apigateway.exceptions import BadRequestException, NotFoundException

Json = dict[str, Any]

ID_ALPHABET = string.ascii_lowercase + string.digits

# https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html: a new API has these two.
DEFAULT_MODELS: dict[str, Json] = {
    "Empty": {
        "name": "Empty",
        "description": "This is a default empty schema model",
        "contentType": "application/json",
        "schema": '{"$schema":"http://json-schema.org/draft-04/schema#","title":"Empty Schema","type":"object"}',
    },
    "Error": {
        "name": "Error",
        "description": "This is a default error schema model",
        "contentType": "application/json",
        "schema": '{"$schema":"http://json-schema.org/draft-04/schema#","title":"Error Schema","type":"object",'
        '"properties":{"message":{"type":"string"}}}',
    },
}


# What an OpenAPI document can define.
DEFINITION = (
    "attributes",
    "resources",
    "models",
    "authorizers",
    "request_validators",
    "gateway_responses",
    "documentation_parts",
    "documentation_versions",
)


def new_id(length: int = 10) -> str:
    return "".join(secrets.choice(ID_ALPHABET) for _ in range(length))


@dataclass
class Deployment:
    """`definition` is the API as it was when deployed: OpenAPI 3 with every extension, as text, so that nothing that
    happens to the API afterwards can reach it."""

    document: Json
    definition: str


@dataclass
class Stage:
    document: Json

    @property
    def web_acl_arn(self) -> str | None:
        return self.document.get("webAclArn")

    @web_acl_arn.setter
    def web_acl_arn(self, arn: str | None) -> None:
        """moto's WAF writes a web ACL's association here, and None when it is taken off."""
        if arn is None:
            self.document.pop("webAclArn", None)
        else:
            self.document["webAclArn"] = arn

    @property
    def tags(self) -> dict[str, str]:
        tags: dict[str, str] = self.document.setdefault("tags", {})
        return tags


@dataclass
class RestApi:
    attributes: Json
    resources: dict[str, Json] = field(default_factory=dict)
    models: dict[str, Json] = field(default_factory=dict)
    authorizers: dict[str, Json] = field(default_factory=dict)
    request_validators: dict[str, Json] = field(default_factory=dict)
    gateway_responses: dict[str, Json] = field(default_factory=dict)
    documentation_parts: dict[str, Json] = field(default_factory=dict)
    documentation_versions: dict[str, Json] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    stages: dict[str, Stage] = field(default_factory=dict)

    @classmethod
    def create(cls, name: str, **attributes: Any) -> RestApi:
        root = new_id()
        api = cls(
            attributes={
                "id": new_id(),
                "name": name,
                "createdDate": int(time.time()),
                "apiKeySource": "HEADER",
                "endpointConfiguration": {"types": ["EDGE"], "ipAddressType": "ipv4"},
                "disableExecuteApiEndpoint": False,
                "tags": {},
                "rootResourceId": root,
                **attributes,
            }
        )
        api.resources[root] = {"id": root, "path": "/"}
        for model in DEFAULT_MODELS.values():
            api.put_model(**model)
        return api

    @property
    def id(self) -> str:
        return str(self.attributes["id"])

    def document(self) -> Json:
        """GetRestApi's answer. The policy comes back as the inside of a JSON string; Terraform unquotes it."""
        document = dict(self.attributes)
        if document.get("policy"):
            document["policy"] = json.dumps(document["policy"])[1:-1]
        return document

    def clear_definition(self) -> None:
        """What PutRestApi with mode=overwrite starts from: all that an OpenAPI document can define is gone; the id, the
        stages and the deployments stay."""
        root = self.attributes["rootResourceId"]
        self.resources = {root: {"id": root, "path": "/"}}
        for part in (
            self.models,
            self.authorizers,
            self.request_validators,
            self.gateway_responses,
            self.documentation_parts,
        ):
            part.clear()
        for attribute in ("binaryMediaTypes", "minimumCompressionSize", "policy", "version", "description"):
            self.attributes.pop(attribute, None)
        self.attributes["apiKeySource"] = "HEADER"

    def take_definition(self, other: RestApi) -> None:
        """Be what `other` is, but for the deployments and stages."""
        for name in DEFINITION:
            setattr(self, name, getattr(other, name))

    def resource_at(self, path: str) -> Json:
        """The resource at `path`, made with its ancestors where it is not there yet."""
        for resource in self.resources.values():
            if resource["path"] == path:
                return resource
        parent, _, part = path.rpartition("/")
        return self.create_resource(self.resource_at(parent or "/"), part)

    def create_resource(self, parent: Json, part: str) -> Json:
        resource = {
            "id": new_id(6),
            "parentId": parent["id"],
            "pathPart": part,
            "path": parent["path"].rstrip("/") + "/" + part,
        }
        self.resources[resource["id"]] = resource
        return resource

    def delete_resource(self, resource: Json) -> None:
        """With all below it, as AWS does."""
        for child in [other for other in self.resources.values() if other.get("parentId") == resource["id"]]:
            self.delete_resource(child)
        del self.resources[resource["id"]]

    def move_resource(self, resource: Json) -> None:
        """Write the path of a resource, and of all below it, after its part or its parent has changed."""
        resource["path"] = self.resources[resource["parentId"]]["path"].rstrip("/") + "/" + resource["pathPart"]
        for child in self.resources.values():
            if child.get("parentId") == resource["id"]:
                self.move_resource(child)

    def put_model(self, name: str, schema: str, contentType: str, description: str | None = None) -> Json:
        model: Json = {"id": new_id(6), "name": name, "contentType": contentType, "schema": schema}
        if description:
            model["description"] = description
        self.models[name] = model
        return model

    def put_documentation_part(self, location: Json, properties: str) -> Json:
        part: Json = {"id": new_id(6), "location": location, "properties": properties}
        self.documentation_parts[part["id"]] = part
        return part

    def method(self, resource_id: str, verb: str) -> Json:
        methods = find(self.resources, resource_id, "Resource").get("resourceMethods", {})
        return find(methods, verb, "Method")

    def require_deployable(self) -> None:
        methods = [
            method for resource in self.resources.values() for method in resource.get("resourceMethods", {}).values()
        ]
        if not methods:
            raise BadRequestException("The REST API doesn't contain any methods")
        if not all("methodIntegration" in method for method in methods):
            raise BadRequestException("No integration defined for method")


def find(where: dict[str, Json], key: str, what: str) -> Json:
    if key not in where:
        raise NotFoundException(f"Invalid {what} identifier specified")
    return where[key]
