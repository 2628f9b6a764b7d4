"""REST APIs themselves: make, import, change, delete.

https://docs.aws.amazon.com/apigateway/latest/api/API_RestApi.html
"""

from __future__ import annotations

import json
from copy import deepcopy

import yaml
from moto.apigateway.exceptions import BadRequestException
from moto.core.common_types import TYPE_RESPONSE

from .model import Json, RestApi
from .openapi_import import import_document
from .patch import patch
from .request import Request, answer, items


class RestApis(Request):
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
        document = read_openapi(self.body)
        api = RestApi.create(document.get("info", {}).get("title", "Imported API"))
        api.clear_definition()
        import_document(api, document)
        self.backend.apis[api.id] = api
        return answer(api.document(), 201)

    def put_rest_api(self) -> TYPE_RESPONSE:
        mode = self.query_value("mode", "merge")
        if mode not in ("merge", "overwrite"):
            raise BadRequestException(f"Invalid mode {mode}: give merge or overwrite")
        # On a copy: a document that is refused half-way changes nothing.
        api, changed = self.api, deepcopy(self.api)
        if mode == "overwrite":
            changed.clear_definition()
        import_document(changed, read_openapi(self.body))
        api.take_definition(changed)
        return answer(api.document())

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


def read_openapi(body: str) -> Json:
    """The body of an import, which may be JSON or YAML."""
    try:
        document = json.loads(body)
    except ValueError:
        try:
            document = yaml.load(body, yaml.CSafeLoader)
        except yaml.YAMLError as error:
            raise BadRequestException(f"Unable to parse the API definition: {error}") from error
    if not isinstance(document, dict):
        raise BadRequestException("Unable to parse the API definition: it is not an object")
    return document
