//! The API key.

use std::fmt;

use env::BadVariable;
use http::{HeaderMap, HeaderName};
use subtle::ConstantTimeEq;

const HEADER: HeaderName = HeaderName::from_static("x-api-key");
const EXPECTED: &str = "16 to 128 visible ASCII characters";

/// The key that clients send as `x-api-key`. Printed as `***`.
#[derive(Clone)]
pub struct ApiKey(Box<[u8]>);

impl ApiKey {
    /// Checks that `key` can be sent in a header and is no guess; `variable` is named in the error, the key is not.
    pub fn new(variable: &'static str, key: &str) -> Result<Self, BadVariable> {
        if (16..=128).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(key.as_bytes().into()))
        } else {
            Err(BadVariable::secret(variable, EXPECTED))
        }
    }

    /// Whether `headers` hold the key. The time this takes depends on the key's length, which is no secret worth
    /// hiding, and not on how much of it a client guessed.
    pub fn is_in(&self, headers: &HeaderMap) -> bool {
        headers.get(HEADER).is_some_and(|sent| self.0.ct_eq(sent.as_bytes()).into())
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Whether `path` is served without a key: health checks and the contract. What is unknown is not open, so that nobody
/// without a key learns which paths exist.
pub fn is_open(path: &str) -> bool {
    matches!(path, "/openapi.json" | "/docs") || path.starts_with("/status/") || path.starts_with("/docs/")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef";

    fn admits(sent: Option<&str>) -> bool {
        let mut headers = HeaderMap::new();
        if let Some(sent) = sent {
            headers.insert(HEADER, sent.parse().unwrap());
        }
        ApiKey::new("API_KEY", KEY).unwrap().is_in(&headers)
    }

    #[test]
    fn only_the_whole_key_is_the_key() {
        assert!(admits(Some(KEY)));
        for wrong in [None, Some(""), Some("0123456789abcde"), Some("0123456789abcdef0"), Some("0123456789abcdeF")] {
            assert!(!admits(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn a_key_that_cannot_be_one_is_refused_and_not_repeated() {
        for bad in
            ["short", "with a space in the middle", "with-a-line-feed\n", "näme-with-an-umlaut", &"x".repeat(129)]
        {
            let error = ApiKey::new("API_KEY", bad).unwrap_err().to_string();
            assert_eq!(error, format!("API_KEY cannot be used: it should be {EXPECTED}"));
        }
    }

    #[test]
    fn the_key_does_not_show_in_debug_output() {
        assert_eq!(format!("{:?}", ApiKey::new("API_KEY", KEY).unwrap()), "***");
    }
}
