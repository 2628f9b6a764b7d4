//! Which integration response an endpoint's answer selects.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html>

use crate::definition::IntegrationResponse;

/// A key of `responses`: `default`, or a regular expression over all of the status (of Lambda, of the error message).
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Default,
    Expression(Box<fancy_regex::Regex>),
}

impl Pattern {
    /// API Gateway's expressions are Java's: these have lookahead, which plain regular expressions do not.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "default" {
            return Ok(Self::Default);
        }
        let expression = fancy_regex::Regex::new(&format!("^(?:{text})$"));
        let expression = expression.map_err(|cause| format!("'{text}' is no regular expression: {cause}"))?;
        Ok(Self::Expression(Box::new(expression)))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Default => false,
            // An expression that gives up after too much backtracking has not matched.
            Self::Expression(expression) => expression.is_match(text).unwrap_or(false),
        }
    }
}

/// The response whose pattern matches, else the default one. When several match, AWS does not say which: here the first in
/// the patterns' order.
pub(crate) fn select<'a>(responses: &'a [IntegrationResponse], text: &str) -> Option<&'a IntegrationResponse> {
    let matching = responses.iter().find(|response| response.pattern.matches(text));
    matching.or_else(|| responses.iter().find(|response| matches!(response.pattern, Pattern::Default)))
}
