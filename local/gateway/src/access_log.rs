//! Access-log lines, in the stage's own format.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>

use std::borrow::Cow;

use crate::substitution::{Variables, substitute};

/// What has no value.
const UNKNOWN: &str = "-";

/// The line for one request.
pub(crate) fn line(format: &str, variables: &dyn Variables) -> String {
    substitute(format, &Loggable(variables), UNKNOWN).trim_end().to_owned()
}

/// Values as a log may have them: within quotation marks, and without keys.
struct Loggable<'a>(&'a dyn Variables);

impl Variables for Loggable<'_> {
    fn context(&self, name: &str) -> Option<Cow<'_, str>> {
        match name {
            // AWS writes the key itself. There is no need for it: apiKeyId says which one it was.
            "identity.apiKey" => self.0.context(name).map(|_| "********".into()),
            // It is a JSON string already.
            "error.messageString" => self.0.context(name),
            _ => self.0.context(name).map(escaped).filter(|value| !value.is_empty()),
        }
    }

    fn stage_variable(&self, name: &str) -> Option<&str> {
        self.0.stage_variable(name)
    }

    fn request_parameter(&self, _: &str, _: &str) -> Option<Cow<'_, str>> {
        // Access logs know $context alone.
        None
    }
}

/// Most formats are JSON: a quotation mark in a value must not end it.
fn escaped(value: Cow<'_, str>) -> Cow<'_, str> {
    if value.contains(['"', '\\']) || value.chars().any(char::is_control) {
        let quoted = serde_json::Value::from(value.as_ref()).to_string();
        Cow::Owned(quoted[1..quoted.len() - 1].to_owned())
    } else {
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;

    impl Variables for Fixed {
        fn context(&self, name: &str) -> Option<Cow<'_, str>> {
            match name {
                "requestId" => Some("r-1".into()),
                "identity.userAgent" => Some("a \"b\"\n".into()),
                "identity.apiKey" => Some("secret".into()),
                "error.messageString" => Some("\"Forbidden\"".into()),
                "error.validationErrorString" => Some("".into()),
                _ => None,
            }
        }
        fn stage_variable(&self, _: &str) -> Option<&str> {
            None
        }
        fn request_parameter(&self, _: &str, _: &str) -> Option<Cow<'_, str>> {
            Some("body".into())
        }
    }

    #[test]
    fn a_line_has_the_format_of_its_stage() {
        let format = r#"{"id":"$context.requestId","agent":"$context.identity.userAgent","key":"$context.identity.apiKey","error":$context.error.messageString,"v":"$context.error.validationErrorString","x":"$context.nothing","q":"$method.request.header.a"}
"#;
        let expected =
            r#"{"id":"r-1","agent":"a \"b\"\n","key":"********","error":"Forbidden","v":"-","x":"-","q":"-"}"#;
        assert_eq!(line(format, &Fixed), expected);
        assert!(serde_json::from_str::<serde_json::Value>(expected).is_ok());
    }
}
