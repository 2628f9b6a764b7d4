"""The services' paths as one tree of API Gateway's resources."""

from __future__ import annotations

import re

from switchyard.openapi.contract import BadContract, Json
from switchyard.openapi.service import Service

VERBS = ("get", "put", "post", "delete", "options", "head", "patch")

# NOTES: "Path segments can only contain alphanumeric characters, underscores, hyphens, periods, commas, colons, and
# curly braces. Path parameters must be separate path segments."
SEGMENT = re.compile(r"[A-Za-z0-9_.,:-]+|\{[A-Za-z0-9_.-]+\}")

# Answered by API Gateway itself, as health checks (NOTES).
RESERVED = ("/ping", "/sping")


class Paths:
    """Which path is whose."""

    def __init__(self) -> None:
        self._owners: dict[str, str] = {}
        self._variables: dict[str, str] = {"": "{proxy+}"}
        """A path → the variable that follows it. Every unknown path ends at /{proxy+}."""
        self._operation_ids: dict[str, str] = {}

    def take(self, service: Service, path: str, item: Json) -> str:
        """The gateway's path for one of `service`'s contract."""
        here = f"path {path} of {service.name}"
        whole = service.prefix + path
        for segment in whole.split("/")[1:]:
            if not SEGMENT.fullmatch(segment):
                raise BadContract(
                    f"{here}: API Gateway has no resource '{segment}': a segment is either of letters, digits and "
                    "_ . , : - or one variable in braces, and not empty"
                )
        if whole in RESERVED:
            raise BadContract(f"{here}: API Gateway answers {whole} itself: choose another path, or a prefix")
        if "trace" in item:
            raise BadContract(f"{here}: API Gateway has no method TRACE: take it out of the contract")
        if (owner := self._owners.get(whole)) is not None:
            raise BadContract(
                f"{here}: the path is {owner}'s already: give one of them a prefix in services.json, "
                f'such as "prefix": "/{service.name}"'
            )
        self._owners[whole] = service.name
        self._one_variable(here, whole)
        return whole

    def _one_variable(self, here: str, whole: str) -> None:
        """Below a resource there is one variable, of one name, for all that is below it.
        https://github.com/amazon-archives/aws-apigateway-importer/issues/202
        """
        parent = ""
        for segment in whole.split("/")[1:]:
            if segment.startswith("{") and self._variables.setdefault(parent, segment) != segment:
                other = self._variables[parent]
                right = "begin with a word, or set a prefix" if other == "{proxy+}" else "name them alike"
                raise BadContract(
                    f"{here}: after '{parent}/' there is a variable already, {other}, beside {segment}: {right}"
                )
            parent += "/" + segment

    def name(self, operation_id: str, whole: str) -> None:
        """OpenAPI wants every operation's name once in a document."""
        if other := self._operation_ids.get(operation_id):
            raise BadContract(f"operation {operation_id} is at {other} and at {whole}: give one another operationId")
        self._operation_ids[operation_id] = whole


def known(service: Service, contract: Json) -> None:
    """Checks that what services.json says about paths is about paths that there are."""
    unknown = [path for path in service.open_paths if path not in contract["paths"]]
    if unknown:
        raise BadContract(
            f"open_paths of {service.name}: its contract has no {', '.join(unknown)}; "
            f"it has {', '.join(contract['paths'])}"
        )
