"""An API's definition as API Gateway exports it: OpenAPI 3 with every `x-amazon-apigateway-` extension.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-export-api.html

What an export holds: paths, models, security with its authorizers, validators, integrations (with
`${stageVariables.x}` as they stand), gateway responses, media types, the resource policy, and whether AWS's own host
name serves (under `servers`). What it lacks is in the manifest: stage variables, throttling and logs, the kind of
endpoint, tags, function versions. It names the account, its roles and functions, but no secret.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from .json_types import Json

EXTENSION = "x-amazon-apigateway-"
ANY_METHOD = EXTENSION + "any-method"
DOCUMENTATION = EXTENSION + "documentation"
INTEGRATION = EXTENSION + "integration"
ENDPOINT = EXTENSION + "endpoint-configuration"

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", ANY_METHOD)

FIRST = ("openapi", "info", "servers", "paths", "components")
"""A document begins with these; everything else is in alphabetical order, so that two exports differ in what is
different."""

NAMED = {
    "properties",
    "patternProperties",
    "definitions",
    "schemas",
    "securitySchemes",
    "paths",
    "responses",
    "headers",
    "content",
    "variables",
    "requestTemplates",
    "responseTemplates",
    "requestParameters",
    "responseParameters",
    EXTENSION + "gateway-responses",
    EXTENSION + "request-validators",
}
"""Members whose own members are names that somebody chose: a property called `description` describes nothing."""

DATA = {"enum", "default", "example", "examples", "const", EXTENSION + "policy"}
"""Members that hold values, not OpenAPI."""

DESCRIPTIONS = {"summary", "description", "tags", "externalDocs", DOCUMENTATION}


def fetch(client: Any, api: str, stage: str) -> Json:
    """What `stage` serves. Asked for as JSON, which leaves nothing to a YAML reader's interpretation; `text`
    writes YAML."""
    answer = client.get_export(
        restApiId=api,
        stageName=stage,
        exportType="oas30",
        parameters={"extensions": "apigateway,documentation"},
        accepts="application/json",
    )
    return normalised(json.loads(answer["body"].read()))


def normalised(document: Json) -> Json:
    """The same definition, the same document, whenever and from whichever stage or API it was exported."""
    result: Json = _normal(document, "")
    return {
        key: result[key] for key in (*(key for key in FIRST if key in result), *(k for k in result if k not in FIRST))
    }


def comparable(document: Json) -> Json:
    """What of a definition is the same wherever it is deployed, and belongs to a deployment.

    Not the host name and base path of the stage. And not descriptions: they come from the stage's documentation
    version, which is no part of a deployment.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-documenting-api-quick-start-publishing.html
    """
    result = normalised(_without(document, DESCRIPTIONS))
    endpoints = [server[ENDPOINT] for server in result.pop("servers", []) if ENDPOINT in server]
    if endpoints:
        result[ENDPOINT] = endpoints[0]
    # In the file they keep their order, which Terraform would see changed after an import of it.
    if EXTENSION + "binary-media-types" in result:
        result[EXTENSION + "binary-media-types"].sort()
    policy = result.get(EXTENSION + "policy")
    if policy is not None:
        result[EXTENSION + "policy"] = with_api_id(policy, document, "API")
    return result


def is_same(one: Json, other: Json) -> bool:
    return comparable(one) == comparable(other)


def api_id(document: Json) -> str | None:
    """The id of the API that the document was exported from, by its own host name; null behind a custom domain."""
    for server in document.get("servers", []):
        host = str(server.get("url", "")).partition("://")[2]
        if ".execute-api." in host:
            return host.partition(".")[0]
    return None


def with_api_id(policy: Any, document: Json, identifier: str) -> Any:
    """The resource policy with another API's id in its ARNs: an export has `execute-api:/*` as the full ARN."""
    exported_from = api_id(document)
    if exported_from is None:
        return policy
    return json.loads(json.dumps(policy).replace(f":{exported_from}/", f":{identifier}/"))


def text(document: Json) -> str:
    """As YAML, with texts of several lines as such."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def parse(content: str) -> Json:
    document = yaml.load(content, yaml.CSafeLoader)  # libyaml: a definition has thousands of lines
    if not isinstance(document, dict) or "paths" not in document:
        raise ValueError("it is no OpenAPI document with paths")
    return document


def _normal(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        if key == INTEGRATION:
            value = _integration(value)
        names = sorted(value)
        # A name is not a keyword, whatever it is called.
        return {
            name: _normal(value[name], "" if key in NAMED else name) if key not in DATA else value[name]
            for name in names
        }
    if isinstance(value, list):
        items = [_normal(item, "") for item in value]
        if key == "parameters":
            return sorted(items, key=lambda item: (item.get("in", ""), item.get("name", "")))
        if key == "required":
            return sorted(items)
        if key == "documentationParts":
            return sorted(items, key=lambda item: json.dumps(item["location"], sort_keys=True))
        return items
    return value


def _integration(integration: Json) -> Json:
    """Without the cache's namespace, which is the resource's id and so another one in every API, where nothing is
    cached."""
    if integration.get("cacheKeyParameters"):
        return integration
    return {key: value for key, value in integration.items() if key not in ("cacheNamespace", "cacheKeyParameters")}


def _without(value: Any, members: set[str], named: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: item if key in DATA and not named else _without(item, members, key in NAMED and not named)
            for key, item in value.items()
            if named or key not in members
        }
    if isinstance(value, list):
        return [_without(item, members) for item in value]
    return value


def descriptions(value: Any, at: str = "", named: bool = False) -> Iterator[tuple[str, Any]]:
    """What `comparable` leaves out: where it stands, as a JSON pointer, and what it says."""
    if isinstance(value, dict):
        for key, item in value.items():
            place = f"{at}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in DESCRIPTIONS and not named:
                yield place, _normal(item, "")
            elif key not in DATA or named:
                yield from descriptions(item, place, key in NAMED and not named)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from descriptions(item, f"{at}/{index}")


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, value: str) -> yaml.Node:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_represent: Callable[..., yaml.Node] = _text
_Dumper.add_representer(str, _represent)
