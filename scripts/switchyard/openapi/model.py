"""Schemas of a contract as models of API Gateway: JSON Schema draft 4, under names of their own.

A contract of OpenAPI 3.1 has schemas of JSON Schema 2020-12, one of 3.0 has a dialect of its own; API Gateway's
models are "defined using JSON schema draft 4, instead of the JSON schema used by OpenAPI" (NOTES), and read from
OpenAPI 3.0.
"""

from __future__ import annotations

import re
from typing import Any

from switchyard.openapi.contract import BadContract, Json

REFERENCE = "#/components/schemas/"

# What draft 4 and OpenAPI 3.0 mean alike. Not in it, by NOTES: `default`, `discriminator`, `example`, `nullable`,
# `readOnly`, `deprecated`. Not in it for being newer: `examples`, `$defs`, `prefixItems`, `if` and the like, which
# API Gateway refuses ("Unsupported keyword: dependentRequired",
# https://github.com/clouddrove/terraform-aws-api-gateway/issues/30). And not `not`, which would turn everything that is
# taken away inside it into a refusal.
KEYWORDS = {
    *("$ref", "title", "description", "type", "enum", "format", "allOf", "anyOf"),
    *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
    *("items", "minItems", "maxItems", "uniqueItems"),
    *("minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern"),
}

NUMBERS = ("integer", "number")
PRIMITIVES = {"string": "Text", "integer": "Integer", "number": "Number", "boolean": "Boolean"}


class Models:
    """The models of one service: those of its contract, and those made of schemas that stand inside an operation."""

    def __init__(self, service: str, contract: Json) -> None:
        self._prefix = alphanumeric(service)
        self._schemas: Json = contract.get("components", {}).get("schemas", {})
        self._names: dict[str, str] = {}
        self.models: Json = {}
        for name, schema in self._schemas.items():
            self._names[name] = self._add(alphanumeric(name), self.importable(schema), name)

    def _add(self, name: str, model: Json, source: str) -> str:
        name = self._prefix + name
        if self.models.setdefault(name, model) != model:
            raise BadContract(
                f"schema {source} has the name of another one, {name}, when only its letters and digits count"
            )
        return name

    def reference(self, schema: Any, name: str) -> Json:
        """A reference to `schema`'s model; one that has no name gets `name`, or its type's.

        "In method responses, schema definition must be of an object type and cannot be of primitive types"; a
        reference to a model of a primitive type may stand there (NOTES). And of any schema inside an operation API
        Gateway makes a model with a name of chance, so that no two imports, and no two exports, would be the same."""
        if isinstance(schema, dict) and "$ref" in schema:
            return {"$ref": REFERENCE + self._names[self._referred(schema["$ref"])]}
        model = self.importable(schema)
        if model.keys() == {"type"} and model["type"] in PRIMITIVES:
            name = PRIMITIVES[model["type"]]
        return {"$ref": REFERENCE + self._add(name, model, f"of {name}")}

    def importable(self, schema: Any, inside: tuple[str, ...] | None = None) -> Json:
        """`schema` by all the rules. `inside` a combination, references are resolved; these are those under way."""
        model = object_of_boolean(schema)
        if "$ref" in model:
            return self._reference(model["$ref"], inside)
        for rule in RULES:
            model = rule(model)
        for keyword, value in model.items():
            if keyword == "properties":
                model[keyword] = {name: self.importable(member, inside) for name, member in value.items()}
            elif keyword == "items" or (keyword == "additionalProperties" and not isinstance(value, bool)):
                model[keyword] = self.importable(value, inside)
            elif keyword in ("allOf", "anyOf"):
                model[keyword] = [self.importable(branch, inside or ()) for branch in value]
        return model

    def _reference(self, reference: str, inside: tuple[str, ...] | None) -> Json:
        """A reference, without anything beside it: in OpenAPI 3.0 "any sibling elements of a $ref are ignored".

        In a combination, what is referred to itself: "you can't have a oneOf, anyOf, or allOf that uses $ref to a
        definition within the same schema" (NOTES). Where that would never end, anything is accepted.
        """
        name = self._referred(reference)
        if inside is None:
            return {"$ref": REFERENCE + self._prefix + alphanumeric(name)}
        return {} if name in inside else self.importable(self._schemas[name], (*inside, name))

    def _referred(self, reference: str) -> str:
        name = reference.removeprefix(REFERENCE)
        if not reference.startswith(REFERENCE) or name not in self._schemas:
            raise BadContract(
                f"{reference} is not among the contract's own schemas, the only ones that API Gateway reads"
            )
        return name


def alphanumeric(name: str) -> str:
    """ "Model names can only contain alphanumeric characters" (NOTES)."""
    words = re.findall(r"[A-Za-z0-9]+", name)
    return "".join(word[0].upper() + word[1:] for word in words)


def object_of_boolean(schema: Any) -> Json:
    """Draft 4 has no schema `true` or `false`. Either becomes one that accepts anything."""
    return {} if isinstance(schema, bool) else dict(schema)


def one_type(schema: Json) -> Json:
    """A type, or none: OpenAPI 3.0 has no lists of types, and API Gateway knows neither `nullable` (NOTES) nor the
    type null (https://github.com/awslabs/aws-api-gateway-developer-portal/issues/544). Where null is allowed,
    anything is."""
    types = schema.get("type", [])
    types = types if isinstance(types, list) else [types]
    allows_null = schema.get("nullable") is True or "null" in types
    allows_null |= any(
        isinstance(branch, dict) and branch.get("type") == "null"
        for keyword in ("oneOf", "anyOf")
        for branch in schema.get(keyword, [])
    )
    if allows_null:
        return {name: value for name, value in schema.items() if name in ("title", "description")}
    if len(types) == 1:
        return {**schema, "type": types[0]}
    return {name: value for name, value in schema.items() if name != "type"}


def enum_of_const(schema: Json) -> Json:
    """`const` is younger than draft 4; a choice of one says the same."""
    return {**schema, "enum": [schema["const"]]} if "const" in schema else schema


def inclusive_bounds(schema: Json) -> Json:
    """ "exclusiveMinimum is not supported by API Gateway" (NOTES), and a number in draft 2020-12: the bound itself is
    then accepted as well."""
    bounds = {}
    for keyword in ("minimum", "maximum"):
        exclusive = schema.get("exclusive" + keyword.capitalize())
        if isinstance(exclusive, (int, float)) and not isinstance(exclusive, bool) and keyword not in schema:
            bounds[keyword] = exclusive
    return {**schema, **bounds}


def any_of_one_of(schema: Json) -> Json:
    """`oneOf` as `anyOf`: with something taken out of the branches a value may fit two, and must not be refused for
    it."""
    if "oneOf" not in schema:
        return schema
    rest = {name: value for name, value in schema.items() if name != "oneOf"}
    if "anyOf" in rest:
        return {**rest, "allOf": [*rest.get("allOf", []), {"anyOf": schema["oneOf"]}]}
    return {**rest, "anyOf": schema["oneOf"]}


def whole_lists_and_objects(schema: Json) -> Json:
    """What is left to `items` and `additionalProperties` by keywords that OpenAPI 3.0 has not, `prefixItems` and
    `patternProperties`, would be everything without them."""
    without = {"prefixItems": "items", "patternProperties": "additionalProperties"}
    left_out = [rest for keyword, rest in without.items() if keyword in schema]
    return {name: value for name, value in schema.items() if name not in left_out}


def known_keywords(schema: Json) -> Json:
    """Only what draft 4 and OpenAPI 3.0 mean alike; see KEYWORDS."""
    return {name: value for name, value in schema.items() if name in KEYWORDS}


def numbers_without_format(schema: Json) -> Json:
    """ "Numbers of the Int32 or Int64 type are not supported", nor is `decimal` (NOTES)."""
    if schema.get("type") in NUMBERS:
        return {name: value for name, value in schema.items() if name != "format"}
    return schema


def draft_4_lists(schema: Json) -> Json:
    """In draft 4 `required` names at least one member; in OpenAPI 3.0 an array says what its items are."""
    schema = {name: value for name, value in schema.items() if name != "required" or value}
    return {**schema, "items": schema.get("items", {})} if schema.get("type") == "array" else schema


# In this order. Each takes the schema alone, not what is in it.
RULES = (
    one_type,
    enum_of_const,
    inclusive_bounds,
    any_of_one_of,
    whole_lists_and_objects,
    known_keywords,
    numbers_without_format,
    draft_4_lists,
)
