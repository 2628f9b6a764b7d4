//! Rules as a person writes them: a JSON map, checked as far as one rule alone can be checked.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// More rules than this are refused: the engine's size targets are stated, and measured, up to here.
pub const MAX_RULES: usize = 100_000;

/// How [`Rule::pattern`] is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The pattern is the text itself, the replacement is inserted as it stands.
    #[default]
    Literal,
    /// The pattern is a regular expression in the syntax of the `regex` crate; `$1` and `${name}` in the replacement
    /// insert groups.
    Regex,
}

/// One rule. In JSON: `{"match": "ABN", "replace": "ABN AMRO", "kind": "literal", "case_sensitive": false,
/// "whole_word": true}`; all but `match` and `replace` may be left out.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What is looked for.
    #[serde(rename = "match")]
    pub pattern: String,
    /// What is put in its place.
    pub replace: String,
    /// How `pattern` is read.
    #[serde(default)]
    pub kind: Kind,
    /// Whether case matters; if not, text is compared by Unicode simple case folding.
    #[serde(default)]
    pub case_sensitive: bool,
    /// Whether a match may not continue a word on either side.
    #[serde(default = "yes")]
    pub whole_word: bool,
}

fn yes() -> bool {
    true
}

impl Rule {
    /// A literal, case-insensitive, whole-word rule: what a plain `"key": "value"` means.
    pub fn literal(pattern: impl Into<String>, replace: impl Into<String>) -> Self {
        Self {
            pattern: pattern.into(),
            replace: replace.into(),
            kind: Kind::Literal,
            case_sensitive: false,
            whole_word: true,
        }
    }
}

/// Rules in document order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules(Vec<Rule>);

impl Rules {
    /// Reads either form of a map: `{"key": "value", ...}`, or `{"rules": [{"match": ..., "replace": ...}, ...]}`.
    ///
    /// The second form is recognised by its one member `rules` being an array, so a plain map may still have a key
    /// `rules`.
    pub fn from_json(json: &[u8]) -> Result<Self, RulesError> {
        serde_json::from_slice::<Document>(json).map(|document| document.0).map_err(RulesError::json)
    }

    /// The map that is served when none is configured.
    pub fn built_in() -> Self {
        Self::from_iter([
            Rule::literal("ABN", "ABN AMRO"),
            Rule::literal("ING", "ING BANK"),
            Rule::literal("Rabo", "Rabobank"),
            Rule::literal("Triodos", "Triodos Bank"),
            Rule::literal("Volksbank", "de Volksbank"),
        ])
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none. An empty map is a valid map: every text is answered as it came.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The rules in document order.
    pub fn iter(&self) -> std::slice::Iter<'_, Rule> {
        self.0.iter()
    }
}

impl FromIterator<Rule> for Rules {
    fn from_iter<I: IntoIterator<Item = Rule>>(rules: I) -> Self {
        Self(rules.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a Rules {
    type Item = &'a Rule;
    type IntoIter = std::slice::Iter<'a, Rule>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Why a map was refused. The message names the rule at fault; it is meant for whoever keeps the map.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct RulesError(Fault);

#[derive(Debug)]
enum Fault {
    Json(serde_json::Error),
    TooMany(usize),
    Rule { position: usize, pattern: String, reason: String },
}

impl RulesError {
    fn json(error: serde_json::Error) -> Self {
        Self(Fault::Json(error))
    }

    pub(crate) fn too_many(count: usize) -> Self {
        Self(Fault::TooMany(count))
    }

    /// Two patterns that are equal under folding. Positions count from 0.
    pub(crate) fn duplicate(position: u32, rule: &Rule, earlier: u32, first: &Rule) -> Self {
        let same = format!("the same text as rule {} ({:?}) when case is folded", earlier + 1, first.pattern);
        Self::rule(position as usize, rule, same)
    }

    /// `position` counts from 0.
    pub(crate) fn rule(position: usize, rule: &Rule, reason: impl Into<String>) -> Self {
        Self(Fault::Rule { position, pattern: rule.pattern.clone(), reason: reason.into() })
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(
                f,
                "not a map: {error}; expected {{\"key\": \"value\", ...}} or {{\"rules\": [{{\"match\": ..., \"replace\": ...}}, ...]}}"
            ),
            Self::TooMany(count) => write!(f, "{count} rules; at most {MAX_RULES} are allowed"),
            Self::Rule { position, pattern, reason } => write!(f, "rule {} ({pattern:?}): {reason}", position + 1),
        }
    }
}

/// Either form of the document. Members are read one by one, because a map type would drop a key that is given twice
/// without a word.
struct Document(Rules);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Document, A::Error> {
                let mut rules = Vec::new();
                while let Some(key) = members.next_key::<String>()? {
                    match members.next_value_seed(Member { key: &key })? {
                        Value::Text(replace) => rules.push(Rule::literal(key, replace)),
                        Value::Rules(listed) => {
                            if !rules.is_empty() || members.next_key::<String>()?.is_some() {
                                return Err(de::Error::custom("`rules`, if it is an array, must be the only member"));
                            }
                            return Ok(Document(Rules(listed)));
                        }
                    }
                }
                Ok(Document(Rules(rules)))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

enum Value {
    Text(String),
    Rules(Vec<Rule>),
}

/// Reads the value of one member, so that the error for a wrong one can name its key.
struct Member<'a> {
    key: &'a str,
}

impl<'de> de::DeserializeSeed<'de> for Member<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a string as the value of {:?}", self.key)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        if self.key != "rules" {
            return Err(de::Error::invalid_type(de::Unexpected::Seq, &self));
        }
        let mut rules: Vec<Rule> = Vec::new();
        loop {
            match items.next_element::<Rule>() {
                Ok(Some(rule)) => rules.push(rule),
                Ok(None) => return Ok(Value::Rules(rules)),
                Err(error) => return Err(de::Error::custom(format_args!("rule {}: {error}", rules.len() + 1))),
            }
        }
    }
}
