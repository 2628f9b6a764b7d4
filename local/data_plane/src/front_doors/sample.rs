//! A request to try a front door with, from its OpenAPI document.

use serde_json::{Map, Value, json};

/// A request that a front door should take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub method: String,
    /// From the front door's URL on.
    pub path: String,
    /// JSON.
    pub body: Option<String>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { method: "GET".into(), path: "/".into(), body: None }
    }
}

/// References may go round in circles; an example that is nested deeper helps nobody.
const DEEPEST: usize = 8;

impl Sample {
    /// The first POST of JSON, else the first GET. None with path parameters: nobody knows their values.
    pub fn of(document: &Value) -> Option<Self> {
        let operations = || {
            let paths = document["paths"].as_object().into_iter().flatten();
            paths.filter(|(path, _)| !path.contains('{')).flat_map(|(path, methods)| {
                methods.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
            })
        };
        let post = operations().filter(|(_, method, _)| *method == "post").find_map(|(path, _, operation)| {
            let body = resolved(document, &operation["requestBody"])["content"].get("application/json")?;
            let body = body.get("example").cloned().unwrap_or_else(|| example(document, &body["schema"], 0));
            Some(Self { method: "POST".into(), path: path.clone(), body: Some(body.to_string()) })
        });
        post.or_else(|| {
            let get =
                operations().find(|(_, method, _)| matches!(method.as_str(), "get" | "x-amazon-apigateway-any-method"));
            get.map(|(path, _, _)| Self { path: path.clone(), ..Self::default() })
        })
    }
}

/// A value that a schema allows.
fn example(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolved(document, schema);
    let of_author =
        [&schema["example"], &schema["default"], &schema["enum"][0]].into_iter().find(|value| !value.is_null());
    if let Some(value) = of_author {
        return value.clone();
    }
    let kind = schema["type"].as_str().unwrap_or(if schema["properties"].is_object() { "object" } else { "" });
    match kind {
        "object" if depth < DEEPEST => {
            let member = |name: &str| (name.to_owned(), example(document, &schema["properties"][name], depth + 1));
            let required: Vec<&str> =
                schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            if required.is_empty() {
                let all = schema["properties"].as_object().into_iter().flatten();
                return Value::Object(all.map(|(name, _)| member(name)).collect());
            }
            Value::Object(required.into_iter().map(member).collect())
        }
        "array" if depth < DEEPEST => {
            let items = schema["minItems"].as_u64().unwrap_or(0).min(1);
            (0..items).map(|_| example(document, &schema["items"], depth + 1)).collect()
        }
        "object" => Value::Object(Map::new()),
        "array" => json!([]),
        "integer" | "number" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "boolean" => json!(true),
        _ => json!("text"),
    }
}

/// The schema or body that a `$ref` of the same document leads to.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| document.pointer(pointer)).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_schema(schema: Value) -> Value {
        json!({
            "paths": {
                "/items/{id}": {"post": {"requestBody": {"content": {"application/json": {"schema": {}}}}}},
                "/health": {"get": {}},
                "/replace": {"post": {"requestBody": {"content": {"application/json": {"schema": schema}}}}},
            },
            "components": {"schemas": {
                "Text": {"type": "object", "required": ["content"], "properties": {"content": {"type": "string"}}},
                "Loop": {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#/components/schemas/Loop"}}},
            }},
        })
    }

    fn body(schema: Value) -> Value {
        let sample = Sample::of(&with_schema(schema)).unwrap();
        assert_eq!((sample.method.as_str(), sample.path.as_str()), ("POST", "/replace"));
        serde_json::from_str(&sample.body.unwrap()).unwrap()
    }

    #[test]
    fn a_body_is_made_from_the_schema() {
        assert_eq!(body(json!({"$ref": "#/components/schemas/Text"})), json!({"content": "text"}));
        assert_eq!(body(json!({"example": {"a": 1}})), json!({"a": 1}));
        let nested = json!({"type": "object", "required": ["n", "s", "l"], "properties": {
            "n": {"type": "integer", "minimum": 5}, "s": {"enum": ["red", "blue"]},
            "l": {"type": "array", "minItems": 2, "items": {"type": "boolean"}}, "optional": {"type": "string"},
        }});
        assert_eq!(body(nested), json!({"n": 5, "s": "red", "l": [true]}));
    }

    #[test]
    fn without_required_members_all_are_given() {
        assert_eq!(body(json!({"properties": {"content": {"description": "any text"}}})), json!({"content": "text"}));
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends() {
        assert!(body(json!({"$ref": "#/components/schemas/Loop"}))["next"]["next"].is_object());
    }

    #[test]
    fn without_a_post_the_first_get_does() {
        let document = json!({"paths": {"/items/{id}": {"get": {}}, "/health": {"get": {}}}});
        assert_eq!(Sample::of(&document), Some(Sample { path: "/health".into(), ..Sample::default() }));
        assert_eq!(Sample::of(&json!({})), None);
    }
}
