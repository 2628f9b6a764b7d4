"""A request's parameters: as a method of API Gateway declares them, and where each goes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from switchyard.openapi.contract import Json, resolved

PLACES = {"path": "path", "query": "querystring", "header": "header"}
"""OpenAPI's name of a place → API Gateway's. It has none for cookies, which are the service's alone."""

# An OpenAPI document that declares these as parameters is to be read as if it did not.
# https://spec.openapis.org/oas/v3.0.3#parameter-object
DECLARED_OTHERWISE = ("accept", "content-type", "authorization")

# API Gateway sets these itself. A mapping of the trace's header is answered with 500, "header already present".
# https://github.com/localstack/localstack/pull/11143
SET_BY_THE_GATEWAY = ("connection", "content-length", "host", "transfer-encoding", "x-amzn-trace-id", "x-forwarded-for")

# A proxy integration drops this one (NOTES: Content-Encoding, request, http_proxy: "Dropped") unless it is mapped.
# Without it a compressed body would be taken for what it is not, and not be refused.
# https://github.com/localstack/localstack/pull/11234
CONTENT_ENCODING = {
    "name": "Content-Encoding",
    "in": "header",
    "schema": {"type": "string"},
    "description": "How the body is encoded, for the service to decode or refuse.",
}

TYPES = ("string", "integer", "number", "boolean")


@dataclass(frozen=True)
class Parameter:
    name: str
    place: str
    """OpenAPI's name."""
    required: bool
    type: str
    description: str
    is_list: bool
    """It may come several times."""

    def declared(self) -> Json:
        """ "Only the following attributes are supported: name, in, required, type, description" (NOTES)."""
        described = {"description": self.description} if self.description else {}
        return {
            "name": self.name,
            "in": self.place,
            "required": self.required,
            "schema": {"type": self.type},
            **described,
        }

    def mapping(self) -> tuple[str, str]:
        """Its place in the service's request, and its source. The plain source of a header that comes several times is
        the last one alone, so that a list has another.
        https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
        """
        place = PLACES[self.place]
        source = f"multivalue{place}" if self.is_list and self.place == "header" else place
        return f"integration.request.{place}.{self.name}", f"method.request.{source}.{self.name}"


def of_operation(contract: Json, operation: Json, shared: list[Json]) -> list[Parameter]:
    """The parameters of a path (`shared`) and of its operation, where the operation's counts.

    A key that the service asks for is one of them, never required: who forgets it should hear it from the service. A
    body's encoding is another.
    """
    found: dict[tuple[str, str], Parameter] = {}
    of_body = [CONTENT_ENCODING] if "requestBody" in operation else []
    for written in [*of_body, *keys(contract, operation), *shared, *operation.get("parameters", [])]:
        parameter = resolved(written, contract)
        name, place = parameter["name"], parameter["in"]
        if place in PLACES and not (place == "header" and name.lower() in DECLARED_OTHERWISE):
            found[name.lower() if place == "header" else name, place] = Parameter(
                name,
                place,
                required=bool(parameter.get("required")),
                type=type_of(contract, parameter),
                description=parameter.get("description", ""),
                is_list=schema_type(contract, parameter) == "array",
            )
    return list(found.values())


def keys(contract: Json, operation: Json) -> Iterator[Json]:
    """The keys that the service asks for. As a security scheme, one in `x-api-key` would make API Gateway ask for a
    key of its own, and not for the service's.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-key-source.html"""
    schemes = contract.get("components", {}).get("securitySchemes", {})
    owner = operation if "security" in operation else contract
    for name in dict.fromkeys(name for requirement in owner.get("security", []) for name in requirement):
        scheme = resolved(schemes.get(name, {}), contract)
        if scheme.get("type") == "apiKey":
            yield {"description": "The service's own key.", **scheme}


def type_of(contract: Json, parameter: Json) -> str:
    """Its type. API Gateway checks that a parameter is there, not what it is; what is none of these arrives as text."""
    found = schema_type(contract, parameter)
    return found if found in TYPES else "string"


def schema_type(contract: Json, parameter: Json) -> Any:
    return resolved(parameter.get("schema", {}), contract).get("type")


def mappings(parameters: list[Parameter]) -> Json:
    """Where the parameters of the service's request come from.

    Those of the path come from nowhere else. Headers would be passed on anyway, and a mapped one takes the place of the
    caller's. A query string is passed on as well, but there what is mapped is added: each parameter would arrive twice.
    https://github.com/localstack/localstack/pull/11234

    X-Forwarded-For is the caller's address as API Gateway saw it, and nothing that the caller put there.
    """
    mapped = [
        parameter
        for parameter in parameters
        if parameter.place == "path"
        or (parameter.place == "header" and parameter.name.lower() not in SET_BY_THE_GATEWAY)
    ]
    return {
        "integration.request.header.X-Forwarded-For": "context.identity.sourceIp",
        **dict(parameter.mapping() for parameter in mapped),
    }
