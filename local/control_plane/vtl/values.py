"""Values as a template of API Gateway sees them: Java's maps, lists and text of values.

API Gateway runs Velocity on a JVM, so that a template may call the methods of Java's classes, `#foreach` over a map
goes over its values, and a map that is written out looks like `{name=value}`. A JSON array is written out as JSON.
https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/Map.html
https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/util/List.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any


class Map:
    """java.util.LinkedHashMap. Members can be read and set; what has no member of a name gives None."""

    def __init__(self, members: dict[str, Any]) -> None:
        self.members = {name: self._value(member) for name, member in members.items()}

    @staticmethod
    def _value(value: Any) -> Any:
        return of(value)

    def __getitem__(self, name: str) -> Any:
        return self.members.get(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.members[name] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(list(self.members.values()))

    def __len__(self) -> int:
        return len(self.members)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Map) and self.members == other.members

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{text(name)}={text(member)}" for name, member in self.members.items()) + "}"

    def get(self, name: Any) -> Any:
        return self[name]

    def getOrDefault(self, name: Any, default: Any) -> Any:
        return self.members.get(name, default)

    def put(self, name: Any, value: Any) -> Any:
        before = self.members.get(name)
        self.members[name] = value
        return before

    def putAll(self, other: Map) -> None:
        self.members.update(other.members)

    def remove(self, name: Any) -> Any:
        return self.members.pop(name, None)

    def containsKey(self, name: Any) -> bool:
        return name in self.members

    def containsValue(self, value: Any) -> bool:
        return value in self.members.values()

    def keySet(self) -> List:
        return List(self.members)

    def values(self) -> List:
        return List(self.members.values())

    def entrySet(self) -> List:
        return List(Entry(name, member) for name, member in self.members.items())

    def size(self) -> int:
        return len(self.members)

    def isEmpty(self) -> bool:
        return not self.members

    def equals(self, other: Any) -> bool:
        return bool(self == other)

    def toString(self) -> str:
        return str(self)


class Variables(Map):
    """`$context` and `$stageVariables`: what does not apply is empty text, not nothing."""

    @staticmethod
    def _value(value: Any) -> Any:
        return Variables(value) if isinstance(value, dict) else of(value)

    def __getitem__(self, name: str) -> Any:
        member = self.members.get(name)
        return "" if member is None else member


@dataclass(frozen=True)
class Entry:
    """java.util.Map.Entry"""

    key: Any
    value: Any

    def getKey(self) -> Any:
        return self.key

    def getValue(self) -> Any:
        return self.value

    def __str__(self) -> str:
        return f"{text(self.key)}={text(self.value)}"


class List(list[Any]):
    """java.util.ArrayList"""

    def __str__(self) -> str:
        return "[" + ", ".join(text(item) for item in self) + "]"

    def __bool__(self) -> bool:
        return True

    def size(self) -> int:
        return len(self)

    def isEmpty(self) -> bool:
        return len(self) == 0

    def get(self, index: int) -> Any:
        return self[index]

    def add(self, *item: Any) -> bool | None:
        if len(item) == 2:
            self.insert(*item)
            return None
        self.append(*item)
        return True

    def addAll(self, items: list[Any]) -> bool:
        self.extend(items)
        return len(items) > 0

    def set(self, index: int, item: Any) -> Any:
        before = self[index]
        self[index] = item
        return before

    def contains(self, item: Any) -> bool:
        return item in self

    def indexOf(self, item: Any) -> int:
        return self.index(item) if item in self else -1

    def equals(self, other: Any) -> bool:
        return bool(self == other)

    def toString(self) -> str:
        return str(self)


class JsonArray(List):
    """A list that was read from JSON, and is written out as JSON."""

    def __str__(self) -> str:
        return to_json(self)


def of(value: Any) -> Any:
    """A value read from JSON, as a template sees it."""
    if isinstance(value, dict):
        return Map(value)
    if isinstance(value, list):
        return JsonArray(of(item) for item in value)
    return value


def plain(value: Any) -> Any:
    """As JSON has it; the opposite of `of`."""
    if isinstance(value, Map):
        value = value.members
    if isinstance(value, dict):
        return {text(name): plain(member) for name, member in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else text(value)


def to_json(value: Any) -> str:
    return json.dumps(plain(value), ensure_ascii=False, separators=(",", ":"))


def text(value: Any) -> str:
    """What a template writes for a value."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _java_expression(pattern: str) -> str:
    # Java's replacements and named groups differ in syntax; the common subset is the same.
    return re.sub(r"\$(\d)", r"\\\1", pattern)


def _split(value: str, pattern: str, limit: int = 0) -> List:
    parts = re.split(pattern, value, maxsplit=max(limit - 1, 0))
    if limit == 0:
        while len(parts) > 1 and parts[-1] == "":
            parts.pop()
    return List(parts)


TEXT_METHODS: dict[str, Callable[..., Any]] = {
    "charAt": lambda value, index: value[index],
    "concat": lambda value, other: value + other,
    "contains": lambda value, other: other in value,
    "endsWith": lambda value, other: value.endswith(other),
    "equals": lambda value, other: value == other,
    "equalsIgnoreCase": lambda value, other: isinstance(other, str) and value.lower() == other.lower(),
    "indexOf": lambda value, other, start=0: value.find(other, start),
    "isEmpty": lambda value: value == "",
    "lastIndexOf": lambda value, other: value.rfind(other),
    "length": lambda value: len(value),
    "matches": lambda value, pattern: re.fullmatch(pattern, value) is not None,
    "replace": lambda value, old, new: value.replace(old, new),
    "replaceAll": lambda value, pattern, new: re.sub(pattern, _java_expression(new), value),
    "replaceFirst": lambda value, pattern, new: re.sub(pattern, _java_expression(new), value, count=1),
    "split": _split,
    "startsWith": lambda value, other: value.startswith(other),
    "substring": lambda value, start, end=None: value[start:end],
    "toLowerCase": lambda value: value.lower(),
    "toString": lambda value: value,
    "toUpperCase": lambda value: value.upper(),
    "trim": lambda value: value.strip(),
}
"""java.lang.String
https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/String.html"""

NUMBER_METHODS: dict[str, Callable[..., Any]] = {
    "doubleValue": float,
    "equals": lambda value, other: value == other,
    "intValue": int,
    "longValue": int,
    "toString": text,
}
"""java.lang.Integer, Double and Boolean, as far as templates use them."""

METHODS: dict[type, dict[str, Callable[..., Any]]] = {
    str: TEXT_METHODS,
    int: NUMBER_METHODS,
    float: NUMBER_METHODS,
    bool: NUMBER_METHODS,
}
