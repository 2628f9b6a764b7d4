"""Schemas as models: each rule by itself, and that together they refuse nothing that the contract allows."""

from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.contracts import contract
from switchyard.openapi.contract import BadContract, Json
from switchyard.openapi.model import REFERENCE, Models


def model(schema: Any, **schemas: Any) -> Json:
    """The model of `schema`, beside others."""
    return Models("billing", contract(schemas=schemas)).importable(schema)


@pytest.mark.parametrize(
    ("rule", "schema", "expected"),
    [
        ("true is any value", True, {}),
        ("false is loosened, too", False, {}),
        ("example is not imported", {"type": "string", "example": "x"}, {"type": "string"}),
        ("examples are 3.1's", {"type": "string", "examples": ["x"]}, {"type": "string"}),
        ("default is not imported", {"type": "string", "default": "x"}, {"type": "string"}),
        ("readOnly is not imported", {"type": "string", "readOnly": True}, {"type": "string"}),
        ("deprecated is not imported", {"type": "string", "deprecated": True}, {"type": "string"}),
        ("what is younger than draft 4 is not imported", {"if": {}, "then": {}, "dependentRequired": {}}, {}),
        ("not would turn loosening into refusing", {"not": {"type": "string", "const": 1}}, {}),
        ("discriminator is not imported", {"discriminator": {"propertyName": "kind"}}, {}),
        ("a list of one type is that type", {"type": ["string"]}, {"type": "string"}),
        ("several types are none", {"type": ["string", "integer"], "minLength": 1}, {"minLength": 1}),
        (
            "null in 3.1 is any value",
            {"type": ["string", "null"], "enum": ["a"], "description": "A"},
            {"description": "A"},
        ),
        ("null in 3.0 is any value", {"type": "string", "nullable": True}, {}),
        ("the type null is any value", {"type": "null"}, {}),
        ("null as a branch is any value", {"oneOf": [{"type": "null"}, {"type": "string"}]}, {}),
        ("const is a choice of one", {"const": "bill"}, {"enum": ["bill"]}),
        (
            "an exclusive bound of 3.1 is the bound",
            {"exclusiveMinimum": 0, "type": "number"},
            {"type": "number", "minimum": 0},
        ),
        ("an exclusive bound of 3.0 is the bound", {"maximum": 9, "exclusiveMaximum": True}, {"maximum": 9}),
        ("oneOf is anyOf", {"oneOf": [{"type": "string"}]}, {"anyOf": [{"type": "string"}]}),
        (
            "oneOf beside anyOf is kept as well",
            {"anyOf": [{"minimum": 1}], "oneOf": [{"maximum": 2}]},
            {"anyOf": [{"minimum": 1}], "allOf": [{"anyOf": [{"maximum": 2}]}]},
        ),
        (
            "a number has no format",
            {"type": "integer", "format": "int64", "minimum": 0},
            {"type": "integer", "minimum": 0},
        ),
        ("a text keeps its format", {"type": "string", "format": "date"}, {"type": "string", "format": "date"}),
        ("required names something", {"type": "object", "required": []}, {"type": "object"}),
        ("an array has items", {"type": "array"}, {"type": "array", "items": {}}),
        ("items after the first ones are any", {"prefixItems": [True], "items": {"const": 1}}, {}),
        ("properties beside patterns are any", {"patternProperties": {"^a": True}, "additionalProperties": False}, {}),
        ("items are reached", {"type": "array", "items": {"const": 1}}, {"type": "array", "items": {"enum": [1]}}),
        ("properties are reached", {"properties": {"a": {"const": 1}}}, {"properties": {"a": {"enum": [1]}}}),
        ("a property may be called like a keyword", {"properties": {"default": True}}, {"properties": {"default": {}}}),
        ("no more properties stays so", {"additionalProperties": False}, {"additionalProperties": False}),
        (
            "further properties are reached",
            {"additionalProperties": {"const": 1}},
            {"additionalProperties": {"enum": [1]}},
        ),
    ],
)
def test_a_rule(rule: str, schema: Any, expected: Json) -> None:
    assert model(schema) == expected, rule


def test_a_reference_is_alone_and_names_the_services_own_model() -> None:
    schema = {"properties": {"bill": {"$ref": "#/components/schemas/Bill", "description": "3.1 allows it here"}}}
    assert model(schema, Bill={"type": "object"}) == {"properties": {"bill": {"$ref": REFERENCE + "BillingBill"}}}


def test_in_a_combination_a_reference_is_what_it_refers_to() -> None:
    schema = {"allOf": [{"$ref": "#/components/schemas/Bill"}, {"required": ["sum"]}]}
    assert model(schema, Bill={"type": "object", "example": {}}) == {
        "allOf": [{"type": "object"}, {"required": ["sum"]}]
    }


def test_a_combination_that_goes_round_accepts_anything_where_it_closes() -> None:
    tree = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}]}
    made = model({"$ref": "#/components/schemas/Tree"}, Tree=tree)
    assert made == {"$ref": REFERENCE + "BillingTree"}
    models = Models("billing", contract(schemas={"Tree": tree})).models
    leaf = {"anyOf": [{"type": "string"}, {"type": "array", "items": {}}]}
    assert models["BillingTree"] == {"anyOf": [{"type": "string"}, {"type": "array", "items": leaf}]}


def test_names_are_alphanumeric_and_the_services_own() -> None:
    models = Models("my-bills", contract(schemas={"Bill_item": {"type": "object"}, "v1.Sum": {"type": "number"}}))
    assert set(models.models) == {"MyBillsBillItem", "MyBillsV1Sum"}


def test_names_that_only_differ_in_punctuation_are_refused() -> None:
    with pytest.raises(BadContract, match="BillingBillItem"):
        Models("billing", contract(schemas={"Bill_item": {"type": "object"}, "Bill.item": {"type": "string"}}))


def test_a_schema_inside_an_operation_gets_a_name_and_a_primitive_one_its_types() -> None:
    models = Models("billing", contract())
    assert models.reference({"type": "string", "example": "x"}, "ListResponse200") == {
        "$ref": REFERENCE + "BillingText"
    }
    assert models.reference({"type": "string"}, "Other") == {"$ref": REFERENCE + "BillingText"}
    assert models.reference({"type": "object"}, "ListResponse200") == {"$ref": REFERENCE + "BillingListResponse200"}
    assert models.models == {"BillingText": {"type": "string"}, "BillingListResponse200": {"type": "object"}}


@pytest.mark.parametrize("reference", ["other.json#/Bill", "#/components/schemas/Nobody", "#/definitions/Bill"])
def test_a_schema_of_elsewhere_is_refused(reference: str) -> None:
    with pytest.raises(BadContract, match="not among the contract's own schemas"):
        Models("billing", contract(schemas={"Bill": {"type": "object"}})).importable({"$ref": reference})


KEYWORDS: dict[str, st.SearchStrategy[Any]] = {
    "type": st.sampled_from(["string", "number", "array", "object", ["string", "null"], ["number", "array"]]),
    "nullable": st.booleans(),
    "const": st.integers(0, 2),
    "enum": st.lists(st.sampled_from([0, 1, "a", None]), min_size=1, max_size=3, unique=True),
    "minimum": st.integers(0, 2),
    "exclusiveMinimum": st.integers(0, 2),
    "exclusiveMaximum": st.integers(0, 3),
    "maxLength": st.integers(0, 2),
    "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
    "maxItems": st.integers(0, 2),
    "uniqueItems": st.booleans(),
    "dependentRequired": st.just({"a": ["b"]}),
}


def some(keywords: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """A schema with a few of them: one with many accepts nothing, which tests nothing."""
    names = st.lists(st.sampled_from(sorted(keywords)), max_size=3, unique=True)
    return names.flatmap(lambda chosen: st.fixed_dictionaries({name: keywords[name] for name in chosen}))


def with_schemas_inside(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    lists = st.lists(inner, min_size=1, max_size=2)
    deep = {
        "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
        "patternProperties": st.dictionaries(st.just("^a"), inner, max_size=1),
        "additionalProperties": inner,
        "items": inner,
        "prefixItems": lists,
        "oneOf": lists,
        "anyOf": lists,
        "allOf": lists,
        "not": inner,
    }
    return st.one_of(some(deep), some(KEYWORDS | deep))


SCHEMAS = st.recursive(st.one_of(st.booleans(), some(KEYWORDS)), with_schemas_inside, max_leaves=4)
VALUES = st.recursive(
    st.sampled_from([None, 0, 1, 2, 3, "", "a", "abc"]),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "ab", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=4,
)


@settings(max_examples=500, deadline=None)
@given(SCHEMAS, st.lists(VALUES, min_size=10, max_size=10))
def test_what_fits_the_contract_fits_the_model(schema: Any, values: list[Any]) -> None:
    """The gateway may let more through than the service takes, never less."""
    made = Models("billing", {}).importable(schema)
    jsonschema.Draft4Validator.check_schema(made)
    contract_says, model_says = jsonschema.Draft202012Validator(schema), jsonschema.Draft4Validator(made)
    for value in values:
        assert model_says.is_valid(value) or not contract_says.is_valid(value)
