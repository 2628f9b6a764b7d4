"""What changed between two definitions of an API, said as a person would, and whether it breaks a caller.

A change is breaking when a caller who keeps to the old definition may fare otherwise under the new one. Changes
behind the API (integrations, authorizers' functions, templates) cannot be judged by the definition: they are said,
and are not breaking. How schemas are judged is in `schema_difference`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from switchyard.failure import REFUSED, Failure

from . import export
from .export import ANY_METHOD, DOCUMENTATION, EXTENSION, METHODS
from .json_types import Json
from .schema_difference import Direction, SchemaDifference, resolved

THE_API = "the API"
MOST_PLACES = 5
"""So many places are named of what is not told one by one."""

PLACES = {"path": "path parameter", "query": "query parameter", "header": "header", "cookie": "cookie"}
INTEGRATION_WORDS = {
    "type": "is integrated by",
    "uri": "calls",
    "httpMethod": "calls its backend with",
    "timeoutInMillis": "waits for its backend, in milliseconds:",
    "connectionType": "is connected by",
    "connectionId": "is connected through",
    "credentials": "calls its backend in the role",
    "passthroughBehavior": "passes unmapped bodies on:",
    "contentHandling": "converts bodies:",
}


@dataclass(frozen=True)
class Change:
    where: str
    """"POST /string/replace", or the API as a whole."""
    what: str
    breaking: bool

    def __str__(self) -> str:
        return f"{'BREAKING ' if self.breaking else ''}{self.where}: {self.what}"


def refusal(what: str, expected: Json, found: Json, *advice: str) -> Failure:
    """That `found` is not what was expected, with every difference, between `what` and `advice`."""
    return Failure("\n".join([what, *(f"  {change}" for change in compare(expected, found)), *advice]), REFUSED)


def compare(old: Json, new: Json) -> list[Change]:
    """Breaking changes first, otherwise in the documents' order. Empty when, and only when, the definitions are
    the same but for where they are deployed."""
    difference = _Difference(old, new)
    difference.run()
    changes = list(dict.fromkeys(difference.changes))
    if not changes and not export.is_same(old, new):
        places = list(_places(export.comparable(old), export.comparable(new), ""))
        changes = [Change(THE_API, f"it is defined otherwise at {_listed(places)}", False)]
    return sorted(changes, key=lambda change: not change.breaking)


def summary(old: str, new: str, changes: list[Change]) -> str:
    breaking = sum(change.breaking for change in changes)
    if not changes:
        return f"{old} -> {new}: no difference"
    return (
        f"{old} -> {new}: {len(changes)} change{'s' if len(changes) > 1 else ''}, {breaking or 'none'} of them breaking"
    )


def operations(document: Json) -> dict[tuple[str, str], Json]:
    """(path, method) → operation, with what it has of its path; the method is ANY for the one that takes every
    method."""
    return {
        (path, "ANY" if method == ANY_METHOD else method.upper()): {
            **item[method],
            "parameters": _merged(item.get("parameters", []), item[method].get("parameters", [])),
        }
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    }


class _Difference:
    def __init__(self, old: Json, new: Json) -> None:
        # Descriptions are looked at apart, and where an API is deployed is no difference.
        self.raw = (old, new)
        self.old, self.new = export.comparable(old), export.comparable(new)
        self.changes: list[Change] = []

    def say(self, where: str, what: str, breaking: bool) -> None:
        self.changes.append(Change(where, what, breaking))

    def run(self) -> None:
        old, new = operations(self.old), operations(self.new)
        renamed = _renamed(old, new)
        for key in old:
            match = renamed.get(key, key)
            where = f"{match[1]} {match[0]}"
            if match not in new:
                self.say(f"{key[1]} {key[0]}", "the operation is removed", True)
                continue
            if match != key:
                self.say(where, f"the path was written {key[0]}", False)
            self.operation(where, _with_path_names(old[key], key[0], match[0]), new[match])
        for key in new:
            if key not in old and key not in renamed.values():
                self.say(f"{key[1]} {key[0]}", "the operation is new", False)
        self.authorizers()
        self.gateway_responses()
        self.models()
        self.settings()
        self.descriptions()

    def operation(self, where: str, old: Json, new: Json) -> None:
        self.parameters(where, old, new)
        self.request_body(where, old.get("requestBody"), new.get("requestBody"))
        self.responses(where, old.get("responses", {}), new.get("responses", {}))
        self.security(where, old, new)
        self.validation(where, old, new)
        self.integration(where, old.get(export.INTEGRATION, {}), new.get(export.INTEGRATION, {}))
        before, after = old.get("operationId"), new.get("operationId")
        if before != after:
            self.say(where, f"its operationId is {_shown(after)}, not {_shown(before)}", False)
        if new.get("deprecated") and not old.get("deprecated"):
            self.say(where, "it is deprecated", False)

    def parameters(self, where: str, old: Json, new: Json) -> None:
        """A parameter that goes is breaking, since whoever sends it is no longer heeded."""
        before, after = _parameters(old), _parameters(new)
        for key in before.keys() - after.keys():
            self.say(where, f"the {PLACES[key[0]]} `{before[key]['name']}` is removed", True)
        for key in sorted(after.keys() - before.keys()):
            required = bool(after[key].get("required"))
            kind = "required" if required else "optional"
            self.say(where, f"the {kind} {PLACES[key[0]]} `{after[key]['name']}` is new", required)
        for key in sorted(before.keys() & after.keys()):
            name = f"the {PLACES[key[0]]} `{after[key]['name']}`"
            demanded, demands = bool(before[key].get("required")), bool(after[key].get("required"))
            if demands and not demanded:
                self.say(where, f"{name} is required", True)
            if demanded and not demands:
                self.say(where, f"{name} is no longer required", False)
            self.schema(where, Direction.REQUEST, before[key].get("schema", {}), after[key].get("schema", {}), name)

    def request_body(self, where: str, old: Json | None, new: Json | None) -> None:
        if old is None and new is None:
            return
        if old is None or new is None:
            required = bool(new and new.get("required"))
            what = (
                "the request body is removed"
                if new is None
                else f"{'a required' if required else 'an optional'} request body is new"
            )
            self.say(where, what, new is None or required)
            return
        demanded, demands = bool(old.get("required")), bool(new.get("required"))
        if demands != demanded:
            self.say(where, f"the request body is {'' if demands else 'no longer '}required", demands)
        self.content(where, Direction.REQUEST, old.get("content", {}), new.get("content", {}), "the request body")

    def responses(self, where: str, old: Json, new: Json) -> None:
        """A response that tells of success is relied on; one that tells of an error may come or go."""
        for status in sorted(old.keys() - new.keys()):
            self.say(where, f"the response {status} is removed", status.startswith("2"))
        for status in sorted(new.keys() - old.keys()):
            self.say(where, f"the response {status} is new", False)
        for status in sorted(old.keys() & new.keys()):
            name = f"the response {status}"
            self.content(
                where, Direction.RESPONSE, old[status].get("content", {}), new[status].get("content", {}), name
            )
            self.headers(where, name, old[status].get("headers", {}), new[status].get("headers", {}))

    def headers(self, where: str, name: str, old: Json, new: Json) -> None:
        before = {header.lower(): (header, said) for header, said in old.items()}
        after = {header.lower(): (header, said) for header, said in new.items()}
        for key in sorted(before.keys() - after.keys()):
            self.say(where, f"the header `{before[key][0]}` of {name} is removed", bool(before[key][1].get("required")))
        for key in sorted(after.keys() - before.keys()):
            self.say(where, f"the header `{after[key][0]}` of {name} is new", False)
        for key in sorted(before.keys() & after.keys()):
            promised, promises = bool(before[key][1].get("required")), bool(after[key][1].get("required"))
            header = f"the header `{after[key][0]}` of {name}"
            if promised != promises:
                self.say(where, f"{header} is {'always' if promises else 'no longer always'} there", promised)
            self.schema(
                where, Direction.RESPONSE, before[key][1].get("schema", {}), after[key][1].get("schema", {}), header
            )

    def content(self, where: str, direction: Direction, old: Json, new: Json, name: str) -> None:
        for media_type in sorted(old.keys() - new.keys()):
            self.say(where, f"{name} is no longer {media_type}", True)
        for media_type in sorted(new.keys() - old.keys()):
            self.say(where, f"{name} may be {media_type}", False)
        for media_type in sorted(old.keys() & new.keys()):
            several = len(old) > 1 or len(new) > 1
            self.schema(
                where,
                direction,
                old[media_type].get("schema", {}),
                new[media_type].get("schema", {}),
                f"{name} as {media_type}" if several else name,
            )

    def schema(self, where: str, direction: Direction, old: Any, new: Any, name: str) -> None:
        def say(what: str, breaking: bool) -> None:
            self.say(where, what, breaking)

        SchemaDifference(self.old, self.new, direction, say).compare(old, new, name)

    def security(self, where: str, old: Json, new: Json) -> None:
        """Whoever was let in by one of the old ways must be by one of the new ones, without bringing more."""
        before, after = _ways(old, self.old), _ways(new, self.new)
        if before == after:
            return
        breaking = not all(any(way <= known for way in after) for known in before)
        self.say(where, f"it asks for {_ways_text(after)}, not {_ways_text(before)}", breaking)

    def validation(self, where: str, old: Json, new: Json) -> None:
        """A request that was passed on, whatever the definition said of it, may be refused by a validator."""
        before, after = _validated(old, self.old), _validated(new, self.new)
        for what in sorted(after - before):
            self.say(where, f"API Gateway checks {what}", True)
        for what in sorted(before - after):
            self.say(where, f"API Gateway no longer checks {what}", False)

    def integration(self, where: str, old: Json, new: Json) -> None:
        for name in sorted(old.keys() | new.keys()):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            if name in INTEGRATION_WORDS:
                self.say(where, f"it {INTEGRATION_WORDS[name]} {_shown(after)}, not {_shown(before)}", False)
            elif isinstance(before or after, dict):
                parts = _parts(before or {}, after or {})
                self.say(where, f"its integration has other {name}: {parts}", False)
            else:
                self.say(where, f"its integration has the {name} {_shown(after)}, not {_shown(before)}", False)

    def authorizers(self) -> None:
        old, new = _authorizers(self.old), _authorizers(self.new)
        for name in sorted(old.keys() | new.keys()):
            before, after = old.get(name), new.get(name)
            if before == after:
                continue
            where = f"the authorizer {name}"
            if before is None or after is None:
                # Which operations ask it is said of each.
                self.say(where, "it is new" if before is None else "it is removed", False)
                continue
            for member in sorted(before.keys() | after.keys()):
                one, other = before.get(member), after.get(member)
                # What a caller must send, and how it must look.
                breaking = member == "identitySource" or (
                    member == "identityValidationExpression" and other is not None
                )
                if one != other:
                    self.say(where, f"its {member} is {_shown(other)}, not {_shown(one)}", breaking)

    def gateway_responses(self) -> None:
        old = self.old.get(EXTENSION + "gateway-responses", {})
        new = self.new.get(EXTENSION + "gateway-responses", {})
        for name in sorted(old.keys() | new.keys()):
            before, after = old.get(name), new.get(name)
            where = f"the gateway response {name}"
            if before == after:
                continue
            if before is None or after is None:
                self.say(
                    where,
                    "it is API Gateway's own no longer" if before is None else "it is API Gateway's own again",
                    False,
                )
                continue
            one, other = before.get("statusCode"), after.get("statusCode")
            if str(one) != str(other):
                self.say(where, f"its status is {_shown(other)}, not {_shown(one)}", True)
            for member in sorted((before.keys() | after.keys()) - {"statusCode"}):
                if before.get(member) != after.get(member):
                    parts = _parts(before.get(member) or {}, after.get(member) or {})
                    self.say(where, f"other {member}: {parts}", False)

    def models(self) -> None:
        """Those that no operation shows: what changes in the others is said where callers meet it."""
        old, new = (document.get("components", {}).get("schemas", {}) for document in (self.old, self.new))
        used = _used(self.old) | _used(self.new)
        for name in sorted((old.keys() | new.keys()) - used):
            if old.get(name) != new.get(name):
                what = "is new" if name not in old else "is removed" if name not in new else "is another"
                self.say(f"the model {name}", f"it {what}, and no operation uses it", False)

    def settings(self) -> None:
        for key, words, breaking in (
            ("api-key-source", "API keys are read from", True),
            ("binary-media-types", "bodies are bytes if they are", False),
            ("minimum-compression-size", "answers are compressed from, in bytes:", False),
        ):
            before, after = self.old.get(EXTENSION + key), self.new.get(EXTENSION + key)
            if before != after:
                self.say(THE_API, f"{words} {_shown(after)}, not {_shown(before)}", breaking)
        closed, closes = (
            bool(document.get(export.ENDPOINT, {}).get("disableExecuteApiEndpoint"))
            for document in (self.old, self.new)
        )
        if closed != closes:
            self.say(THE_API, f"it is {'no longer' if closes else 'also'} served on AWS's own host name", closes)
        if self.old.get(EXTENSION + "policy") != self.new.get(EXTENSION + "policy"):
            self.say(THE_API, "its resource policy is another: look whom it lets in", False)
        for member, words in (("title", "is called"), ("version", "has the info.version")):
            before, after = (document["info"].get(member) for document in (self.old, self.new))
            if before != after:
                self.say(THE_API, f"it {words} {_shown(after)}, not {_shown(before)}", False)

    def descriptions(self) -> None:
        old, new = (dict(export.descriptions(document)) for document in self.raw)
        differing = [place for place in sorted({**old, **new}) if old.get(place) != new.get(place)]
        # What comes or goes brings or takes its description; and API Gateway's own list has all of them once more.
        reworded = [place for place in differing if place in old and place in new and place != f"/{DOCUMENTATION}"]
        if places := reworded or (differing if self.old == self.new else []):
            self.say(THE_API, f"it is described otherwise at {_listed(places)}", False)


def _merged(shared: list[Json], own: list[Json]) -> list[Json]:
    """An operation's parameter replaces its path's of the same name and place."""
    merged = {(parameter["in"], parameter["name"]): parameter for parameter in [*shared, *own]}
    return list(merged.values())


def _shape(path: str) -> str:
    return re.sub(r"\{[^}+]*\}", "{}", path)


def _renamed(
    old: dict[tuple[str, str], Json], new: dict[tuple[str, str], Json]
) -> dict[tuple[str, str], tuple[str, str]]:
    """Operations whose path differs in the names of its parameters only, which no caller sees."""
    shapes = {(_shape(path), method): (path, method) for path, method in new if (path, method) not in old}
    return {
        key: shapes[(_shape(key[0]), key[1])] for key in old if key not in new and (_shape(key[0]), key[1]) in shapes
    }


def _with_path_names(operation: Json, old: str, new: str) -> Json:
    names = dict(zip(re.findall(r"\{([^}]*)\}", old), re.findall(r"\{([^}]*)\}", new), strict=True))
    parameters = [
        {**parameter, "name": names.get(parameter["name"], parameter["name"])}
        if parameter["in"] == "path"
        else parameter
        for parameter in operation["parameters"]
    ]
    return {**operation, "parameters": parameters}


def _parameters(operation: Json) -> dict[tuple[str, str], Json]:
    """By place and name; headers in lower case, because that is no difference."""
    return {
        (parameter["in"], parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]): parameter
        for parameter in operation["parameters"]
    }


def _schemes(document: Json) -> Json:
    schemes: Json = document.get("components", {}).get("securitySchemes", {})
    return schemes


def _credential(name: str, scheme: Json) -> str:
    """What a caller must bring. A scheme's own name is nothing that a caller sees."""
    if scheme.get(EXTENSION + "authtype") == "awsSigv4":
        return "AWS's signature"
    authorizer = scheme.get(EXTENSION + "authorizer", {})
    if authorizer.get("type") == "request":
        return f"what the authorizer {name} looks at"
    if scheme.get("type") == "apiKey":
        return f"the {PLACES[scheme.get('in', 'header')]} `{scheme.get('name')}`"
    return f"the scheme {name}"


def _ways(operation: Json, document: Json) -> list[frozenset[str]]:
    """The ways in: each is what must be brought together. The empty one stands for anybody."""
    schemes = _schemes(document)
    requirements = operation.get("security", document.get("security")) or [{}]
    ways = []
    for requirement in requirements:
        brought = {_credential(name, schemes.get(name, {})) for name in requirement}
        brought |= {f"the scope {scope}" for scopes in requirement.values() for scope in scopes}
        ways.append(frozenset(brought))
    return ways


def _ways_text(ways: list[frozenset[str]]) -> str:
    return ", or ".join(" and ".join(sorted(way)) or "nothing" for way in ways)


def _validated(operation: Json, document: Json) -> set[str]:
    """What a validator looks at, as far as the operation has something to look at."""
    name = operation.get(EXTENSION + "request-validator", document.get(EXTENSION + "request-validator"))
    validator = document.get(EXTENSION + "request-validators", {}).get(name, {})
    found = set()
    if validator.get("validateRequestBody") and operation.get("requestBody"):
        found.add("the request body")
    if validator.get("validateRequestParameters") and any(each.get("required") for each in operation["parameters"]):
        found.add("that required parameters are there")
    return found


def _authorizers(document: Json) -> dict[str, Json]:
    return {
        name: scheme[EXTENSION + "authorizer"]
        for name, scheme in _schemes(document).items()
        if EXTENSION + "authorizer" in scheme
    }


def _used(document: Json) -> set[str]:
    """The models that operations name, and those that these name."""
    schemas = document.get("components", {}).get("schemas", {})
    found: set[str] = set()
    waiting = list(_references(document["paths"]))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _references(resolved({"$ref": name}, {"components": {"schemas": schemas}}))
    return found


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].rpartition("/")[2]
        for item in value.values():
            yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _parts(before: Any, after: Any) -> str:
    """The members that differ, by name."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return f"{_shown(after)}, not {_shown(before)}"
    names = [name for name in sorted({**before, **after}) if before.get(name) != after.get(name)]
    return ", ".join(f"`{name}`" for name in names)


def _places(old: Any, new: Any, at: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({**old, **new}):
            if old.get(key) != new.get(key):
                yield from _places(old.get(key), new.get(key), f"{at}/{key.replace('~', '~0').replace('/', '~1')}")
    else:
        yield at


def _listed(places: list[str]) -> str:
    more = f" and {len(places) - MOST_PLACES} more" if len(places) > MOST_PLACES else ""
    return ", ".join(places[:MOST_PLACES]) + more


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    return f"`{value}`" if isinstance(value, str) else f"`{json.dumps(value)}`"
