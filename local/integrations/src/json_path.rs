//! The part of JSONPath that parameter mappings use: members, elements, wildcards, descent.
//!
//! `method.request.body.` is followed by the expression without its `$`: `pets[0].name`, `['a name']`, `..id`.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/request-response-data-mappings.html>

use serde_json::Value;

/// A path into a JSON document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JsonPath(Vec<Step>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Member(String),
    /// From the end when negative.
    Element(i64),
    Every,
    /// This value and everything below it.
    Descend,
}

impl JsonPath {
    /// Reads an expression, with or without a leading `$`.
    ///
    /// # Errors
    /// Says what is not understood: filters, slices and unions are not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut rest = text.strip_prefix('$').unwrap_or(text);
        let mut steps = Vec::new();
        // The first member may stand without its dot.
        let mut named = !rest.is_empty() && !rest.starts_with(['.', '[']);
        while named || !rest.is_empty() {
            if std::mem::take(&mut named) {
                rest = member(rest, text, &mut steps)?;
            } else if let Some(after) = rest.strip_prefix("..") {
                steps.push(Step::Descend);
                rest = if after.starts_with('[') { after } else { member(after, text, &mut steps)? };
            } else if let Some(after) = rest.strip_prefix('.') {
                rest = member(after, text, &mut steps)?;
            } else if let Some(after) = rest.strip_prefix('[') {
                rest = bracket(after, text, &mut steps)?;
            } else {
                return Err(format!("'{text}' is no JSON path: '.' or '[' is missing before '{rest}'"));
            }
        }
        Ok(Self(steps))
    }

    /// What the path leads to, if anything. A path that can lead to several values (a wildcard, a descent) gives an array
    /// of them, which may be empty.
    pub fn find(&self, document: &Value) -> Option<Value> {
        let mut found = vec![document];
        for step in &self.0 {
            found = found.into_iter().flat_map(|value| step.from(value)).collect();
        }
        if self.0.iter().any(|step| matches!(step, Step::Every | Step::Descend)) {
            Some(found.into_iter().cloned().collect())
        } else {
            found.into_iter().next().cloned()
        }
    }
}

impl Step {
    fn from<'a>(&self, value: &'a Value) -> Vec<&'a Value> {
        match self {
            Self::Member(name) => value.get(name).into_iter().collect(),
            Self::Element(index) => {
                let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
                let index =
                    if *index < 0 { items.len().checked_add_signed(*index as isize) } else { Some(*index as usize) };
                index.and_then(|index| items.get(index)).into_iter().collect()
            }
            Self::Every => children(value).collect(),
            Self::Descend => {
                let mut all = Vec::new();
                let mut left = vec![value];
                while let Some(value) = left.pop() {
                    all.push(value);
                    let below: Vec<_> = children(value).collect();
                    left.extend(below.into_iter().rev());
                }
                all
            }
        }
    }
}

fn children(value: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match value {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(members) => Box::new(members.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn member<'a>(rest: &'a str, text: &str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    let end = rest.find(['.', '[']).unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    match name {
        "" => return Err(format!("'{text}' is no JSON path: a name is missing")),
        "*" => steps.push(Step::Every),
        name => steps.push(Step::Member(name.to_owned())),
    }
    Ok(rest)
}

fn bracket<'a>(rest: &'a str, text: &str, steps: &mut Vec<Step>) -> Result<&'a str, String> {
    if let Some(quote) = rest.chars().next().filter(|first| matches!(first, '\'' | '"')) {
        let (name, after) =
            rest[1..].split_once(quote).ok_or_else(|| format!("'{text}' is no JSON path: {quote} is not closed"))?;
        let after = after.strip_prefix(']').ok_or_else(|| format!("'{text}' is no JSON path: ']' is missing"))?;
        steps.push(Step::Member(name.to_owned()));
        return Ok(after);
    }
    let (inner, after) = rest.split_once(']').ok_or_else(|| format!("'{text}' is no JSON path: ']' is missing"))?;
    steps.push(match (inner.trim(), inner.trim().parse()) {
        ("*", _) => Step::Every,
        (_, Ok(index)) => Step::Element(index),
        (other, _) => {
            return Err(format!("'[{other}]' in '{text}' is not supported: give ['name'], [0] or [*]"));
        }
    });
    Ok(after)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// https://goessner.net/articles/JsonPath/index.html, which the developer guide refers to.
    #[test]
    fn leads_to_what_it_names() {
        let store = json!({
            "book": [{"title": "A", "price": 1}, {"title": "B", "price": 2}],
            "a name": {"x.y": true},
            "nothing": null,
        });
        for (path, expected) in [
            ("$", Some(store.clone())),
            ("", Some(store.clone())),
            ("book[0].title", Some(json!("A"))),
            ("$.book[1].price", Some(json!(2))),
            ("book[-1].title", Some(json!("B"))),
            ("book[2]", None),
            ("book[-3]", None),
            ("book.title", None),
            ("['a name']['x.y']", Some(json!(true))),
            ("[\"a name\"]", Some(json!({"x.y": true}))),
            ("nothing", Some(Value::Null)),
            ("book[*].title", Some(json!(["A", "B"]))),
            ("book.*.price", Some(json!([1, 2]))),
            ("..title", Some(json!(["A", "B"]))),
            ("..book[0]", Some(json!([{"title": "A", "price": 1}]))),
            ("..none", Some(json!([]))),
        ] {
            let found = JsonPath::parse(path).map(|path| path.find(&store));
            assert_eq!(found, Ok(expected), "{path}");
        }
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (path, problem) in [
            ("a..", "a name is missing"),
            ("a.", "a name is missing"),
            ("a[", "']' is missing"),
            ("a['b]", "' is not closed"),
            ("a['b'", "']' is missing"),
            ("a[0]b", "'.' or '[' is missing before 'b'"),
            ("a[?(@.b)]", "is not supported"),
            ("a[0:2]", "is not supported"),
        ] {
            let refused = JsonPath::parse(path).expect_err(path);
            assert!(refused.contains(problem) && refused.contains(path), "{path}: {refused}");
        }
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from)];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c.' ]{1,3}", inner, 0..4).prop_map(|map| json!(map)),
            ]
        })
    }

    /// Every value of a document, with the path that leads to it, all names in brackets.
    fn places(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
        found.push((path.to_owned(), value.clone()));
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    places(item, &format!("{path}[{index}]"), found);
                }
            }
            Value::Object(members) => {
                for (name, item) in members {
                    let quote = if name.contains('\'') { '"' } else { '\'' };
                    places(item, &format!("{path}[{quote}{name}{quote}]"), found);
                }
            }
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn every_value_has_a_path(document in documents()) {
            let mut found = Vec::new();
            places(&document, "$", &mut found);
            for (path, expected) in found {
                prop_assert_eq!(JsonPath::parse(&path).map(|path| path.find(&document)), Ok(Some(expected)), "{}", path);
            }
        }

        #[test]
        fn never_panics(path in "[$.*a-c0-9'\"\\[\\]@?:-]{0,12}", document in documents()) {
            if let Ok(path) = JsonPath::parse(&path) {
                path.find(&document);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(path in any::<String>()) {
            // A refusal says which text it is.
            if let Err(problem) = JsonPath::parse(&path) {
                prop_assert!(problem.contains("' "), "{}", problem);
            }
        }
    }
}
