"""A service's contract: an OpenAPI 3.0 or 3.1 document, as the service itself serves it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError
from referencing.exceptions import Unresolvable

Json = dict[str, Any]

VALIDATORS = {"3.0": OpenAPIV30SpecValidator, "3.1": OpenAPIV31SpecValidator}


class BadContract(Exception):
    """The message says what was wrong, where, and what would be right."""


def read(file: Path) -> Json:
    """The contract in `file`, checked against OpenAPI's own schema."""
    try:
        document = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadContract(f"{file} cannot be read as JSON: {error}") from error
    return checked(document, str(file))


def checked(document: Any, name: str) -> Json:
    """`document`, which is a valid OpenAPI document; `name` is it in an error."""
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""
    validator = VALIDATORS.get(version.rpartition(".")[0])
    if validator is None:
        found = f"its version is '{version}'" if version else "it has no member 'openapi'"
        raise BadContract(f"{name} is no OpenAPI 3.0 or 3.1 document: {found}")
    for reference in references(document):
        if not reference.startswith("#/"):
            raise BadContract(f"{name}: {reference} is in another file, which API Gateway does not read: bring it in")
    try:
        validator(document).validate()
    except Unresolvable as error:
        raise BadContract(f"{name}: a reference leads nowhere: the contract has no {error.ref}") from error
    except OpenAPIValidationError as error:
        where = "/".join(str(step) for step in getattr(error, "absolute_path", ()))
        what = str(error).partition("\n")[0]
        said = f"{where}: {what}" if where else what
        raise BadContract(f"{name} is no valid OpenAPI {version} document: {said}") from error
    if not document.get("paths"):
        raise BadContract(f"{name} has no paths: there is nothing to pass on")
    contract: Json = document
    return contract


def references(value: Any) -> Iterator[str]:
    """Every `$ref`. "$ref cannot be used to reference other files" (NOTES), and checking it would fetch them."""
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and isinstance(value.get("$ref"), str):
        yield value["$ref"]
    for member in members:
        yield from references(member)


def written(document: Json) -> str:
    """A contract as it is committed: a line for each change that somebody reads."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def resolved(value: Json, document: Json) -> Json:
    """`value`, or what it refers to.

    A rule of API Gateway too: of references, only those to schemas are imported (NOTES: "Response definitions of the
    "500": {"$ref": "#/responses/UnexpectedError"} form is not supported ... replace the reference by the inline
    schema")."""
    seen = []
    while "$ref" in value:
        reference = value["$ref"]
        if reference in seen:
            raise BadContract(f"{reference} refers to itself")
        seen.append(reference)
        value = document
        for step in reference.removeprefix("#/").split("/"):
            try:
                value = value[step.replace("~1", "/").replace("~0", "~")]
            except (KeyError, TypeError):
                raise BadContract(f"{reference} leads nowhere: the contract has no such part") from None
    return value
