//! What each step did, in the words of TestInvokeMethod's execution log.

use std::fmt;

use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderName};

/// How much of a body the log shows; API Gateway cuts its log events at this length too.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>
const SHOWN_BODY_BYTES: usize = 1024;

/// Headers whose value is nobody's business.
const SECRET_HEADERS: [HeaderName; 4] = [AUTHORIZATION, COOKIE, SET_COOKIE, HeaderName::from_static("x-api-key")];

/// Hears what each step did. Arguments are formatted only by a listener that wants them, so an explanation that nobody
/// asked for costs next to nothing.
pub trait Explain: Send + Sync {
    /// One line of the execution log, such as `Endpoint request URI: https://...`.
    fn say(&self, line: fmt::Arguments<'_>);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Explain for Silent {
    fn say(&self, _: fmt::Arguments<'_>) {}
}

/// A body as the log shows it.
pub(crate) struct ShownBody<'a>(pub &'a [u8]);

impl fmt::Display for ShownBody<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(text) = std::str::from_utf8(self.0) else {
            return write!(formatter, "[Binary Data: {} bytes]", self.0.len());
        };
        let end = text.floor_char_boundary(SHOWN_BODY_BYTES);
        formatter.write_str(&text[..end])?;
        if end < text.len() { write!(formatter, " [TRUNCATED: {} bytes]", text.len()) } else { Ok(()) }
    }
}

/// Headers as the log shows them: `{name=value, name=value}`.
pub(crate) struct ShownHeaders<'a>(pub &'a HeaderMap);

impl fmt::Display for ShownHeaders<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("{")?;
        for (index, (name, value)) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            if SECRET_HEADERS.contains(name) {
                write!(formatter, "{separator}{name}=*****")?;
            } else {
                write!(formatter, "{separator}{name}={}", String::from_utf8_lossy(value.as_bytes()))?;
            }
        }
        formatter.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let body = format!("{}é", "x".repeat(SHOWN_BODY_BYTES - 1));
        let shown = ShownBody(body.as_bytes()).to_string();
        assert_eq!(shown, format!("{} [TRUNCATED: 1025 bytes]", "x".repeat(SHOWN_BODY_BYTES - 1)));
    }

    #[test]
    fn bytes_that_are_no_text_are_counted_only() {
        assert_eq!(ShownBody(&[0xff, 0x00]).to_string(), "[Binary Data: 2 bytes]");
    }

    #[test]
    fn a_key_is_not_shown() {
        let mut headers = HeaderMap::new();
        headers.insert("accept", HeaderValue::from_static("*/*"));
        headers.insert("x-api-key", HeaderValue::from_static("secret"));
        assert_eq!(ShownHeaders(&headers).to_string(), "{accept=*/*, x-api-key=*****}");
    }
}
