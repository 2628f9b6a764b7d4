"""`$input` and `$util`.

https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#input-variable-reference
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html#util-template-reference
"""

from __future__ import annotations

import base64
import json
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote_plus, unquote_plus

from jsonpath_ng import JSONPath
from jsonpath_ng.ext.parser import parse

from .values import Map, of, plain, text, to_json

NO_BODY = "{}"
"""What a template sees of a request without a body."""

DEFINITE = re.compile(r"""\$((?:\.[^\s.\[\]*?()'",:]+|\[\s*(?:'[^']*'|"[^"]*"|\d+)\s*\])*)""")
"""A JSONPath that leads to one value at most."""

STEP = re.compile(r"""\.([^.\[]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+))\s*\]""")


class NotJson(Exception):
    """The template reads the body as JSON, which it is not."""


class Variable:
    """`$input`"""

    def __init__(self, body: str, parameters: Map) -> None:
        self.body = body or NO_BODY
        self._parameters = parameters

    def json(self, path: str) -> str:
        """What is there, as JSON; what is not there is an empty string, with its quotes."""
        found, value = self._find(path)
        return to_json(value) if found else '""'

    def path(self, path: str) -> Any:
        """What is there, to be used further; what is not there is empty text."""
        found, value = self._find(path)
        return of(value) if found else ""

    def params(self, name: str | None = None) -> Any:
        """All parameters by their kind, or one: that of the path, else of the query string, else of the headers."""
        if name is None:
            return self._parameters
        for kind in ("path", "querystring", "header"):
            if (value := self._parameters[kind][name]) is not None:
                return value
        headers = self._parameters["header"].members.items()
        return next((value for header, value in headers if header.lower() == name.lower()), "")

    def _find(self, path: str) -> tuple[bool, Any]:
        if definite := DEFINITE.fullmatch(path.strip()):
            return _walk(self._document, definite[1])
        return True, [match.value for match in _compiled(path).find(self._document)]

    @property
    def _document(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NotJson(f"Could not parse request body into json: {error}") from None


def _walk(value: Any, steps: str) -> tuple[bool, Any]:
    for name, single, double, index in STEP.findall(steps):
        if index:
            if not isinstance(value, list) or int(index) >= len(value):
                return False, None
            value = value[int(index)]
        else:
            member = name or single or double
            if not isinstance(value, dict) or member not in value:
                return False, None
            value = value[member]
    return True, value


@lru_cache(maxsize=256)
def _compiled(path: str) -> JSONPath:
    return parse(path)


SHORT_ESCAPES = {"\b": "\\b", "\n": "\\n", "\t": "\\t", "\f": "\\f", "\r": "\\r"}


class Util:
    """`$util`"""

    def escapeJavaScript(self, value: Any) -> str | None:
        """By JavaScript's rules, single quotes too, which makes of some texts no JSON: AWS says to undo that."""
        if value is None:
            return None
        return "".join(_escaped(character) for character in text(value))

    def parseJson(self, value: Any) -> Any:
        return of(json.loads(text(value)))

    def urlEncode(self, value: Any) -> str:
        return quote_plus(text(value), safe="*")

    def urlDecode(self, value: Any) -> str:
        return unquote_plus(text(value))

    def base64Encode(self, value: Any) -> str:
        # Half of a surrogate pair, which JSON can escape, becomes a question mark, as in Java.
        return base64.b64encode(text(value).encode("utf-8", "replace")).decode()

    def base64Decode(self, value: Any) -> str:
        return base64.b64decode(text(value)).decode("utf-8", "replace")

    def toJson(self, value: Any) -> str:
        return json.dumps(plain(value), ensure_ascii=False)


def _escaped(character: str) -> str:
    """As java's StringEscapeUtils.escapeJavaScript does, which escapes a slash as well."""
    if character in "'\"\\/":
        return "\\" + character
    if character in SHORT_ESCAPES:
        return SHORT_ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2))
