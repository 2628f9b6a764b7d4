"""Tokens for the APIs that ask a Lambda authorizer: one for each, so that its front doors work as they stand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

HOLDER = "make-local-{scope}"
"""Whom a token is for. Published bodies carry this name."""

# arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function's ARN>/invocations
FUNCTION = re.compile(r"/functions/(?P<arn>[^/]+)/invocations$")
HEADER = re.compile(r"^method\.request\.header\.(?P<name>[^,]+)$")
# The tag by which Terraform says which architecture an API is the front of.
ARCHITECTURE = "Architecture"


@dataclass(frozen=True)
class Asked:
    """What the front doors of an architecture ask for."""

    architecture: str
    header: str
    table: str
    scope: str


def asked(client: Callable[[str], Any]) -> Iterator[Asked]:
    """Of every REST API with a TOKEN authorizer that reads its tokens from a table. `client`: makes AWS's clients."""
    apigateway, functions = client("apigateway"), client("lambda")
    for api in apigateway.get_rest_apis()["items"]:
        architecture = api.get("tags", {}).get(ARCHITECTURE)
        for authorizer in apigateway.get_authorizers(restApiId=api["id"])["items"]:
            header = HEADER.match(authorizer.get("identitySource", ""))
            function = FUNCTION.search(authorizer.get("authorizerUri", ""))
            if not (architecture and header and function and authorizer["type"] == "TOKEN"):
                continue
            settings = functions.get_function_configuration(FunctionName=function["arn"])
            variables = settings.get("Environment", {}).get("Variables", {})
            if "TOKEN_TABLE" in variables and "TOKEN_SCOPE" in variables:
                yield Asked(architecture, header["name"], variables["TOKEN_TABLE"], variables["TOKEN_SCOPE"])
