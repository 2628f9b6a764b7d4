//! Models: what a body must look like, as JSON Schema draft 4.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/models-mappings-models.html>

use std::collections::BTreeMap;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{Draft, ValidationError, Validator};
use serde_json::{Value, json};

/// A schema, compiled.
#[derive(Debug)]
pub(crate) struct Model {
    validator: Validator,
}

impl Model {
    /// `schema` may refer to the document's `schemas` by `#/components/schemas/{name}`.
    ///
    /// # Errors
    /// Says why the schema is none.
    pub fn compile(schema: &Value, schemas: &Value) -> Result<Self, String> {
        // Beside a `$ref`, draft 4 ignores every other member: the schemas must be one level up.
        let document = json!({ "allOf": [schema], "components": { "schemas": schemas } });
        let validator = jsonschema::options().with_draft(Draft::Draft4).build(&document);
        validator.map(|validator| Self { validator }).map_err(|error| error.to_string())
    }

    /// Whether the document is as the schema wants it.
    ///
    /// # Errors
    /// All that is wrong, in the form of `$context.error.validationErrorString`.
    pub fn check(&self, document: &Value) -> Result<(), String> {
        let mut findings = Vec::new();
        // API Gateway names all properties that an object lacks in one finding.
        let mut missing: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for error in self.validator.iter_errors(document) {
            match error.kind() {
                ValidationErrorKind::Required { property } => {
                    let names = missing.entry(error.instance_path().to_string()).or_default();
                    names.push(property.as_str().unwrap_or_default().to_owned());
                }
                _ => findings.push(finding(&error)),
            }
        }
        for names in missing.values_mut() {
            names.sort();
            findings.push(format!("object has missing required properties ({})", json!(names)));
        }
        if findings.is_empty() { Ok(()) } else { Err(format!("[{}]", findings.join(", "))) }
    }
}

/// One finding, in the words that API Gateway takes from its validation library.
fn finding(error: &ValidationError<'_>) -> String {
    let instance = error.instance().as_ref();
    let length = match instance {
        Value::String(text) => text.chars().count(),
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    };
    match error.kind() {
        ValidationErrorKind::Type { kind } => {
            let mut allowed: Vec<String> = match kind {
                TypeKind::Single(one) => vec![one.to_string()],
                TypeKind::Multiple(many) => many.iter().map(|one| one.to_string()).collect(),
            };
            allowed.sort();
            format!(
                "instance type ({}) does not match any allowed primitive type (allowed: {})",
                type_name(instance),
                json!(allowed)
            )
        }
        ValidationErrorKind::Enum { options } => {
            format!("instance value ({instance}) not found in enum (possible values: {options})")
        }
        ValidationErrorKind::Minimum { limit } => {
            format!("numeric instance is lower than the required minimum (minimum: {limit}, found: {instance})")
        }
        ValidationErrorKind::Maximum { limit } => {
            format!("numeric instance is greater than the required maximum (maximum: {limit}, found: {instance})")
        }
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("numeric instance is not strictly greater than the required minimum {limit}")
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("numeric instance is not strictly lower than the required maximum {limit}")
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("remainder of division is not zero ({instance} / {multiple_of})")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("string {instance} is too short (length: {length}, required minimum: {limit})")
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("string {instance} is too long (length: {length}, maximum allowed: {limit})")
        }
        ValidationErrorKind::Pattern { pattern } => {
            format!("ECMA 262 regex {} does not match input string {instance}", json!(pattern))
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("array is too short: must have at least {limit} elements but instance has {length} elements")
        }
        ValidationErrorKind::MaxItems { limit } => {
            format!("array is too long: must have at most {limit} elements but instance has {length} elements")
        }
        ValidationErrorKind::UniqueItems => "array must not contain duplicate elements".to_owned(),
        ValidationErrorKind::MinProperties { limit } => {
            format!("object has too few properties (found {length} but schema requires at least {limit})")
        }
        ValidationErrorKind::MaxProperties { limit } => {
            format!("object has too many properties (found {length} but schema requires at most {limit})")
        }
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let mut names = unexpected.clone();
            names.sort();
            format!("object instance has properties which are not allowed by the schema: {}", json!(names))
        }
        // The rest is rare; the validator's own words say what is wrong.
        _ => error.to_string(),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_in_the_words_of_api_gateway() {
        let schemas = json!({
            "Pet": { "type": "object", "required": ["name", "age"], "properties": {
                "name": { "type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$" },
                "age": { "type": "integer", "minimum": 0, "maximum": 30, "exclusiveMaximum": true },
                "kind": { "enum": ["cat", "dog"] },
                "toys": { "type": "array", "minItems": 1, "uniqueItems": true } },
                "additionalProperties": false },
        });
        let model = Model::compile(&json!({ "$ref": "#/components/schemas/Pet" }), &schemas).unwrap();
        assert_eq!(model.check(&json!({ "name": "rex", "age": 3 })), Ok(()));
        for (pet, expected) in [
            (json!({}), r#"[object has missing required properties (["age","name"])]"#),
            (json!({ "name": "rex" }), r#"[object has missing required properties (["age"])]"#),
            (
                json!({ "name": 7, "age": 3 }),
                r#"[instance type (integer) does not match any allowed primitive type (allowed: ["string"])]"#,
            ),
            (json!([]), r#"[instance type (array) does not match any allowed primitive type (allowed: ["object"])]"#),
            (
                json!({ "name": "rex", "age": -1 }),
                "[numeric instance is lower than the required minimum (minimum: 0, found: -1)]",
            ),
            (
                json!({ "name": "rex", "age": 30 }),
                "[numeric instance is not strictly lower than the required maximum 30]",
            ),
            (json!({ "name": "x", "age": 3 }), r#"[string "x" is too short (length: 1, required minimum: 2)]"#),
            (json!({ "name": "rexxxx", "age": 3 }), r#"[string "rexxxx" is too long (length: 6, maximum allowed: 5)]"#),
            (json!({ "name": "REX", "age": 3 }), r#"[ECMA 262 regex "^[a-z]+$" does not match input string "REX"]"#),
            (
                json!({ "name": "rex", "age": 3, "kind": "cow" }),
                r#"[instance value ("cow") not found in enum (possible values: ["cat","dog"])]"#,
            ),
            (
                json!({ "name": "rex", "age": 3, "toys": [] }),
                "[array is too short: must have at least 1 elements but instance has 0 elements]",
            ),
            (json!({ "name": "rex", "age": 3, "toys": [1, 1] }), "[array must not contain duplicate elements]"),
            (
                json!({ "name": "rex", "age": 3, "owner": "me" }),
                r#"[object instance has properties which are not allowed by the schema: ["owner"]]"#,
            ),
        ] {
            assert_eq!(model.check(&pet).unwrap_err(), expected, "{pet}");
        }
    }

    #[test]
    fn a_schema_that_is_none_is_refused() {
        let error = Model::compile(&json!({ "$ref": "#/components/schemas/Missing" }), &json!({})).unwrap_err();
        assert!(error.contains("Missing"), "{error}");
    }
}
