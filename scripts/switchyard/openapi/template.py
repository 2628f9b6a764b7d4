"""The whole definition, a template for Terraform's templatefile: frame.yaml with all operations and models in it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from switchyard.openapi import operation, paths
from switchyard.openapi.contract import BadContract, Json, resolved
from switchyard.openapi.escape import escaped
from switchyard.openapi.model import Models
from switchyard.openapi.paths import VERBS, Paths
from switchyard.openapi.service import Service

FRAME = Path(__file__).with_name("frame.yaml")
PREFLIGHT = Path(__file__).with_name("preflight.yaml")

# What a page may send besides what every page may, and besides the contract's own headers: the token, the body's type.
HEADERS = ("Authorization", "Content-Type")

WIDTH = 120


def of(services: Sequence[tuple[Service, Json]]) -> str:
    """The template for services and their contracts."""
    tree = Paths()
    blocks: list[str] = []
    models: Json = {}
    for service, contract in services:
        paths.known(service, contract)
        own = Models(service.name, contract)
        for path, written_item in contract["paths"].items():
            item = resolved(written_item, contract)
            whole = tree.take(service, path, item)
            methods = {
                verb: operation.method(service, contract, own, path, item, verb) for verb in VERBS if verb in item
            }
            for method in methods.values():
                tree.name(method["operationId"], whole)
            blocks.append(resource(whole, methods))
        if twice := sorted(models.keys() & own.models.keys()):
            raise BadContract(f"models {', '.join(twice)} are of {service.name} and of another service: rename one")
        models |= own.models
    frame = FRAME.read_text("utf-8")
    frame = inserted(frame, "# <paths>", "\n".join(blocks))
    return inserted(frame, "# <schemas>", written(escaped(models)))


def resource(path: str, methods: Mapping[str, Json]) -> str:
    """A path with its methods, and OPTIONS, which there is as soon as there are allowed origins."""
    block = written({path: methods})
    if "options" in methods:
        return block
    allowed = ",".join(verb.upper() for verb in methods)
    options = PREFLIGHT.read_text("utf-8").replace("<methods>", allowed).replace("<headers>", headers(methods))
    return f"{block}%{{ if length(cors.origins) > 0 ~}}\n{indented(options, 2)}%{{ endif ~}}\n"


def headers(methods: Mapping[str, Json]) -> str:
    """What a page may send as headers."""
    declared = (parameter for method in methods.values() for parameter in method.get("parameters", []))
    return ",".join([*HEADERS, *sorted({parameter["name"] for parameter in declared if parameter["in"] == "header"})])


def inserted(frame: str, marker: str, text: str) -> str:
    """`text` in place of the line that holds `marker`, as deep as that."""
    before, _, after = frame.partition(marker + "\n")
    depth = len(before) - len(before.rstrip(" "))
    return before[: len(before) - depth] + indented(text, depth) + after


def indented(text: str, depth: int) -> str:
    """Deeper by `depth`, but for Terraform's directives, whose lines are no part of the document."""
    return "".join(
        line if line.isspace() or line.startswith("%{") else " " * depth + line
        for line in text.splitlines(keepends=True)
    )


class _Dumper(yaml.SafeDumper):
    """Lists are indented, aliases written out, and of several lines a block is made."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    # PyYAML reads YAML 1.1, Terraform 1.2: what might be a number to either of them is quoted.
    style = "|" if "\n" in text else "'" if re.match(r"[-+.\d]", text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def written(document: Any) -> str:
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=WIDTH, allow_unicode=True)
    return text
