"""What changed between two JSON Schemas, and whether it breaks those who send or read what they describe.

One rule for all: a schema that takes less than before is narrower, one that takes more is wider. Whoever sends
requests is broken by a narrower schema, whoever reads responses by a wider one. It is the rule of oasdiff, too
(https://www.oasdiff.com/docs/breaking-changes); where ours departs from it, the method says so.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from enum import Enum
from typing import Any

from .json_types import Json

UPPER_BOUNDS = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER_BOUNDS = ("minimum", "minLength", "minItems", "minProperties")
COMBINATIONS = ("oneOf", "anyOf", "allOf")
ALL_TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}


class Direction(Enum):
    REQUEST = "request"
    RESPONSE = "response"


class Effect(Enum):
    NARROWER = "narrower"
    WIDER = "wider"
    BOTH = "both"
    """Or nobody can tell, as with two patterns."""
    NEITHER = "neither"

    def breaks(self, direction: Direction) -> bool:
        if self is Effect.BOTH:
            return True
        return self is (Effect.NARROWER if direction is Direction.REQUEST else Effect.WIDER)


Say = Callable[[str, bool], None]
"""Takes what changed, as the end of a sentence, and whether it is breaking."""


class SchemaDifference:
    """Compares schemas of two documents; `$ref` leads into the document that it stands in."""

    def __init__(self, old: Json, new: Json, direction: Direction, say: Say) -> None:
        self._old, self._new = old, new
        self._direction = direction
        self._say_it = say
        self._under_way: set[tuple[str, str]] = set()

    def compare(self, old: Any, new: Any, where: str) -> None:
        """`where` names the place, such as "the request body" or "`content` in the request body"."""
        # A schema that refers to itself ends here.
        pair = (json.dumps(old, sort_keys=True), json.dumps(new, sort_keys=True))
        if pair in self._under_way:
            return
        self._under_way.add(pair)
        self._compare(resolved(old, self._old), resolved(new, self._new), where)
        self._under_way.discard(pair)

    def _say(self, what: str, effect: Effect) -> None:
        self._say_it(what, effect.breaks(self._direction))

    def _compare(self, old: Json, new: Json, where: str) -> None:
        self._types(old, new, where)
        self._values(old, new, where)
        self._bounds(old, new, where)
        self._texts(old, new, where)
        self._required(old, new, where)
        self._properties(old, new, where)
        self._combinations(old, new, where)
        self._items(old, new, where)
        if old.get("default") != new.get("default"):
            self._say(
                f"{where} has the default {_shown(new.get('default'))}, not {_shown(old.get('default'))}",
                Effect.NEITHER,
            )

    def _types(self, old: Json, new: Json, where: str) -> None:
        before, after = types(old), types(new)
        if before == after:
            return
        effect = _effect(before, after)
        self._say(f"{where} is {_type_text(after)}, not {_type_text(before)}", effect)

    def _values(self, old: Json, new: Json, where: str) -> None:
        before, after = old.get("enum"), new.get("enum")
        if before is None and after is not None:
            self._say(f"{where} must be one of {_listed(after)}", Effect.NARROWER)
        elif before is not None and after is None:
            self._say(f"{where} may be more than {_listed(before)}", Effect.WIDER)
        elif before is not None and after is not None:
            if removed := [value for value in before if not _is_in(value, after)]:
                self._say(f"{where} may no longer be {_listed(removed)}", Effect.NARROWER)
            if added := [value for value in after if not _is_in(value, before)]:
                self._say(f"{where} may also be {_listed(added)}", Effect.WIDER)

    def _bounds(self, old: Json, new: Json, where: str) -> None:
        for names, sign in ((UPPER_BOUNDS, 1), (LOWER_BOUNDS, -1)):
            for name in names:
                before, after = old.get(name), new.get(name)
                if before == after:
                    continue
                if after is None:
                    self._say(f"{where} has no {name} any more; it was {before}", Effect.WIDER)
                elif before is None:
                    self._say(f"{where} has the {name} {after}", Effect.NARROWER)
                else:
                    effect = Effect.NARROWER if (after - before) * sign < 0 else Effect.WIDER
                    self._say(f"{where} has the {name} {after}, not {before}", effect)
        for name in ("exclusiveMaximum", "exclusiveMinimum", "uniqueItems"):
            self._switch(old, new, name, where)
        before, after = old.get("multipleOf"), new.get("multipleOf")
        if before != after:
            if before is None or after is None:
                effect = Effect.NARROWER if before is None else Effect.WIDER
            else:
                effect = (
                    Effect.NARROWER if after % before == 0 else Effect.WIDER if before % after == 0 else Effect.BOTH
                )
            self._say(f"{where} is a multiple of {_shown(after)}, not of {_shown(before)}", effect)

    def _switch(self, old: Json, new: Json, name: str, where: str) -> None:
        """A keyword that narrows when it is on: true in draft 4, which API Gateway's models are; a number in
        later ones."""
        before, after = old.get(name, False), new.get(name, False)
        if before == after:
            return
        effect = Effect.WIDER if after is False else Effect.NARROWER if before is False else Effect.BOTH
        self._say(f"{where} has {name} {_shown(after)}, not {_shown(before)}", effect)

    def _texts(self, old: Json, new: Json, where: str) -> None:
        for name in ("pattern", "format"):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            effect = Effect.WIDER if after is None else Effect.NARROWER if before is None else Effect.BOTH
            self._say(f"{where} has the {name} {_shown(after)}, not {_shown(before)}", effect)

    def _required(self, old: Json, new: Json, where: str) -> None:
        before, after = self._demanded(old, self._old), self._demanded(new, self._new)
        gone = set(old.get("properties", {})) - set(new.get("properties", {}))
        for name in sorted(after - before):
            self._say(f"`{name}` in {where} is required", Effect.NARROWER)
        for name in sorted(before - after):
            absent = "is gone" if name in gone else "is no longer required"
            self._say(f"`{name}` in {where}, which was required, {absent}", Effect.WIDER)

    def _demanded(self, schema: Json, document: Json) -> set[str]:
        """What the side that sends must send: a read-only property is the server's business, a write-only one the
        client's."""
        others = "readOnly" if self._direction is Direction.REQUEST else "writeOnly"
        properties = schema.get("properties", {})
        return {
            name
            for name in schema.get("required", [])
            if not resolved(properties.get(name, {}), document).get(others, False)
        }

    def _properties(self, old: Json, new: Json, where: str) -> None:
        """An optional property that comes is no news to anybody: clients must ignore what they do not know. One
        that goes breaks those who send it, since the server heeds it no more (oasdiff warns); who reads responses
        could not rely on it."""
        before, after = old.get("properties", {}), new.get("properties", {})
        demanded, demands = self._demanded(old, self._old), self._demanded(new, self._new)
        for name in sorted((set(before) ^ set(after)) & demanded & demands):
            # It was there all the same, and could be anything where it was not described.
            self.compare(before.get(name, {}), after.get(name, {}), f"`{name}` in {where}")
        for name in sorted(set(before) - set(after)):
            # For readers, `_required` has said what was sure and is no more.
            if self._direction is Direction.REQUEST or name not in demanded - demands:
                self._say_it(f"`{name}` in {where} is gone", self._direction is Direction.REQUEST)
        for name in sorted(set(after) - set(before) - (demands - demanded)):
            self._say_it(f"`{name}` in {where} is new", False)
        for name in sorted(set(before) & set(after)):
            self.compare(before[name], after[name], f"`{name}` in {where}")
        self._open(old.get("additionalProperties", True), new.get("additionalProperties", True), where)

    def _open(self, before: Any, after: Any, where: str) -> None:
        if before == after and not isinstance(before, dict):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            self.compare(before, after, f"further members of {where}")
        elif after is False:
            self._say(f"{where} may have no further members", Effect.NARROWER)
        elif before is False:
            # A wider response, but see above: members that a client does not know.
            self._say_it(f"{where} may have further members", False)
        else:
            self._say(
                f"further members of {where} are described otherwise",
                Effect.NARROWER if before is True else Effect.WIDER,
            )

    def _combinations(self, old: Json, new: Json, where: str) -> None:
        for name in COMBINATIONS:
            place = where if name == "allOf" else f"an alternative of {where}"
            before, after = old.get(name, []), new.get(name, [])
            for schema in (schema for schema in before if schema in after):
                # What it refers to may have changed.
                self.compare(schema, schema, place)
            removed = [schema for schema in before if schema not in after]
            added = [schema for schema in after if schema not in before]
            if len(removed) == len(added):
                # The same schemas, changed one by one, or under other names.
                for one, other in zip(removed, added, strict=True):
                    self.compare(one, other, place)
            elif name == "allOf":
                what = f"{where} must fit {len(after)} schemas at once, not {len(before)} (allOf)"
                self._say(what, _combined(Effect.NARROWER if added else None, Effect.WIDER if removed else None))
            elif before and after:
                what = f"{where} has {len(after)} alternatives, not {len(before)} ({name})"
                self._say(what, _combined(Effect.NARROWER if removed else None, Effect.WIDER if added else None))
            else:
                # The first alternatives are the end of "anything goes".
                what = f"{where} {'must' if after else 'need not'} fit one of several schemas ({name})"
                self._say(what, Effect.NARROWER if after else Effect.WIDER)
        if old.get("not") != new.get("not"):
            self._say(f"{where} must not fit another schema than before (not)", Effect.BOTH)

    def _items(self, old: Json, new: Json, where: str) -> None:
        before, after = old.get("items"), new.get("items")
        if before == after and not isinstance(before, dict):
            return
        self.compare(before or {}, after or {}, f"an item of {where}")


def resolved(schema: Any, document: Json) -> Json:
    """What `schema` says, or what it refers to; a schema that is only `true` says nothing."""
    seen: set[str] = set()
    while isinstance(schema, dict) and "$ref" in schema:
        reference = schema["$ref"]
        if reference in seen:
            return {}
        seen.add(reference)
        name = str(reference).rpartition("/")[2]
        schema = document.get("components", {}).get("schemas", {}).get(name, {})
    return schema if isinstance(schema, dict) else {}


def types(schema: Json) -> set[str]:
    """All that a value may be; a number may be an integer, and without a type it may be anything."""
    said = schema.get("type")
    found = set(ALL_TYPES) if said is None else {said} if isinstance(said, str) else set(said)
    if "number" in found:
        found.add("integer")
    if schema.get("nullable"):
        found.add("null")
    return found


def _effect(before: set[str], after: set[str]) -> Effect:
    if after < before:
        return Effect.NARROWER
    return Effect.WIDER if before < after else Effect.BOTH


def _is_in(value: Any, values: list[Any]) -> bool:
    """As JSON has it: to Python, true is 1."""
    return any(value == each and isinstance(value, bool) is isinstance(each, bool) for each in values)


def _type_text(found: set[str]) -> str:
    if found == ALL_TYPES:
        return "of any type"
    said = found - {"integer"} if "number" in found else found
    return " or ".join(sorted(said, key=lambda name: (name == "null", name)))


def _shown(value: Any) -> str:
    return "none" if value is None else f"`{json.dumps(value)}`" if not isinstance(value, str) else f"`{value}`"


def _listed(values: list[Any]) -> str:
    return ", ".join(_shown(value) for value in values)


def _combined(*effects: Effect | None) -> Effect:
    found = {effect for effect in effects if effect is not None}
    return found.pop() if len(found) == 1 else Effect.BOTH
