"""Contracts of services that there are only here."""

import json
from pathlib import Path
from typing import Any

from switchyard.openapi import template
from switchyard.openapi.contract import Json, checked
from switchyard.openapi.service import Service

OK: Json = {"200": {"description": "Done"}}


def contract(paths: Json | None = None, *, version: str = "3.1.0", **components: Json) -> Json:
    """A valid contract with `paths` (by default one operation) and components."""
    document: Json = {
        "openapi": version,
        "info": {"title": "Bills", "version": "1"},
        "paths": paths if paths is not None else {"/bills": {"get": {"responses": OK}}},
        "components": components,
    }
    return checked(document, "the test's contract")


def service(name: str = "billing", **members: Any) -> Service:
    return Service(name, Path("not-read.json"), **members)


def written(folder: Path, **services: tuple[Json, Json]) -> Path:
    """A services.json in `folder`: name → contract, and further members of the entry."""
    entries = {}
    for name, (document, members) in services.items():
        (folder / f"{name}.json").write_text(json.dumps(document))
        entries[name] = {"contract": f"{name}.json", **members}
    file = folder / "services.json"
    file.write_text(json.dumps(entries))
    return file


def text(document: Json, **members: Any) -> str:
    """The template for a single service with this contract."""
    return template.of([(service(**members), document)])
