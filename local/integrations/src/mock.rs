//! MOCK: the request's template says which status the endpoint would have had.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html>

use http::StatusCode;
use serde_json::Value;

use crate::Failure;

/// The `statusCode` of a rendered request template.
///
/// # Errors
/// API Gateway answers 500 when there is none.
pub(crate) fn status(body: &[u8]) -> Result<StatusCode, Failure> {
    let number = match serde_json::from_slice::<Value>(body) {
        Ok(json) => json.get("statusCode").and_then(|status| match status {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        }),
        Err(_) => std::str::from_utf8(body).ok().and_then(unquoted),
    };
    number.and_then(|number| u16::try_from(number).ok()).and_then(|code| StatusCode::from_u16(code).ok()).ok_or_else(
        || {
            Failure::ApiConfiguration(
                "Unable to parse statusCode. It should be an integer that is defined in the request template.".into(),
            )
        },
    )
}

/// `{statusCode: 200}` is no JSON, and taken: the AWS CDK writes CORS pre-flights like that.
fn unquoted(text: &str) -> Option<u64> {
    let (before, after) = text.split_once("statusCode")?;
    before.trim_ascii_start().starts_with('{').then_some(())?;
    let after = after.trim_start_matches(['"', '\'']).trim_ascii_start().strip_prefix(':')?.trim_ascii_start();
    let digits = after.trim_start_matches(['"', '\'']);
    digits[..digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len())].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_says_the_status() {
        for (body, expected) in [
            (r#"{"statusCode": 404}"#, Some(404)),
            (r#"{"statusCode": "201", "more": {}}"#, Some(201)),
            ("{statusCode: 200}", Some(200)),
            ("{'statusCode': 200}", Some(200)),
            (r#"{"more": 1, statusCode : '204'}"#, Some(204)),
            ("", None),
            ("{}", None),
            (r#"{"statusCode": "ok"}"#, None),
            (r#"{"statusCode": 20}"#, None),
            (r#"{"statusCode": 200.5}"#, None),
            ("statusCode: 200", None),
            ("[]", None),
        ] {
            let status = status(body.as_bytes());
            assert_eq!(status.as_ref().ok().map(StatusCode::as_u16), expected, "{body}");
            let failure = status.err().map(|failure| failure.response_type());
            assert_eq!(failure, expected.is_none().then_some("API_CONFIGURATION_ERROR"), "{body}");
        }
    }
}
