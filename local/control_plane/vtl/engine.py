"""airspeed, and what it is taught so that templates find Java's values.

Each of airspeed's elements that makes or writes a value is exchanged for a subclass, by the means that the rest of this
control plane uses on moto. Everything else of the language is airspeed's.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import airspeed

from .. import registry
from .values import METHODS, List, Map, text

MAX_TEMPLATES = 512
"""How many templates are kept parsed: many times what one API has."""


class TemplateFailed(Exception):
    """A template that cannot be parsed or evaluated."""

    def __init__(self, error: Exception) -> None:
        self.cause: BaseException = error
        while self.cause.__cause__ is not None:
            self.cause = self.cause.__cause__
        super().__init__(str(self.cause) or f"{type(self.cause).__name__} in the template")


def render(template: str, namespace: dict[str, Any]) -> str:
    """Any number of threads may render at once: a parsed template is only read, and what is set is in `namespace`."""
    try:
        rendered: str = _parsed(template).merge(namespace)
    except Exception as error:
        # airspeed wraps what is raised in an element, and lets some of its own pass.
        raise TemplateFailed(error) from error
    return rendered


@lru_cache(maxsize=MAX_TEMPLATES)
def _parsed(template: str) -> airspeed.Template:
    parsed = airspeed.Template(template)
    parsed.ensure_compiled()
    return parsed


class FormalReference(airspeed.FormalReference):
    """Writes a value as Java would; without one, writes the reference itself, or nothing after `$!`."""

    def evaluate_raw(self, stream: Any, namespace: Any, loader: Any) -> None:
        value = self.expression.calculate(namespace, loader) if self.expression is not None else None
        if value is None and self.alternate is not None:
            value = self.alternate.calculate(namespace, loader)
        if value is not None:
            stream.write(text(value))
        elif not (self.silent and self.expression is not None):
            stream.write(self.my_text())


class NameOrCall(airspeed.NameOrCall):
    """A call reaches Java's methods; a name without one reaches the members of a map, and nothing of Python's."""

    def calculate(self, current_object: Any, loader: Any, top_namespace: Any) -> Any:
        if self.parameters is not None and (method := _method(current_object, self.name)) is not None:
            return method(*self.parameters.calculate(top_namespace, loader))
        if isinstance(current_object, Map) and self.parameters is None:
            member = current_object[self.name]
            return member if self.index is None else _item(member, self.index.calculate(top_namespace, loader))
        return super().calculate(current_object, loader, top_namespace)


def _method(value: Any, name: str) -> Any:
    if isinstance(value, Map | List):
        return getattr(value, name, None)
    if methods := METHODS.get(type(value)):
        if name not in methods:
            raise AttributeError(f"{type(value).__name__} has no method {name}")
        return lambda *arguments: methods[name](value, *arguments)
    return None


def _item(value: Any, index: Any) -> Any:
    if isinstance(value, list):
        return value[index] if isinstance(index, int) and index < len(value) else None
    return value[index] if isinstance(value, Map) else None


class ArrayLiteral(airspeed.ArrayLiteral):
    def parse(self) -> None:
        super().parse()
        values = self.values
        self.calculate = lambda namespace, loader: List(values.calculate(namespace, loader))


class DictionaryLiteral(airspeed.DictionaryLiteral):
    def calculate(self, namespace: Any, loader: Any) -> Map:
        return Map(super().calculate(namespace, loader))


class StringLiteral(airspeed.StringLiteral):
    r"""A text in single quotes may hold a backslash before any character: `$s.split('\.')`."""

    STRING = re.compile(r"'((?:\\.|[^'\\])*)'", re.DOTALL)


class InterpolatedStringLiteral(airspeed.InterpolatedStringLiteral):
    r"""In double quotes a backslash stands for itself, but before a quotation mark: `$s.replaceAll("\\'", "'")`, as the
    guide has it, looks for a backslash and an apostrophe.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html"""

    STRING = re.compile(r'"((?:\\.|[^"\\])*)"', re.DOTALL)
    ESCAPED_CHAR = re.compile(r'\\(")')


class SetDirective(airspeed.SetDirective):
    """Also sets what has a dash in its name, or is in brackets: `$context.responseOverride.header.x-a`,
    `$context.requestOverride.header['x-a']`."""

    PLACE = re.compile(r"\s*\$\{?([a-z_]\w*(?:\.[a-z_][\w-]*|\[\s*(?:'[^']*'|\"[^\"]*\"|\d+)\s*\])*)\}?", re.IGNORECASE)
    TERM = re.compile(r"\.?([a-z_][\w-]*)|\[\s*(?:'([^']*)'|\"([^\"]*)\"|(\d+))\s*\]", re.IGNORECASE)

    terms: list[Any]

    def parse(self) -> None:
        super().parse()
        place = ".".join(self.terms)  # as it was before airspeed split it
        self.terms = [
            int(index) if index else name or single or double
            for name, single, double, index in self.TERM.findall(place)
        ]


def install() -> None:
    for ours in (
        FormalReference,
        NameOrCall,
        ArrayLiteral,
        DictionaryLiteral,
        StringLiteral,
        InterpolatedStringLiteral,
        SetDirective,
    ):
        registry.substitute(airspeed, ours)
