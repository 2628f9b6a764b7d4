"""API Gateway's PATCH: a list of operations on paths into a document.

One function for every kind of document. What a value means, true or "true", 5 or "5", is read from the AWS service
model (values always arrive as text), and so is whether a path leads into a structure, a map or a list.
https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
"""

from __future__ import annotations

from typing import Any

from botocore.model import Shape
from moto.apigateway.exceptions import BadRequestException
from moto.core.utils import get_service_model

from .model import Json

Operation = dict[str, str]

METHOD_SETTINGS = {
    ("metrics", "enabled"): "metricsEnabled",
    ("logging", "loglevel"): "loggingLevel",
    ("logging", "dataTrace"): "dataTraceEnabled",
    ("throttling", "burstLimit"): "throttlingBurstLimit",
    ("throttling", "rateLimit"): "throttlingRateLimit",
    ("caching", "enabled"): "cachingEnabled",
    ("caching", "ttlInSeconds"): "cacheTtlInSeconds",
    ("caching", "dataEncrypted"): "cacheDataEncrypted",
    ("caching", "requireAuthorizationForCacheControl"): "requireAuthorizationForCacheControl",
    ("caching", "unauthorizedCacheControlHeaderStrategy"): "unauthorizedCacheControlHeaderStrategy",
}

DEFAULT_METHOD_SETTINGS: Json = {
    "metricsEnabled": False,
    "loggingLevel": "OFF",
    "dataTraceEnabled": False,
    "throttlingBurstLimit": 5000,
    "throttlingRateLimit": 10000.0,
    "cachingEnabled": False,
    "cacheTtlInSeconds": 300,
    "cacheDataEncrypted": False,
    "requireAuthorizationForCacheControl": True,
    "unauthorizedCacheControlHeaderStrategy": "SUCCEED_WITH_RESPONSE_HEADER",
}


def patch(document: Json, operations: list[Operation], shape_name: str) -> None:
    """Apply `operations` to `document`, which AWS models as `shape_name`."""
    shape = get_service_model("apigateway").shape_for(shape_name)
    for operation in operations:
        _apply(document, _tokens(operation["path"]), operation, shape)


def patch_stage(document: Json, operations: list[Operation]) -> None:
    """A stage's method settings have paths of their own: `/{resource}/{verb}/logging/loglevel`, `/*/*/metrics/enabled`;
    removing `/{resource}/{verb}` removes all settings of that method."""
    shape = get_service_model("apigateway").shape_for("MethodSetting")
    settings = document.setdefault("methodSettings", {})
    for operation in operations:
        parts = operation["path"].strip("/").split("/")
        name = METHOD_SETTINGS.get((parts[-2], parts[-1])) if len(parts) >= 4 else None
        if name:
            method = settings.setdefault("/".join(parts[:-2]), dict(DEFAULT_METHOD_SETTINGS))
            if operation["op"] == "remove":
                method[name] = DEFAULT_METHOD_SETTINGS[name]
            else:
                method[name] = _value(operation["value"], shape.members[name])
        elif operation["op"] == "remove" and "/".join(parts) in settings:
            del settings["/".join(parts)]
        else:
            patch(document, [operation], "Stage")


def _tokens(path: str) -> list[str]:
    """A JSON pointer's parts (RFC 6901): `~1` stands for a slash, `~0` for a tilde."""
    return [token.replace("~1", "/").replace("~0", "~") for token in path.lstrip("/").split("/")]


def _apply(document: Json, tokens: list[str], operation: Operation, shape: Shape) -> None:
    name, rest = tokens[0], tokens[1:]
    if shape.type_name == "structure" and name not in shape.members:
        raise BadRequestException(f"Invalid patch path {operation['path']}")
    inner = shape.members[name] if shape.type_name == "structure" else shape.value

    if inner.type_name == "list":
        document[name] = _changed_list(list(document.get(name) or []), rest, operation)
    elif rest:
        if inner.type_name not in ("structure", "map"):
            raise BadRequestException(f"Invalid patch path {operation['path']}")
        child = document.get(name)
        if child is None:
            child = document[name] = {}
        _apply(child, rest, operation, inner)
        if not child:
            del document[name]
    elif operation["op"] == "remove":
        document.pop(name, None)
    elif operation["op"] in ("add", "replace"):
        document[name] = _value(operation.get("value", ""), inner)
    else:
        raise BadRequestException(f"Invalid patch operation {operation['op']}: give add, replace or remove")


def _changed_list(items: list[Any], rest: list[str], operation: Operation) -> list[Any]:
    """`/binaryMediaTypes/image~1png` names an item by its value, `/endpointConfiguration/types/0` by its index, and
    `/providerARNs` with a value adds or removes that one."""
    value = operation.get("value")
    if rest and rest[0].isdigit() and int(rest[0]) < len(items):
        index = int(rest[0])
        return items[:index] + ([] if operation["op"] == "remove" else [value]) + items[index + 1 :]
    item = rest[0] if rest else value
    if operation["op"] == "replace":
        if item in items:
            return [value if other == item else other for other in items]
        return [value]
    others = [other for other in items if other != item]
    return others if operation["op"] == "remove" else [*others, item]


def _value(text: str, shape: Shape) -> Any:
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if shape.type_name in ("integer", "long"):
        return int(text)
    if shape.type_name in ("double", "float"):
        return float(text)
    return text
