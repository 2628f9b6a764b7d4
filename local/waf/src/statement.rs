//! What a rule looks for.
//! <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements.html>

use std::{borrow::Cow, collections::HashMap, sync::Arc, time::Instant};

use base64::{Engine, prelude::BASE64_STANDARD};
use regex::bytes::RegexSet;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    RequestView, component::Component, forwarded::ForwardedIp, ip_set::IpSet, labels::LabelMatch, matched::Matched,
    rate_based::RateBased, transformation::Transformations,
};

/// What statements refer to, by ARN.
#[derive(Debug, Default)]
pub struct References {
    pub ip_sets: HashMap<String, Arc<IpSet>>,
    pub regex_pattern_sets: HashMap<String, RegexSet>,
    /// As GetRuleGroup answers.
    pub rule_groups: HashMap<String, Value>,
}

/// A request on its way through the rules.
#[derive(Debug)]
pub struct Inspection<'a> {
    pub request: &'a RequestView<'a>,
    pub body_limit: usize,
    /// The labels of rules that matched so far.
    pub labels: &'a [String],
    /// What labels of the same web ACL or rule group begin with, with the last colon.
    pub label_namespace: &'a str,
    pub now: Instant,
}

#[derive(Debug)]
pub enum Statement {
    And(Vec<Statement>),
    Or(Vec<Statement>),
    Not(Box<Statement>),
    ByteMatch {
        text: Text,
        search: Vec<u8>,
        position: Position,
    },
    IpSet {
        set: Arc<IpSet>,
        forwarded: Option<ForwardedIp>,
    },
    LabelMatch(LabelMatch),
    RateBased(Box<RateBased>),
    Regex {
        text: Text,
        patterns: RegexSet,
    },
    SizeConstraint {
        text: Text,
        operator: Operator,
        size: u64,
    },
    /// It cannot be evaluated here, and is never applied.
    Absent,
}

/// A component of the request, and what is done to it first.
#[derive(Debug)]
pub struct Text {
    component: Component,
    transformations: Transformations,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Position {
    Exactly,
    StartsWith,
    EndsWith,
    Contains,
    ContainsWord,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Operator {
    Eq,
    Ne,
    Le,
    Lt,
    Ge,
    Gt,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByteMatchStatement {
    /// Base64, as bytes are in AWS's JSON protocols.
    search_string: String,
    positional_constraint: Position,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SizeConstraintStatement {
    comparison_operator: Operator,
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct IpSetReferenceStatement {
    #[serde(rename = "ARN")]
    arn: String,
    #[serde(rename = "IPSetForwardedIPConfig")]
    forwarded: Option<ForwardedIp>,
}

impl Statement {
    /// `remarks` gets a line for each part that cannot be evaluated.
    pub fn parse(definition: &Value, references: &References, remarks: &mut Vec<String>) -> Self {
        Self::try_parse(definition, references, remarks).unwrap_or_else(|remark| {
            remarks.push(format!("{remark}; it never matches"));
            Self::Absent
        })
    }

    fn try_parse(definition: &Value, references: &References, remarks: &mut Vec<String>) -> Result<Self, String> {
        let (kind, settings) = only_member(definition).map_err(|error| format!("Statement: {error}"))?;
        let mut nested = |statement: &Value| Self::parse(statement, references, remarks);
        let list =
            |settings: &Value| settings["Statements"].as_array().cloned().ok_or(format!("{kind} has no Statements"));
        Ok(match kind {
            "AndStatement" => Self::And(list(settings)?.iter().map(nested).collect()),
            "OrStatement" => Self::Or(list(settings)?.iter().map(nested).collect()),
            "NotStatement" => Self::Not(Box::new(nested(&settings["Statement"]))),
            "ByteMatchStatement" => {
                let statement: ByteMatchStatement = read(kind, settings)?;
                let search = BASE64_STANDARD.decode(&statement.search_string);
                Self::ByteMatch {
                    text: Text::parse(settings)?,
                    search: search.map_err(|error| format!("{kind}: SearchString is not base64: {error}"))?,
                    position: statement.positional_constraint,
                }
            }
            "SizeConstraintStatement" => {
                let statement: SizeConstraintStatement = read(kind, settings)?;
                Self::SizeConstraint {
                    text: Text::parse(settings)?,
                    operator: statement.comparison_operator,
                    size: statement.size,
                }
            }
            "RegexMatchStatement" => {
                let pattern: String = read(kind, &settings["RegexString"])?;
                let patterns = RegexSet::new([pattern]).map_err(|error| format!("{kind}: {error}"))?;
                Self::Regex { text: Text::parse(settings)?, patterns }
            }
            "RegexPatternSetReferenceStatement" => {
                let arn: String = read(kind, &settings["ARN"])?;
                let patterns = references.regex_pattern_sets.get(&arn).ok_or(format!("{kind}: there is no {arn}"))?;
                Self::Regex { text: Text::parse(settings)?, patterns: patterns.clone() }
            }
            "IPSetReferenceStatement" => {
                let IpSetReferenceStatement { arn, forwarded } = read(kind, settings)?;
                let set = references.ip_sets.get(&arn).ok_or(format!("{kind}: there is no {arn}"))?;
                Self::IpSet { set: set.clone(), forwarded }
            }
            "LabelMatchStatement" => Self::LabelMatch(read(kind, settings)?),
            "RateBasedStatement" => {
                let scope_down = settings.get("ScopeDownStatement").map(nested);
                Self::RateBased(Box::new(RateBased::parse(settings, scope_down)?))
            }
            _ => return Err(format!("{kind} is absent")),
        })
    }

    pub fn matches(&self, inspection: &Inspection<'_>) -> Matched {
        match self {
            Self::And(statements) => Matched::all(statements.iter().map(|statement| statement.matches(inspection))),
            Self::Or(statements) => Matched::any(statements.iter().map(|statement| statement.matches(inspection))),
            Self::Not(statement) => !statement.matches(inspection),
            Self::ByteMatch { text, search, position } => {
                text.matches(inspection, |text| position.matches(text, search))
            }
            Self::Regex { text, patterns } => text.matches(inspection, |text| patterns.is_match(text)),
            Self::SizeConstraint { text, operator, size } => {
                text.matches(inspection, |text| operator.compares(text.len() as u64, *size))
            }
            Self::IpSet { set, forwarded: None } => set.contains(inspection.request.source_ip).into(),
            Self::IpSet { set, forwarded: Some(forwarded) } => forwarded.is_in(set, inspection.request),
            Self::LabelMatch(label) => label.matches(inspection.labels, inspection.label_namespace).into(),
            Self::RateBased(rate) => rate.matches(inspection),
            Self::Absent => Matched::NotApplied,
        }
    }

    /// Goes on counting where the same statement of an earlier web ACL left off.
    pub fn inherit(&mut self, earlier: &Self) {
        if let (Self::RateBased(rate), Self::RateBased(earlier)) = (self, earlier) {
            rate.inherit(earlier);
        }
    }
}

impl Text {
    fn parse(settings: &Value) -> Result<Self, String> {
        if settings
            .get("PreParseTextTransformations")
            .is_some_and(|list| list.as_array().is_some_and(|list| !list.is_empty()))
        {
            return Err("PreParseTextTransformations are absent".into());
        }
        Ok(Self {
            component: Component::parse(&settings["FieldToMatch"])?,
            transformations: Transformations::parse(&settings["TextTransformations"])?,
        })
    }

    fn matches(&self, inspection: &Inspection<'_>, test: impl Fn(&[u8]) -> bool) -> Matched {
        self.component.matches(inspection.request, inspection.body_limit, |text: Cow<'_, [u8]>| {
            test(&self.transformations.apply(text))
        })
    }
}

impl Position {
    fn matches(self, text: &[u8], search: &[u8]) -> bool {
        let found_at = |start: &usize| text[*start..].starts_with(search);
        let mut starts = 0..=text.len().saturating_sub(search.len());
        match self {
            Self::Exactly => text == search,
            Self::StartsWith => text.starts_with(search),
            Self::EndsWith => text.ends_with(search),
            Self::Contains => starts.any(|start| found_at(&start)),
            Self::ContainsWord => starts.filter(found_at).any(|start| {
                let is_word =
                    |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
                !is_word(start.checked_sub(1).and_then(|before| text.get(before)))
                    && !is_word(text.get(start + search.len()))
            }),
        }
    }
}

impl Operator {
    fn compares(self, length: u64, size: u64) -> bool {
        match self {
            Self::Eq => length == size,
            Self::Ne => length != size,
            Self::Le => length <= size,
            Self::Lt => length < size,
            Self::Ge => length >= size,
            Self::Gt => length > size,
        }
    }
}

/// AWS's unions are objects with exactly one member.
pub fn only_member(definition: &Value) -> Result<(&str, &Value), String> {
    let members = definition.as_object().ok_or("it is no object")?;
    let mut set = members.iter().filter(|(_, value)| !value.is_null());
    match (set.next(), set.next()) {
        (Some((name, value)), None) => Ok((name, value)),
        _ => Err(format!("it should have one member, and has {}", members.len())),
    }
}

fn read<T: DeserializeOwned>(kind: &str, settings: &Value) -> Result<T, String> {
    T::deserialize(settings).map_err(|error| format!("{kind}: {error}"))
}
