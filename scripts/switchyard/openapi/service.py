"""Which services the API is in front of: terraform/openapi/services.json, an entry for each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchyard.openapi.contract import BadContract

# Also the name of an attribute in the template: ${base_urls.string}.
NAME = re.compile(r"[a-z][a-z0-9-]*")
PREFIX = re.compile(r"(/[A-Za-z0-9._:-]+)+")

VALIDATORS = ("all", "parameters")
"""The request validators of frame.yaml."""

MEMBERS = {
    "contract": "the contract's file, beside services.json",
    "base_url": 'where the service is: "service", ours, or {"external": NAME}, one of external_services',
    "prefix": "what the gateway's paths have before those of the contract, such as /billing",
    "open_paths": "the contract's paths that need no token",
    "validator": f"what the gateway checks of a request: {' or '.join(VALIDATORS)}",
}


@dataclass(frozen=True)
class Service:
    name: str
    contract: Path
    base_url: str | Mapping[str, str] = "service"
    prefix: str = ""
    open_paths: tuple[str, ...] = ()
    validator: str = "all"


def read(file: Path) -> list[Service]:
    """The services, in the order of the file."""
    try:
        entries = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadContract(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(entries, dict) or not entries:
        raise BadContract(f'{file}: give an object with an entry for each service: {{"NAME": {{"contract": "..."}}}}')
    return [_service(file, name, entry) for name, entry in entries.items()]


def _service(file: Path, name: str, entry: Any) -> Service:
    def check(holds: bool, should_be: str) -> None:
        if not holds:
            raise BadContract(f"{file}: service '{name}': {should_be}")

    check(NAME.fullmatch(name) is not None, "a service's name has small letters, digits and hyphens")
    check(isinstance(entry, dict), "give an object")
    unknown = sorted(entry.keys() - MEMBERS)
    known = "; ".join(f"{member}: {what}" for member, what in MEMBERS.items())
    check(not unknown, f"there is no {', '.join(unknown)}. There are {known}")
    check(isinstance(entry.get("contract"), str), f"contract is missing: {MEMBERS['contract']}")

    base_url = entry.get("base_url", "service")
    external = base_url.get("external") if isinstance(base_url, dict) and len(base_url) == 1 else None
    check(base_url == "service" or isinstance(external, str), f"base_url is {MEMBERS['base_url']}")
    prefix = entry.get("prefix", "")
    is_prefix = isinstance(prefix, str) and PREFIX.fullmatch(prefix) is not None
    check(prefix == "" or is_prefix, f"prefix is {MEMBERS['prefix']}")
    open_paths = entry.get("open_paths", [])
    check(
        isinstance(open_paths, list) and all(isinstance(path, str) for path in open_paths),
        f"open_paths is a list: {MEMBERS['open_paths']}",
    )
    validator = entry.get("validator", "all")
    check(validator in VALIDATORS, f"validator is {MEMBERS['validator']}")
    return Service(name, file.parent / entry["contract"], base_url, prefix, tuple(open_paths), validator)
