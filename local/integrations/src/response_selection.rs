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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Integration;

    /// The status of the response that `text` selects.
    fn selected(responses: &serde_json::Value, text: &str) -> Option<u16> {
        let definition = serde_json::json!({"type": "mock", "responses": responses});
        let integration = Integration::parse(&definition).expect("a definition");
        select(&integration.responses, text).map(|response| response.status.as_u16())
    }

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-integration-settings-integration-response.html
    #[test]
    fn patterns_match_all_of_the_status() {
        let responses = serde_json::json!({
            "default": {"statusCode": "200"},
            r"4\d{2}": {"statusCode": "400"},
            "5[0-9][0-9]|6..": {"statusCode": "502"},
        });
        for (status, expected) in [("200", 200), ("404", 400), ("4040", 200), ("1404", 200), ("503", 502), ("600", 502)]
        {
            assert_eq!(selected(&responses, status), Some(expected), "{status}");
        }
    }

    #[test]
    fn without_a_match_and_a_default_there_is_none() {
        let responses = serde_json::json!({"2..": {"statusCode": "200"}});
        assert_eq!(selected(&responses, "500"), None);
        assert_eq!(selected(&serde_json::json!({}), "200"), None);
    }

    /// "If the success response returns nothing and the error response returns some string, you could use the .+ regex to
    /// match error response. However, make sure that the error response does not contain any newline."
    /// https://docs.aws.amazon.com/apigateway/latest/api/API_IntegrationResponse.html
    #[test]
    fn a_dot_is_no_newline() {
        let responses = serde_json::json!({"default": {"statusCode": "200"}, ".+": {"statusCode": "500"}});
        for (message, expected) in [("", 200), ("went wrong", 500), ("went\nwrong", 200)] {
            assert_eq!(selected(&responses, message), Some(expected), "{message:?}");
        }
        let responses = serde_json::json!({"default": {"statusCode": "200"}, r"(\n|.)+": {"statusCode": "500"}});
        assert_eq!(selected(&responses, "went\nwrong"), Some(500));
    }

    #[test]
    fn expressions_are_javas() {
        let responses =
            serde_json::json!({"default": {"statusCode": "500"}, "^(?!Malformed).*$": {"statusCode": "404"}});
        assert_eq!(selected(&responses, "Malformed input"), Some(500));
        assert_eq!(selected(&responses, "Not found"), Some(404));
    }

    #[test]
    fn an_expression_that_is_none_is_named() {
        let problem = Pattern::parse("(4").expect_err("no expression");
        assert!(problem.starts_with("'(4' is no regular expression: "), "{problem}");
    }
}
