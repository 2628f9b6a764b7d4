"""Schemas: each rule in both directions, and what holds for any two."""

import json
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from switchyard.releases.schema_difference import Direction, SchemaDifference

Schema = dict[str, Any]


def changes(
    old: Schema, new: Schema, direction: Direction, **components: tuple[Schema, Schema]
) -> list[tuple[str, bool]]:
    documents = [{"components": {"schemas": {name: pair[i] for name, pair in components.items()}}} for i in (0, 1)]
    said: list[tuple[str, bool]] = []
    difference = SchemaDifference(
        documents[0], documents[1], direction, lambda what, breaking: said.append((what, breaking))
    )
    difference.compare(old, new, "it")
    return said


def thing(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "required": list(required), "properties": properties}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}

# old, new, what is said, whether it breaks those who send requests, those who read responses.
RULES: dict[str, tuple[Schema, Schema, str, bool, bool]] = {
    "type narrowed": (NUMBER, {"type": "integer"}, "it is integer, not number", True, False),
    "type widened": ({"type": "integer"}, NUMBER, "it is number, not integer", False, True),
    "type exchanged": (TEXT, NUMBER, "it is number, not string", True, True),
    "type given": ({}, TEXT, "it is string, not of any type", True, False),
    "type taken away": (TEXT, {}, "it is of any type, not string", False, True),
    "one type more": (TEXT, {"type": ["string", "integer"]}, "it is integer or string, not string", False, True),
    "nullable": (TEXT, {**TEXT, "nullable": True}, "it is string or null, not string", False, True),
    "not nullable": ({**TEXT, "nullable": True}, TEXT, "it is string, not string or null", True, False),
    "value added": ({"enum": ["a"]}, {"enum": ["a", "b"]}, "it may also be `b`", False, True),
    "value true added to 1": ({"enum": [1]}, {"enum": [1, True]}, "it may also be `true`", False, True),
    "value removed": ({"enum": ["a", "b"]}, {"enum": ["a"]}, "it may no longer be `b`", True, False),
    "values given": (TEXT, {**TEXT, "enum": ["a"]}, "it must be one of `a`", True, False),
    "values taken away": ({**TEXT, "enum": ["a"]}, TEXT, "it may be more than `a`", False, True),
    "maximum set": (NUMBER, {**NUMBER, "maximum": 9}, "it has the maximum 9", True, False),
    "maximum lowered": ({"maxLength": 9}, {"maxLength": 8}, "it has the maxLength 8, not 9", True, False),
    "maximum raised": ({"maxItems": 8}, {"maxItems": 9}, "it has the maxItems 9, not 8", False, True),
    "maximum dropped": ({"maxProperties": 8}, {}, "it has no maxProperties any more; it was 8", False, True),
    "minimum set": (NUMBER, {**NUMBER, "minimum": 1}, "it has the minimum 1", True, False),
    "minimum raised": ({"minLength": 1}, {"minLength": 2}, "it has the minLength 2, not 1", True, False),
    "minimum lowered": ({"minItems": 2}, {"minItems": 1}, "it has the minItems 1, not 2", False, True),
    "minimum dropped": ({"minProperties": 2}, {}, "it has no minProperties any more; it was 2", False, True),
    "bound excluded": (
        {"maximum": 9},
        {"maximum": 9, "exclusiveMaximum": True},
        "it has exclusiveMaximum `true`, not `false`",
        True,
        False,
    ),
    "bound included": (
        {"minimum": 9, "exclusiveMinimum": True},
        {"minimum": 9},
        "it has exclusiveMinimum `false`, not `true`",
        False,
        True,
    ),
    "items unique": ({}, {"uniqueItems": True}, "it has uniqueItems `true`, not `false`", True, False),
    "coarser multiple": ({"multipleOf": 2}, {"multipleOf": 4}, "it is a multiple of `4`, not of `2`", True, False),
    "finer multiple": ({"multipleOf": 4}, {"multipleOf": 2}, "it is a multiple of `2`, not of `4`", False, True),
    "other multiple": ({"multipleOf": 2}, {"multipleOf": 3}, "it is a multiple of `3`, not of `2`", True, True),
    "pattern set": (TEXT, {**TEXT, "pattern": "^a"}, "it has the pattern `^a`, not none", True, False),
    "pattern dropped": ({**TEXT, "pattern": "^a"}, TEXT, "it has the pattern none, not `^a`", False, True),
    "pattern changed": ({"pattern": "^a"}, {"pattern": "^b"}, "it has the pattern `^b`, not `^a`", True, True),
    "format set": (TEXT, {**TEXT, "format": "date"}, "it has the format `date`, not none", True, False),
    "property required": (thing(a=TEXT), thing("a", a=TEXT), "`a` in it is required", True, False),
    "property no longer required": (
        thing("a", a=TEXT),
        thing(a=TEXT),
        "`a` in it, which was required, is no longer required",
        False,
        True,
    ),
    "optional property gone": (thing(a=TEXT), thing(), "`a` in it is gone", True, False),
    "property changed": (thing(a=TEXT), thing(a=NUMBER), "`a` in it is number, not string", True, True),
    "closed": (thing(), {**thing(), "additionalProperties": False}, "it may have no further members", True, False),
    "opened": ({**thing(), "additionalProperties": False}, thing(), "it may have further members", False, False),
    "further members": (
        {"additionalProperties": TEXT},
        {"additionalProperties": NUMBER},
        "further members of it is number, not string",
        True,
        True,
    ),
    "item narrowed": (
        {"items": NUMBER},
        {"items": {"type": "integer"}},
        "an item of it is integer, not number",
        True,
        False,
    ),
    "alternative added": (
        {"oneOf": [TEXT]},
        {"oneOf": [TEXT, NUMBER]},
        "it has 2 alternatives, not 1 (oneOf)",
        False,
        True,
    ),
    "alternative removed": (
        {"anyOf": [TEXT, NUMBER]},
        {"anyOf": [TEXT]},
        "it has 1 alternatives, not 2 (anyOf)",
        True,
        False,
    ),
    "alternatives given": ({}, {"oneOf": [TEXT]}, "it must fit one of several schemas (oneOf)", True, False),
    "alternative changed": (
        {"oneOf": [TEXT]},
        {"oneOf": [NUMBER]},
        "an alternative of it is number, not string",
        True,
        True,
    ),
    "one schema more at once": (
        {"allOf": [TEXT]},
        {"allOf": [TEXT, {"maxLength": 1}]},
        "it must fit 2 schemas at once",
        True,
        False,
    ),
    "one schema less at once": (
        {"allOf": [TEXT, {"maxLength": 1}]},
        {"allOf": [TEXT]},
        "it must fit 1 schemas at once",
        False,
        True,
    ),
    "another not": ({"not": TEXT}, {"not": NUMBER}, "it must not fit another schema than before (not)", True, True),
    "default": (TEXT, {**TEXT, "default": "a"}, "it has the default `a`, not none", False, False),
}


@pytest.mark.parametrize("rule", RULES)
def test_rule(rule: str) -> None:
    old, new, what, for_senders, for_readers = RULES[rule]
    for direction, breaking in ((Direction.REQUEST, for_senders), (Direction.RESPONSE, for_readers)):
        said = changes(old, new, direction)
        assert len(said) == 1, said
        assert said[0][0].startswith(what)
        assert said[0][1] is breaking, direction


@pytest.mark.parametrize(
    ("new", "request_breaks"), [(thing(a=TEXT), False), (thing("a", a=TEXT), True)], ids=["optional", "required"]
)
def test_a_new_property_breaks_only_who_must_send_it(new: Schema, request_breaks: bool) -> None:
    assert [breaking for _, breaking in changes(thing(), new, Direction.REQUEST)] == [request_breaks]
    assert not any(breaking for _, breaking in changes(thing(), new, Direction.RESPONSE))


def test_a_required_property_that_goes_breaks_both_sides() -> None:
    for direction in Direction:
        assert any(breaking for _, breaking in changes(thing("a", a=TEXT), thing(), direction)), direction


def test_who_may_not_send_a_property_need_not() -> None:
    """https://spec.openapis.org/oas/v3.0.3#properties: readOnly is required of responses only, writeOnly of
    requests only."""
    read_only = thing("a", a={**TEXT, "readOnly": True})
    assert not any(breaking for _, breaking in changes(thing(), read_only, Direction.REQUEST))
    write_only = thing("a", a={**TEXT, "writeOnly": True})
    assert any(breaking for _, breaking in changes(thing(), write_only, Direction.REQUEST))
    assert not any(breaking for _, breaking in changes(write_only, thing(a=TEXT), Direction.RESPONSE))


def test_references_are_followed_and_one_that_leads_back_ends() -> None:
    reference = {"$ref": "#/components/schemas/Tree"}
    tree = [thing(value=kind, children={"type": "array", "items": reference}) for kind in (TEXT, NUMBER)]
    said = changes(reference, reference, Direction.RESPONSE, Tree=(tree[0], tree[1]))
    assert said == [("`value` in it is number, not string", True)]


def test_a_schema_that_moves_behind_a_name_is_the_same() -> None:
    assert (
        changes({"items": TEXT}, {"items": {"$ref": "#/components/schemas/T"}}, Direction.REQUEST, T=(TEXT, TEXT)) == []
    )


def test_what_an_alternative_refers_to_is_looked_at() -> None:
    union = {"oneOf": [{"$ref": "#/components/schemas/T"}]}
    said = changes(union, union, Direction.REQUEST, T=(TEXT, NUMBER))
    assert said == [("an alternative of it is number, not string", True)]


# Any two schemas

BOUNDS = st.integers(0, 4)
LEAVES: st.SearchStrategy[Schema] = st.one_of(
    st.builds(
        lambda low, high: {
            "type": "string",
            **({"minLength": low} if low else {}),
            **({"maxLength": high} if high else {}),
        },
        BOUNDS,
        BOUNDS,
    ),
    st.builds(lambda kind, low: {"type": kind, "minimum": low}, st.sampled_from(["integer", "number"]), BOUNDS),
    st.builds(
        # In one order: another order is no difference.
        lambda values: {"enum": sorted(values, key=repr)},
        st.lists(st.sampled_from(["a", "b", 1, True]), min_size=1, unique_by=repr),
    ),
    st.just({"type": ["string", "null"]}),
    st.just({}),
)


def objects(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    names = st.sampled_from(["a", "b", "c"])
    return st.one_of(
        st.builds(
            lambda properties, required, closed: {
                "type": "object",
                "properties": properties,
                **({"required": sorted(required)} if required else {}),
                **({"additionalProperties": False} if closed else {}),
            },
            st.dictionaries(names, inner, max_size=3),
            st.sets(names, max_size=2),
            st.booleans(),
        ),
        st.builds(lambda item: {"type": "array", "items": item}, inner),
    )


SCHEMAS = st.recursive(LEAVES, objects, max_leaves=5)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 6), st.text("ab", max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), inner, max_size=3)
    ),
    max_leaves=5,
)


def fits(value: Any, schema: Schema) -> bool:
    return bool(jsonschema.Draft4Validator(schema).is_valid(value))


@settings(deadline=None)
@given(SCHEMAS)
def test_a_schema_has_no_difference_to_itself(schema: Schema) -> None:
    for direction in Direction:
        assert changes(schema, schema, direction) == []


@settings(deadline=None)
@given(SCHEMAS, SCHEMAS)
def test_something_is_said_of_any_two_that_differ(old: Schema, new: Schema) -> None:
    # As text, because to Python true is 1.
    assume(json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True))
    for direction in Direction:
        assert changes(old, new, direction)
        assert changes(new, old, direction)


def shared(old: Schema, new: Schema, value: Any) -> Any:
    """`value` without the members that only one of the two describes: nobody sends what is not described to them, and
    clients ignore what they do not know."""
    if isinstance(value, dict) and isinstance(old.get("properties"), dict):
        before, after = old["properties"], new.get("properties", {})
        return {
            key: shared(before.get(key, {}), after.get(key, {}), item)
            for key, item in value.items()
            if (key in before) == (key in after)
        }
    if isinstance(value, list) and isinstance(old.get("items"), dict):
        return [shared(old["items"], new.get("items", {}), item) for item in value]
    return value


def opened(schema: Any) -> Any:
    """`schema` as a client reads by it that ignores what it does not know."""
    if isinstance(schema, dict):
        return {key: opened(value) for key, value in schema.items() if key != "additionalProperties"}
    return schema


ANY_TWO = settings(deadline=None, max_examples=100, suppress_health_check=list(HealthCheck))


@ANY_TWO
@given(SCHEMAS, SCHEMAS, VALUES)
def test_what_breaks_no_sender_takes_all_that_was_taken(old: Schema, new: Schema, value: Any) -> None:
    assume(fits(value, old) and not fits(shared(old, new, value), new))
    said = changes(old, new, Direction.REQUEST)
    assert any(breaking for _, breaking in said), said


@ANY_TWO
@given(SCHEMAS, SCHEMAS, VALUES)
def test_what_breaks_no_reader_gives_nothing_that_was_not_given(old: Schema, new: Schema, value: Any) -> None:
    assume(fits(value, new) and not fits(shared(old, new, value), opened(old)))
    said = changes(old, new, Direction.RESPONSE)
    assert any(breaking for _, breaking in said), said
