//! Words in the string values of a JSON document; everything else stays byte for byte.

use replace::{Engine, JsonText};
use serde::de::IgnoredAny;

/// Appends `json` to `out`, with words replaced in its string values. Names of members are left alone: they are what a
/// program looks for.
pub(crate) fn replace_into(engine: &Engine, json: &[u8], out: &mut Vec<u8>) -> Result<(), Box<dyn std::error::Error>> {
    // Once for all of it: serde_json does not look into strings that are ignored.
    let text = str::from_utf8(json)?;
    serde_json::from_str::<IgnoredAny>(text)?;

    let mut rest = json;
    while let Some(quote) = rest.iter().position(|byte| *byte == b'"') {
        let (string, after) = JsonText::read(&rest[quote + 1..]).ok_or("a string is no JSON")?;
        out.extend_from_slice(&rest[..=quote]);
        if is_name(after) {
            out.extend_from_slice(string.as_bytes());
        } else {
            engine.replace_json_into(string, out);
        }
        out.push(b'"');
        rest = after;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Whether what comes after a string makes it the name of a member.
fn is_name(after: &[u8]) -> bool {
    after.iter().find(|byte| !b" \t\n\r".contains(byte)) == Some(&b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use replace::Rules;
    use serde_json::Value;

    fn replaced(json: &str) -> Result<String, String> {
        let engine = Engine::new(&Rules::built_in()).unwrap();
        let mut out = Vec::new();
        replace_into(&engine, json.as_bytes(), &mut out).map_err(|error| error.to_string())?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn values_are_replaced_and_nothing_else() {
        let table = [
            (r#"{"ABN": "ABN"}"#, r#"{"ABN": "ABN AMRO"}"#),
            (
                r#"[ "Rabo" , {"a" :"x ING\n"}, 1.50e3, null ]"#,
                r#"[ "Rabobank" , {"a" :"x ING BANK\n"}, 1.50e3, null ]"#,
            ),
            (r#""ABN""#, r#""ABN AMRO""#),
            (r#"{"a\"b": "\"ABN\"", "": ""}"#, r#"{"a\"b": "\"ABN AMRO\"", "": ""}"#),
            (r#"{"x":"\u0041BN"}"#, r#"{"x":"ABN AMRO"}"#),
            ("  true\n", "  true\n"),
        ];
        for (json, expected) in table {
            assert_eq!(replaced(json).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_not_json_is_an_error() {
        for json in ["", "{", r#"{"a": ABN}"#, r#""open"#, "[1,]", "{} {}"] {
            assert!(replaced(json).is_err(), "{json}");
        }
        assert!(replace_into(&Engine::new(&Rules::built_in()).unwrap(), b"\"\xff\"", &mut Vec::new()).is_err());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let text = prop_oneof![Just("ABN".to_owned()), Just("\"ING\" \\ \u{1f980}".to_owned()), ".{0,8}"];
        let leaf =
            prop_oneof![Just(Value::Null), any::<i32>().prop_map(Value::from), text.clone().prop_map(Value::from)];
        leaf.prop_recursive(4, 40, 5, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((text.clone(), inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    /// What should come out, the obvious way.
    fn expected(engine: &Engine, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let mut out = Vec::new();
                engine.replace_into(text.as_bytes(), &mut out);
                Value::from(String::from_utf8(out).unwrap())
            }
            Value::Array(values) => values.iter().map(|value| expected(engine, value)).collect(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), expected(engine, value))).collect())
            }
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn any_document_is_replaced_as_its_values_are(value in any_json(), pretty in any::<bool>()) {
            let json = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) }.unwrap();
            let engine = Engine::new(&Rules::built_in()).unwrap();
            let mut out = Vec::new();
            replace_into(&engine, json.as_bytes(), &mut out).unwrap();
            prop_assert_eq!(serde_json::from_slice::<Value>(&out).unwrap(), expected(&engine, &value));
        }
    }
}
