"""An API's documentation: its parts, and its versions, which a stage shows.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api.html
"""

from __future__ import annotations

import json
import time

from moto.apigateway.exceptions import ConflictException
from moto.core.common_types import TYPE_RESPONSE

from .model import find
from .openapi_import import put_documentation_part
from .patch import patch
from .request import Request, answer, delete, items
from .rest_apis import read_openapi


class Documentation(Request):
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
        for part in read_openapi(self.body).get("x-amazon-apigateway-documentation", {}).get("documentationParts", []):
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
