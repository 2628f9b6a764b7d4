"""What a request to API Gateway says, and how it is answered."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from moto.apigateway import models
from moto.apigateway.exceptions import RestAPINotFound, StageNotFoundException
from moto.apigateway.responses import APIGatewayResponse
from moto.core.common_types import TYPE_RESPONSE

from .model import Json, RestApi, Stage, find
from .patch import Operation


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


class Request(APIGatewayResponse):
    @property
    def backend(self) -> Backend:
        backend = super().backend
        assert isinstance(backend, Backend)
        return backend

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
