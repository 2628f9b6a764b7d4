//! IAM policies, as authorizers return them, and as APIs and functions have them.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::net::IpAddr;

use serde_json::Value;

/// A policy document, read.
#[derive(Debug, Default, Clone)]
pub(crate) struct Policy {
    statements: Vec<Statement>,
}

#[derive(Debug, Clone)]
struct Statement {
    allows: bool,
    /// Whom it is about; a policy of an identity does not say.
    principals: Option<Vec<String>>,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// `Action` or `NotAction`, `Resource` or `NotResource`.
#[derive(Debug, Clone)]
struct Patterns {
    negated: bool,
    patterns: Vec<String>,
}

#[derive(Debug, Clone)]
struct Condition {
    operator: String,
    key: String,
    values: Vec<String>,
}

/// What a policy says to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allowed,
    /// No statement is about it.
    NotAllowed,
    /// A statement denies it, whatever others allow.
    Denied,
}

impl Policy {
    /// # Errors
    /// Says what is no policy in it.
    pub fn parse(document: &Value) -> Result<Self, String> {
        let statements = match &document["Statement"] {
            Value::Array(statements) => statements.iter().collect(),
            statement @ Value::Object(_) => vec![statement],
            _ => return Err("the policy has no Statement".to_owned()),
        };
        let statements = statements.into_iter().map(Statement::parse).collect::<Result<_, _>>()?;
        Ok(Self { statements })
    }

    pub fn decide(&self, access: &Access<'_>) -> Decision {
        let mut decision = Decision::NotAllowed;
        for statement in self.statements.iter().filter(|statement| statement.applies_to(access)) {
            if !statement.allows {
                return Decision::Denied;
            }
            decision = Decision::Allowed;
        }
        decision
    }
}

/// Who wants to do what.
pub(crate) struct Access<'a> {
    /// Such as `apigateway.amazonaws.com`; none for a caller that nobody knows.
    pub principal: Option<&'a str>,
    /// Such as `execute-api:Invoke`.
    pub action: &'a str,
    /// The names of the one resource: its ARN, and short forms of that.
    pub resources: &'a [&'a str],
    /// The value of a condition key, such as `aws:SourceIp`. Names of keys are in lower case here.
    pub condition_key: &'a dyn Fn(&str) -> Option<String>,
}

impl Statement {
    fn applies_to(&self, access: &Access<'_>) -> bool {
        let to_principal = self.principals.as_ref().is_none_or(|principals| {
            principals.iter().any(|name| name == "*" || access.principal.is_some_and(|principal| name == principal))
        });
        // Actions are compared without regard to case, resources with it.
        to_principal
            && self.actions.match_any(&[&access.action.to_ascii_lowercase()], true)
            && self.resources.match_any(access.resources, false)
            && self.conditions.iter().all(|condition| condition.holds(access.condition_key))
    }

    fn parse(source: &Value) -> Result<Self, String> {
        let allows = match source["Effect"].as_str() {
            Some(effect) if effect.eq_ignore_ascii_case("Allow") => true,
            Some(effect) if effect.eq_ignore_ascii_case("Deny") => false,
            _ => return Err(format!("Effect is {}: give Allow or Deny", source["Effect"])),
        };
        let mut conditions = Vec::new();
        for (operator, keys) in source["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().into_iter().flatten() {
                conditions.push(Condition { operator: operator.clone(), key: key.clone(), values: texts(values) });
            }
        }
        let principals = source.get("Principal").map(|principal| match principal {
            Value::Object(kinds) => kinds.values().flat_map(texts).collect(),
            other => texts(other),
        });
        Ok(Self {
            allows,
            principals,
            actions: Patterns::parse(source, "Action")?,
            resources: Patterns::parse(source, "Resource")?,
            conditions,
        })
    }
}

impl Patterns {
    fn parse(source: &Value, member: &str) -> Result<Self, String> {
        for (member, negated) in [(member.to_owned(), false), (format!("Not{member}"), true)] {
            if let Some(value) = source.get(&member) {
                let patterns = texts(value);
                if patterns.is_empty() {
                    return Err(format!("{member} is {value}: give a string or a list of strings"));
                }
                return Ok(Self { negated, patterns });
            }
        }
        Err(format!("a statement has no {member}"))
    }

    /// Whether one of the names of something is meant.
    fn match_any(&self, names: &[&str], ignore_case: bool) -> bool {
        let found = self.patterns.iter().any(|pattern| {
            let pattern = if ignore_case { pattern.to_ascii_lowercase() } else { pattern.clone() };
            names.iter().any(|name| matches(&pattern, name))
        });
        found != self.negated
    }
}

impl Condition {
    /// A condition that is not understood holds for nobody: it neither allows nor denies.
    fn holds(&self, key: &dyn Fn(&str) -> Option<String>) -> bool {
        let Some(actual) = key(&self.key.to_ascii_lowercase()) else { return false };
        let any = |compare: &dyn Fn(&str) -> bool| self.values.iter().any(|value| compare(value));
        match self.operator.to_ascii_lowercase().as_str() {
            "stringequals" | "arnequals" | "arnlike" | "stringlike" => any(&|value| matches(value, &actual)),
            "stringnotequals" | "arnnotequals" | "arnnotlike" | "stringnotlike" => {
                !any(&|value| matches(value, &actual))
            }
            "ipaddress" => any(&|range| is_in_range(&actual, range)),
            "notipaddress" => !any(&|range| is_in_range(&actual, range)),
            _ => false,
        }
    }
}

/// Whether an address is in a range such as `10.0.0.0/8`, or is the one that the range is.
fn is_in_range(address: &str, range: &str) -> bool {
    let bits = |address: IpAddr| match address {
        IpAddr::V4(address) => (u128::from(address.to_bits()) << 96, 32),
        IpAddr::V6(address) => (address.to_bits(), 128),
    };
    let (network, prefix) = range.split_once('/').map_or((range, None), |(network, prefix)| (network, Some(prefix)));
    let (Ok(address), Ok(network)) = (address.parse().map(bits), network.parse().map(bits)) else { return false };
    let length = prefix.map_or(Some(network.1), |prefix| prefix.parse().ok());
    let Some(length) = length.filter(|length| *length <= network.1 && address.1 == network.1) else { return false };
    length == 0 || address.0 >> (128 - length) == network.0 >> (128 - length)
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// `*` stands for any number of characters, slashes and colons too; `?` for one.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at_pattern, mut at_text) = (0, 0);
    // Where the last star was, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while at_text < text.len() {
        match pattern.get(at_pattern) {
            Some('*') => {
                star = Some((at_pattern, at_text));
                at_pattern += 1;
            }
            Some(letter) if *letter == '?' || *letter == text[at_text] => {
                at_pattern += 1;
                at_text += 1;
            }
            _ => match &mut star {
                None => return false,
                Some((star_at, taken)) => {
                    *taken += 1;
                    (at_pattern, at_text) = (*star_at + 1, *taken);
                }
            },
        }
    }
    pattern[at_pattern..].iter().all(|letter| *letter == '*')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:abc/test/GET/pets/7";
    const INVOKE: &str = "execute-api:Invoke";

    fn decide(statements: Value) -> Decision {
        let policy = Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statements })).unwrap();
        policy.decide(&Access {
            principal: Some("apigateway.amazonaws.com"),
            action: INVOKE,
            resources: &[ARN, "execute-api:/test/GET/pets/7"],
            condition_key: &|key| match key {
                "aws:sourcearn" => Some("arn:source".to_owned()),
                "aws:sourceip" => Some("127.0.0.1".to_owned()),
                _ => None,
            },
        })
    }

    fn statement(effect: &str, resource: Value) -> Value {
        json!({ "Effect": effect, "Action": INVOKE, "Resource": resource })
    }

    #[test]
    fn a_denial_beats_everything() {
        use Decision::*;
        let own = "arn:aws:execute-api:eu-west-1:123456789012:abc/test/GET/pets/*";
        for (statements, expected) in [
            (json!([statement("Allow", json!(ARN))]), Allowed),
            (statement("Allow", json!(ARN)), Allowed),
            (json!([statement("Allow", json!("*"))]), Allowed),
            (json!([statement("Allow", json!(own))]), Allowed),
            (json!([statement("Allow", json!(["arn:other", own]))]), Allowed),
            (json!([statement("allow", json!("arn:aws:execute-api:*:*:abc/test/*"))]), Allowed),
            (json!([statement("Allow", json!("arn:aws:execute-api:*:*:abc/test/GE?/pets/7"))]), Allowed),
            (json!([statement("Allow", json!("arn:aws:execute-api:*:*:abc/prod/*"))]), NotAllowed),
            (json!([statement("Allow", json!("arn:aws:execute-api:*:*:abc/test/POST/*"))]), NotAllowed),
            (json!([]), NotAllowed),
            (json!([statement("Deny", json!("*")), statement("Allow", json!("*"))]), Denied),
            (json!([statement("Allow", json!("*")), statement("Deny", json!(ARN))]), Denied),
            (json!([statement("Allow", json!("*")), statement("Deny", json!("arn:other"))]), Allowed),
            (json!([{ "Effect": "Allow", "Action": "execute-api:*", "Resource": "*" }]), Allowed),
            (json!([{ "Effect": "Allow", "Action": "EXECUTE-API:invoke", "Resource": "*" }]), Allowed),
            (json!([{ "Effect": "Allow", "Action": "lambda:*", "Resource": "*" }]), NotAllowed),
            (json!([{ "Effect": "Deny", "Action": INVOKE, "NotResource": ARN }]), NotAllowed),
            (json!([{ "Effect": "Allow", "NotAction": "s3:*", "NotResource": "arn:other" }]), Allowed),
            (json!([statement("Allow", json!("execute-api:/*"))]), Allowed),
            (json!([statement("Allow", json!("execute-api:/test/GET/*"))]), Allowed),
            (json!([statement("Allow", json!("execute-api:/prod/*"))]), NotAllowed),
        ] {
            assert_eq!(decide(statements.clone()), expected, "{statements}");
        }
    }

    #[test]
    fn conditions_narrow_a_statement() {
        for (condition, expected) in [
            (json!({ "ArnLike": { "aws:SourceArn": "arn:so*" } }), Decision::Allowed),
            (json!({ "StringEquals": { "aws:SourceArn": ["arn:a", "arn:source"] } }), Decision::Allowed),
            (json!({ "ArnLike": { "aws:SourceArn": "arn:other" } }), Decision::NotAllowed),
            (json!({ "StringEquals": { "aws:SourceAccount": "1" } }), Decision::NotAllowed),
            (json!({ "IpAddress": { "aws:SourceIp": ["10.0.0.0/8", "127.0.0.0/8"] } }), Decision::Allowed),
            (json!({ "IpAddress": { "aws:SourceIp": "127.0.0.1" } }), Decision::Allowed),
            (json!({ "IpAddress": { "aws:SourceIp": ["0.0.0.0/0"] } }), Decision::Allowed),
            (
                json!({ "IpAddress": { "aws:SourceIp": ["10.0.0.0/8", "::/0", "127.0.0.0/40", "here"] } }),
                Decision::NotAllowed,
            ),
            (json!({ "NotIpAddress": { "aws:SourceIp": "10.0.0.0/8" } }), Decision::Allowed),
            (json!({ "DateGreaterThan": { "aws:SourceIp": "2026-01-01" } }), Decision::NotAllowed),
        ] {
            let statement = json!({ "Effect": "Allow", "Action": INVOKE, "Resource": "*", "Condition": condition });
            assert_eq!(decide(statement), expected, "{condition}");
        }
    }

    #[test]
    fn a_policy_of_a_resource_says_for_whom_it_is() {
        for (principal, expected) in [
            (json!("*"), Decision::Allowed),
            (json!({ "AWS": "*" }), Decision::Allowed),
            (json!({ "Service": "apigateway.amazonaws.com" }), Decision::Allowed),
            (json!({ "Service": ["s3.amazonaws.com", "apigateway.amazonaws.com"] }), Decision::Allowed),
            (json!({ "Service": "s3.amazonaws.com" }), Decision::NotAllowed),
            (json!({ "AWS": "arn:aws:iam::123456789012:root" }), Decision::NotAllowed),
        ] {
            let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": INVOKE, "Resource": "*" });
            assert_eq!(decide(statement), expected, "{principal}");
        }
    }

    #[test]
    fn what_is_no_policy_is_refused() {
        for (policy, expected) in [
            (json!({}), "the policy has no Statement"),
            (json!({ "Statement": [{ "Effect": "Maybe" }] }), "Effect is \"Maybe\": give Allow or Deny"),
            (json!({ "Statement": [{ "Effect": "Allow", "Resource": "*" }] }), "a statement has no Action"),
            (
                json!({ "Statement": [{ "Effect": "Allow", "Action": 7, "Resource": "*" }] }),
                "Action is 7: give a string or a list of strings",
            ),
        ] {
            assert_eq!(Policy::parse(&policy).unwrap_err(), expected);
        }
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("", "", true),
            ("a*", "a", true),
            ("*a", "ba", true),
            ("a*c*e", "abcde", true),
            ("a*c*e", "abcd", false),
            ("?", "", false),
            ("**", "x/y", true),
            ("a", "ab", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
