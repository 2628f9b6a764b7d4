//! The engine does what the naive one does, however the text comes, and whatever the processor can.

use proptest::collection::vec;
use proptest::prelude::*;
use replace::{Engine, JsonText, Kind, Rule, Rules};

use super::{naive, replace, stream};

/// Few characters, so that random rules match random texts; of every kind that is treated in a way of its own: ASCII words
/// and others, letters that fold across lengths, other scripts, marks, digits, punctuation, what JSON escapes, emoji.
const ALPHABET: &[&str] = &[
    "a", "b", "A", "k", "K", "s", "S", "x", "_", "1", " ", " ", " ", ".", "-", "+", "\n", "\"", "\\", "/", "n",
    "\u{212A}", "ſ", "é", "É", "ß", "ẞ", "σ", "ς", "Σ", "ж", "Ж", "中", "文", "١", "\u{301}", "“", "”", "\u{200B}",
    "😀", "Ⱥ", "ⱥ", "ab", "abk", "sk x",
];

/// Parts of regular expressions that never match the empty text.
const REGEXES: &[&str] = &[
    "[ab]+", r"\w\w", r"\d", "a|ab", "ab|a", r"s\b", r"\bk", "[^a]x", "k.?s", r"é\B", "(?:ab)+?", "σ+", r"\s[a-z]",
    "^a", "a$", "(?m)^k", "abk?s?", "1|k+", "x_1", r"\w+x", "[^a-z]k", "“a",
];

fn text(longest: usize) -> impl Strategy<Value = String> {
    vec(prop::sample::select(ALPHABET), 0..longest).prop_map(|parts| parts.concat())
}

fn literal() -> impl Strategy<Value = Rule> {
    (vec(prop::sample::select(ALPHABET), 1..4), text(3), prop::bool::weighted(0.2), prop::bool::weighted(0.8)).prop_map(
        |(pattern, replace, case_sensitive, whole_word)| Rule {
            pattern: pattern.concat(),
            replace,
            kind: Kind::Literal,
            case_sensitive,
            whole_word,
        },
    )
}

fn regex() -> impl Strategy<Value = Rule> {
    (prop::sample::select(REGEXES), "[a-c]{0,3}", any::<bool>(), any::<bool>()).prop_map(
        |(pattern, replace, case_sensitive, whole_word)| Rule {
            pattern: pattern.into(),
            replace,
            kind: Kind::Regex,
            case_sensitive,
            whole_word,
        },
    )
}

/// Rules that are accepted: those that are refused as duplicates are left out one by one.
fn accepted(candidates: Vec<Rule>) -> (Vec<Rule>, Engine) {
    let mut rules: Vec<Rule> = Vec::new();
    for rule in candidates {
        rules.push(rule);
        if Engine::new(&Rules::from_iter(rules.clone())).is_err() {
            rules.pop();
        }
    }
    let engine = Engine::new(&Rules::from_iter(rules.clone())).unwrap();
    (rules, engine)
}

fn check(rules: Vec<Rule>, text: &str, cuts: &[usize]) -> Result<(), TestCaseError> {
    let (rules, engine) = accepted(rules);
    let expected = naive::replace(&rules, text);
    let whole = replace(&engine, text.as_bytes());
    prop_assert_eq!(String::from_utf8_lossy(&whole), &expected[..], "rules {:#?}", rules);

    let mut pieces: Vec<&[u8]> = Vec::new();
    let mut rest = text.as_bytes();
    for cut in cuts {
        let (piece, after) = rest.split_at(cut % (rest.len() + 1));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    let streamed = stream(&engine, pieces.iter().copied());
    prop_assert_eq!(String::from_utf8_lossy(&streamed), &expected[..], "streamed as {:?}, rules {:#?}", pieces, rules);

    for escape_solidus in [false, true] {
        let mut json = serde_json::to_string(text).unwrap();
        if escape_solidus {
            json = json.replace('/', "\\/");
        }
        let mut out = vec![b'"'];
        engine.replace_json_into(JsonText::read(&json.as_bytes()[1..]).unwrap().0, &mut out);
        out.push(b'"');
        let decoded = serde_json::from_slice::<String>(&out).ok();
        prop_assert_eq!(decoded.as_ref(), Some(&expected), "as JSON {}, rules {:#?}", json, rules);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn whole_word_rules(rules in vec(literal().prop_map(|rule| Rule { whole_word: true, ..rule }), 0..8), text in text(200), cuts in vec(any::<usize>(), 0..4)) {
        check(rules, &text, &cuts)?;
    }

    #[test]
    fn literal_rules(rules in vec(literal(), 0..8), text in text(100), cuts in vec(any::<usize>(), 0..4)) {
        check(rules, &text, &cuts)?;
    }

    #[test]
    fn words_across_blocks_and_batches(pad in 0usize..1200, rules in vec(literal(), 1..4), text in text(20), tail in 0usize..80) {
        let text = format!("{}{text}{}", ". ".repeat(pad), "x ".repeat(tail));
        check(rules, &text, &[pad])?;
    }

    #[test]
    fn bytes_that_are_not_utf8_stay(bytes in vec(any::<u8>(), 0..300), rules in vec(literal(), 0..5), cut in 0usize..300) {
        let (_, engine) = accepted(rules);
        let whole = replace(&engine, &bytes);
        let (before, after) = bytes.split_at(cut.min(bytes.len()));
        prop_assert_eq!(stream(&engine, [before, after]), whole);
    }
}

proptest! {
    // The naive engine compiles a regular expression for every rule and character: fewer texts have to do.
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn all_kinds_of_rules(
        rules in vec(prop_oneof![literal(), regex()], 0..5),
        text in text(30),
        cuts in vec(any::<usize>(), 0..4),
    ) {
        check(rules, &text, &cuts)?;
    }
}

/// Every cut of a text with matches everywhere, for rules of each kind.
#[test]
fn streams_may_be_cut_anywhere() {
    let rules = [
        r#"{"ABN": "ABN AMRO", "New York": "NYC", ".NET": "dotnet", "“x”": "y", "Straße": "Str."}"#,
        r#"{"rules": [{"match": "b", "replace": "[b]", "whole_word": false}, {"match": "..New", "replace": "N"}, {"match": "ß", "replace": "ss", "whole_word": false}]}"#,
        r#"{"rules": [{"match": "[a-z]+ [a-z]+", "replace": "($0)", "kind": "regex"}, {"match": "york", "replace": "YORK"}]}"#,
    ];
    let text = "abn, New York..new york; ..NET “X” STRAẞE \u{212A}abn éabn “ABN” new yorkers ";
    for json in rules {
        let engine = super::engine(json);
        let expected = replace(&engine, text.as_bytes());
        for first in 0..=text.len() {
            for second in first..=text.len() {
                let bytes = text.as_bytes();
                let got = stream(&engine, [&bytes[..first], &bytes[first..second], &bytes[second..]]);
                assert_eq!(
                    String::from_utf8_lossy(&got),
                    String::from_utf8_lossy(&expected),
                    "{first} {second} {json}"
                );
            }
        }
    }
}
