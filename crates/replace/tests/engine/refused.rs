//! What is refused, and what the errors say.

use replace::{Engine, MAX_RULES, Rule, Rules};

fn error(json: &str) -> String {
    match Rules::from_json(json.as_bytes()).and_then(|rules| Engine::new(&rules)) {
        Ok(_) => panic!("accepted: {json}"),
        Err(error) => error.to_string(),
    }
}

/// Each document with what its error must say.
const REFUSED: &[(&str, &[&str])] = &[
    (r#"{"": "x"}"#, &["rule 1", "empty"]),
    (r#"{"x": "1", "a": "2", "A": "3"}"#, &["rule 3 (\"A\")", "rule 2 (\"a\")", "folded"]),
    (r#"{"a": "1", "a": "2"}"#, &["rule 2", "rule 1"]),
    (r#"{"σ x": "1", "Σ X": "2"}"#, &["rule 2", "rule 1"]),
    (r#"{"++": "1", "x": "2", "++": "3"}"#, &["rule 3", "rule 1"]),
    (r#"{"a_very_long_word_of_more_than_16_bytes": "1", "A_VERY_LONG_WORD_OF_MORE_THAN_16_BYTES": "2"}"#, &["rule 2"]),
    (
        r#"{"rules": [{"match": "US", "replace": "1", "case_sensitive": true}, {"match": "us", "replace": "2", "case_sensitive": true}]}"#,
        &["rule 2", "rule 1"],
    ),
    (
        r#"{"rules": [{"match": "us", "replace": "1", "whole_word": false}, {"match": "US", "replace": "2"}]}"#,
        &["rule 2 (\"US\")", "rule 1 (\"us\")"],
    ),
    (
        r#"{"rules": [{"match": "a us", "replace": "1"}, {"match": "A US", "replace": "2", "whole_word": false}]}"#,
        &["rule 2 (\"A US\")", "rule 1 (\"a us\")"],
    ),
    (
        r#"{"rules": [{"match": "ok", "replace": ""}, {"match": "(", "replace": "", "kind": "regex"}]}"#,
        &["rule 2 (\"(\")", "unclosed group"],
    ),
    (r#"{"rules": [{"match": "a*", "replace": "", "kind": "regex"}]}"#, &["rule 1", "empty text"]),
    (r#"{"rules": [{"match": "\\b", "replace": "", "kind": "regex"}]}"#, &["rule 1", "empty text"]),
    (r#"{"rules": [{"match": "", "replace": "", "kind": "regex"}]}"#, &["rule 1", "empty"]),
    (r#"{"rules": [{"match": "\\w{1000}{1000}", "replace": "", "kind": "regex"}]}"#, &["rule 1", "too large"]),
    (r#"{"rules": [{"match": "(?-u:\\xFF)", "replace": "", "kind": "regex"}]}"#, &["rule 1"]),
    (r#"{"a": 1}"#, &["\"a\"", "a string"]),
    (r#"{"a": null}"#, &["\"a\"", "a string"]),
    (r#"{"a": ["b"]}"#, &["\"a\"", "a string"]),
    (r#"{"a": {"b": "c"}}"#, &["\"a\"", "a string"]),
    (r#"{"rules": [{"match": "a", "replace": "b"}], "x": "y"}"#, &["only member"]),
    (r#"{"rules": [{"match": "a", "replace": "b"}, {"match": "c"}]}"#, &["rule 2", "replace"]),
    (r#"{"rules": [{"match": "a", "replace": "b", "kind": "glob"}]}"#, &["rule 1", "glob"]),
    (r#"{"rules": [{"match": "a", "replace": "b", "whole_words": true}]}"#, &["rule 1", "whole_words"]),
    (r#"{"rules": [{"match": 1, "replace": "b"}]}"#, &["rule 1", "string"]),
    (r#"["a"]"#, &["object"]),
    (r#"{"a": "b""#, &["not a map", "line 1"]),
    ("", &["not a map"]),
];

#[test]
fn bad_rules_are_refused_by_name() {
    for (json, parts) in REFUSED {
        let error = error(json);
        for part in *parts {
            assert!(error.contains(part), "{json}: {error:?} does not say {part:?}");
        }
        assert!(!error.contains('\n'), "an error is one line: {error:?}");
    }
}

#[test]
fn more_rules_than_allowed_are_refused() {
    let rules: Rules = (0..=MAX_RULES).map(|i| Rule::literal(format!("w{i}"), "")).collect();
    let error = Engine::new(&rules).err().expect("too many").to_string();
    assert!(error.contains("100001 rules") && error.contains("100000"), "{error}");
}

#[test]
fn as_many_rules_as_allowed_are_accepted() {
    let rules: Rules = (0..MAX_RULES).map(|i| Rule::literal(format!("w{i}"), format!("v{i}"))).collect();
    let engine = Engine::new(&rules).unwrap();
    assert_eq!(super::replace(&engine, b"w0 W99999 w100000"), b"v0 v99999 w100000");
}

#[test]
fn a_plain_map_may_have_a_key_named_rules() {
    let engine = super::engine(r#"{"rules": "laws", "x": "y"}"#);
    assert_eq!(super::replace(&engine, b"Rules: x"), b"laws: y");
}
