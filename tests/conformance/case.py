"""Reads case files. README.md explains the format, `schema.yaml` is its definition."""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import yaml

HERE = Path(__file__).parent
CASES = HERE / "cases"
BASES = HERE / "bases"

_NAME = re.compile(r"\{\{([a-z_]+(?::[A-Za-z0-9_-]+)?)\}\}")


@dataclass(frozen=True)
class Matches:
    """`!matches <regular expression>`: the whole text matches."""

    pattern: str

    def __repr__(self) -> str:
        return f"something that matches {self.pattern}"


@dataclass(frozen=True)
class Absent:
    """`!absent`: there is no such header or member."""

    def __repr__(self) -> str:
        return "nothing"


@dataclass(frozen=True)
class Case:
    id: str
    """Its path below `cases`, without the ending."""
    content: dict[str, Any]
    """The file with its base merged in."""

    @property
    def stage(self) -> str:
        return str(self.content.get("stage", {}).get("name", "test"))


class _Loader(yaml.CSafeLoader):
    """YAML with the two tags of expectations. Status codes as keys become text, as in JSON."""


def _mapping(loader: yaml.CSafeLoader, node: yaml.MappingNode) -> dict[str, Any]:
    loader.flatten_mapping(node)
    pairs = [(loader.construct_object(key, deep=True), value) for key, value in node.value]
    content = {str(key): loader.construct_object(value, deep=True) for key, value in pairs}
    if len(content) != len(pairs):
        raise yaml.constructor.ConstructorError(None, None, "a key comes twice", node.start_mark)
    return content


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)
_Loader.add_constructor("!matches", lambda loader, node: Matches(str(node.value)))
_Loader.add_constructor("!absent", lambda loader, node: Absent())


def paths() -> list[Path]:
    return sorted(CASES.rglob("*.yaml"))


@cache
def read(path: Path) -> Case:
    """Raises `jsonschema.ValidationError` when the file is not as the format says."""
    content = _loaded(path)
    _validator().validate(content)
    return Case(str(path.relative_to(CASES).with_suffix("")), _with_base(content))


def _loaded(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = yaml.load(path.read_text("utf-8"), _Loader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path}: {error}") from error
    return content


@cache
def _validator() -> Any:
    return jsonschema.Draft202012Validator(_loaded(HERE / "schema.yaml"))


def _with_base(content: dict[str, Any]) -> dict[str, Any]:
    """Merges the base in; `method` and `integration` go to the operation that the base names."""
    base = _with_base(_loaded(BASES / f"{content['base']}.yaml")) if "base" in content else {}
    given = {name: value for name, value in content.items() if name not in ("method", "integration")}
    merged: dict[str, Any] = merge(base, given)
    # A function and the endpoint behave in one way: what a case says replaces what its base says.
    merged |= {name: given[name] for name in ("upstream",) if name in given}
    if "functions" in given:
        merged["functions"] = base.get("functions", {}) | given["functions"]
    operation = dict(content.get("method", {}))
    if "integration" in content:
        operation["x-amazon-apigateway-integration"] = content["integration"]
    if operation:
        path, verb = merged["operation"]
        merged = merge(merged, {"definition": {"paths": {path: {verb: operation}}}})
    return merged


def merge(base: Any, changes: Any) -> Any:
    """`changes` over `base`: mappings member by member, all else replaced; null takes a member away."""
    if not (isinstance(base, dict) and isinstance(changes, dict)):
        return copy.deepcopy(changes)
    merged = copy.deepcopy(base)
    for name, value in changes.items():
        if value is None and name in merged:
            del merged[name]
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def filled(value: Any, names: Mapping[str, str]) -> Any:
    """`value` with every `{{name}}` in its texts replaced."""

    def replaced(match: re.Match[str]) -> str:
        if match[1] not in names:
            raise ValueError(f"{match[0]} is not known; there are {', '.join(sorted(names))}")
        return names[match[1]]

    if isinstance(value, str):
        return _NAME.sub(replaced, value)
    if isinstance(value, Matches):
        return Matches(_NAME.sub(lambda match: re.escape(replaced(match)), value.pattern))
    if isinstance(value, dict):
        return {filled(name, names): filled(item, names) for name, item in value.items()}
    if isinstance(value, list):
        return [filled(item, names) for item in value]
    return value
