//! Which web pages may read the answers: those of origins that are listed, by the headers of CORS.
//!
//! Whether a page may call at all, a browser asks before by OPTIONS. That is answered by what stands in front.

use std::str::FromStr;

use env::{BadVariable, Env};
use http::{HeaderMap, HeaderValue, Uri, header};

/// What pages may read beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("retry-after,x-request-id");

/// `CORS_ORIGINS` (none) and `CORS_CREDENTIALS` (false).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cors {
    origins: Origins,
    credentials: bool,
}

impl Cors {
    /// Reads both.
    pub fn from_env(env: &Env) -> Result<Self, BadVariable> {
        let expected = "origins such as https://app.example.com,https://admin.example.com:8443";
        Ok(Self {
            origins: env.parse("CORS_ORIGINS", expected)?.unwrap_or_default(),
            credentials: env.parse("CORS_CREDENTIALS", "true or false")?.unwrap_or_default(),
        })
    }

    /// The origin that a request comes from, if it is one that is listed.
    pub fn allowed(&self, request: &HeaderMap) -> Option<HeaderValue> {
        if self.origins.0.is_empty() {
            return None;
        }
        request.get(header::ORIGIN).filter(|origin| self.origins.0.contains(origin)).cloned()
    }

    /// Says in a response that pages of `allowed` may read it.
    pub fn mark(&self, allowed: Option<HeaderValue>, response: &mut HeaderMap) {
        if self.origins.0.is_empty() {
            return;
        }
        // Even where none is allowed: a cache must not give one origin's answer to another.
        response.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(origin) = allowed else { return };
        response.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        response.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if self.credentials {
            response.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }
}

/// As browsers send them: scheme, host, and a port that is not the scheme's own.
#[derive(Debug, Default, PartialEq, Eq)]
struct Origins(Vec<HeaderValue>);

impl FromStr for Origins {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        text.split(',').map(origin).collect::<Option<_>>().map(Self).ok_or(())
    }
}

fn origin(text: &str) -> Option<HeaderValue> {
    let uri: Uri = text.parse().ok()?;
    let (scheme, authority) = (uri.scheme_str()?, uri.authority()?);
    // Nothing but these, and spelt as a browser does: otherwise it would never be met.
    let is_origin = format!("{scheme}://{authority}") == text && text.bytes().all(|byte| !byte.is_ascii_uppercase());
    (is_origin && matches!(scheme, "http" | "https")).then(|| HeaderValue::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str = "https://app.example.com,http://localhost:3000";

    fn cors(variables: &[(&str, &str)]) -> Result<Cors, String> {
        Cors::from_env(&Env::from_iter(variables.iter().copied())).map_err(|error| error.to_string())
    }

    fn marked(cors: &Cors, origin: &str) -> HeaderMap {
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, HeaderValue::from_str(origin).unwrap());
        let mut response = HeaderMap::new();
        cors.mark(cors.allowed(&request), &mut response);
        response
    }

    #[test]
    fn without_origins_nothing_is_said() {
        assert!(marked(&cors(&[]).unwrap(), "https://app.example.com").is_empty());
    }

    #[test]
    fn an_origin_is_named_if_it_is_listed() {
        let cors = cors(&[("CORS_ORIGINS", BOTH)]).unwrap();
        for origin in BOTH.split(',') {
            let response = marked(&cors, origin);
            assert_eq!(response[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
            assert!(!response.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
        }
        for origin in ["https://evil.example.com", "null", "http://app.example.com", "https://app.example.com:8443"] {
            let response = marked(&cors, origin);
            assert_eq!(response.len(), 1, "{response:?}");
            assert_eq!(response[header::VARY], "Origin");
        }
    }

    #[test]
    fn credentials_are_allowed_if_they_are_to_be() {
        let cors = cors(&[("CORS_ORIGINS", BOTH), ("CORS_CREDENTIALS", "true")]).unwrap();
        assert_eq!(marked(&cors, "http://localhost:3000")[header::ACCESS_CONTROL_ALLOW_CREDENTIALS], "true");
        assert!(!marked(&cors, "null").contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS));
    }

    #[test]
    fn what_no_browser_sends_is_refused() {
        for bad in
            ["*", "app.example.com", "https://app.example.com/", "https://App.example.com", "ftp://a", "https://a,"]
        {
            let error = cors(&[("CORS_ORIGINS", bad)]).unwrap_err();
            assert!(error.contains("it should be origins such as https://app.example.com"), "{bad}: {error}");
        }
        assert!(cors(&[("CORS_CREDENTIALS", "yes")]).unwrap_err().contains("true or false"));
    }
}
