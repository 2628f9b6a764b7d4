//! What happened to a request, step by step, in the words of TestInvokeMethod's execution log.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html>
//!
//! Every request is explained, as one only knows afterwards which one was worth it: a dozen short lines, of which the
//! longest ones are cut as API Gateway cuts them.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use local_integrations::Explain;

use crate::headers;

/// API Gateway cuts a line of its log at this length.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const USUAL_LINE: usize = 1024;
/// Somebody has asked for an explanation, and reads it: bodies may be longer.
const ASKED_LINE: usize = 64 * 1024;

const CONCEALED: &str = "********";
/// Headers whose values are nobody's business.
const SECRET_HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

/// Collects lines. What is secret never gets into them.
#[derive(Debug)]
pub(crate) struct Explanation {
    line_length: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    lines: Vec<String>,
    secrets: Vec<String>,
}

impl Explanation {
    /// `asked`: somebody wants to read this one.
    pub fn new(headers: &HeaderMap, asked: bool) -> Self {
        let line_length = if asked { ASKED_LINE } else { USUAL_LINE };
        let explanation = Self { line_length, state: Mutex::default() };
        for name in SECRET_HEADERS {
            for value in headers.get_all(name) {
                explanation.conceal(&headers::text(value));
            }
        }
        explanation
    }

    /// From here on, `secret` is replaced wherever it stands.
    pub fn conceal(&self, secret: &str) {
        if secret.is_empty() {
            return;
        }
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // In an event it may stand as JSON writes it.
        let quoted = serde_json::Value::from(secret).to_string();
        let escaped = quoted.get(1..quoted.len() - 1).unwrap_or(secret);
        for form in [secret, escaped] {
            if !state.secrets.iter().any(|known| known == form) {
                state.secrets.push(form.to_owned());
            }
        }
    }

    /// A line with a body, which may be anything.
    pub fn body(&self, label: &str, body: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let longest = state.secrets.iter().map(String::len).max().unwrap_or_default();
        // Enough for a secret that begins just before the cut, so that no part of it is left.
        let start = &body[..body.len().min(self.line_length + longest)];
        let text = String::from_utf8_lossy(start);
        let mut line = format!("{label}: {text}");
        replace(&mut line, &state.secrets);
        if cut(&mut line, self.line_length) || start.len() < body.len() {
            line.push_str(" [TRUNCATED]");
        }
        state.lines.push(line);
    }

    /// A line with names and values: `{a=1, b=2}`.
    pub fn pairs<'a>(&self, label: &str, pairs: impl Iterator<Item = (&'a str, &'a str)>) {
        let mut text = String::from("{");
        for (index, (name, value)) in pairs.enumerate() {
            if index > 0 {
                text.push_str(", ");
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text.push('}');
        self.body(label, text.as_bytes());
    }

    /// A line with headers.
    pub fn headers(&self, label: &str, headers: &HeaderMap) {
        let texts: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), headers::text(value))).collect();
        self.pairs(label, texts.iter().map(|(name, value)| (*name, value.as_ref())));
    }

    pub fn into_lines(self) -> Vec<String> {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner).lines
    }
}

impl Explain for Explanation {
    fn say(&self, line: fmt::Arguments<'_>) {
        let mut line = line.to_string();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        replace(&mut line, &state.secrets);
        if cut(&mut line, self.line_length) {
            line.push_str(" [TRUNCATED]");
        }
        state.lines.push(line);
    }
}

fn replace(line: &mut String, secrets: &[String]) {
    for secret in secrets {
        if line.contains(secret.as_str()) {
            *line = line.replace(secret.as_str(), CONCEALED);
        }
    }
}

/// Cuts after `length` bytes at most, between two characters; whether there was something to cut.
fn cut(line: &mut String, length: usize) -> bool {
    if line.len() <= length {
        return false;
    }
    let end = (0..=length).rev().find(|end| line.is_char_boundary(*end)).unwrap_or_default();
    line.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn explanation() -> Explanation {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Digest user=\"me\""));
        headers.insert("x-api-key", HeaderValue::from_static("0123456789abcdef"));
        Explanation::new(&headers, false)
    }

    #[test]
    fn secrets_are_in_no_line() {
        let explanation = explanation();
        explanation.conceal("token-7");
        explanation.say(format_args!("token token-7 and key 0123456789abcdef"));
        explanation.body("Body", br#"{"Authorization":"Digest user=\"me\"","x":"token-7"}"#);
        explanation.pairs("Headers", [("a", "Digest user=\"me\"")].into_iter());
        assert_eq!(
            explanation.into_lines(),
            [
                "token ******** and key ********",
                r#"Body: {"Authorization":"********","x":"********"}"#,
                "Headers: {a=********}"
            ]
        );
    }

    #[test]
    fn a_secret_at_the_cut_is_not_half_shown() {
        for before in USUAL_LINE - 40..USUAL_LINE + 5 {
            let explanation = explanation();
            let body = format!("{}0123456789abcdef{}", "x".repeat(before), "y".repeat(100));
            explanation.body("Body", body.as_bytes());
            let line = &explanation.into_lines()[0];
            assert!(!line.contains("0123"), "{before}: {line}");
            assert!(line.ends_with("[TRUNCATED]") && line.len() < USUAL_LINE + 20, "{before}");
        }
    }

    #[test]
    fn lines_are_cut_between_characters() {
        let explanation = explanation();
        explanation.say(format_args!("{}", "é".repeat(USUAL_LINE)));
        let line = &explanation.into_lines()[0];
        assert_eq!(line, &format!("{} [TRUNCATED]", "é".repeat(USUAL_LINE / 2)));
    }
}
