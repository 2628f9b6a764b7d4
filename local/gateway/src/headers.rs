//! Headers on their way through.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>

use std::borrow::Cow;
use std::net::IpAddr;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::header_spelling::HeaderSpelling;

pub(crate) const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PORT: HeaderName = HeaderName::from_static("x-forwarded-port");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
pub(crate) const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
pub(crate) const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// Headers that API Gateway spells its own way in events, however the client spells them.
const CANONICAL: [(&str, &str); 6] = [
    ("host", "Host"),
    ("user-agent", "User-Agent"),
    ("x-amzn-trace-id", "X-Amzn-Trace-Id"),
    ("x-forwarded-for", "X-Forwarded-For"),
    ("x-forwarded-port", "X-Forwarded-Port"),
    ("x-forwarded-proto", "X-Forwarded-Proto"),
];

/// Headers of a request that no function sees: they belong to the connection, or are on AWS's list.
const DROPPED_FROM_REQUESTS: [&str; 13] = [
    "connection",
    "content-length",
    "content-md5",
    "expect",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];

/// Headers that a function cannot send under their own names.
const REMAPPED_IN_RESPONSES: [&str; 10] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "host",
    "max-forwards",
    "server",
    "user-agent",
    "www-authenticate",
];

/// Headers that a function cannot send at all.
const DROPPED_FROM_RESPONSES: [&str; 6] =
    ["expect", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade"];

const REMAPPED_PREFIX: &str = "x-amzn-remapped-";

/// A header's name as an event has it.
pub(crate) fn spelled<'a>(name: &'a HeaderName, spelling: &'a HeaderSpelling) -> &'a str {
    let name = name.as_str();
    CANONICAL.iter().find(|(lower, _)| *lower == name).map_or_else(|| spelling.of(name), |(_, canonical)| canonical)
}

pub(crate) fn reaches_functions(name: &HeaderName) -> bool {
    !DROPPED_FROM_REQUESTS.contains(&name.as_str())
}

/// Under which name a function's header reaches the client; `None`: it does not.
pub(crate) fn of_response(name: &str) -> Option<Cow<'_, str>> {
    let lower = name.to_ascii_lowercase();
    if DROPPED_FROM_RESPONSES.contains(&lower.as_str()) {
        None
    } else if REMAPPED_IN_RESPONSES.contains(&lower.as_str()) {
        Some(Cow::Owned(format!("{REMAPPED_PREFIX}{lower}")))
    } else {
        Some(Cow::Borrowed(name))
    }
}

/// A header's value as text; what is not UTF-8 becomes U+FFFD.
pub(crate) fn text(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// The last value under a name: the one that API Gateway takes where there is room for one only.
pub(crate) fn last<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    headers.get_all(name).iter().next_back().map(text)
}

/// Adds what API Gateway adds: who asks, how it came, and the trace. The caller's own `X-Forwarded-For` stays in front, and
/// its trace goes on.
pub(crate) fn add_forwarding(
    headers: &mut HeaderMap,
    source_ip: IpAddr,
    port: &str,
    new_trace_id: impl FnOnce() -> String,
) {
    let before = headers.get_all(FORWARDED_FOR).iter().map(text).collect::<Vec<_>>().join(", ");
    let chain = if before.is_empty() { source_ip.to_string() } else { format!("{before}, {source_ip}") };
    insert(headers, FORWARDED_FOR, &chain);
    insert(headers, FORWARDED_PORT, port);
    insert(headers, FORWARDED_PROTO, "http");
    if !headers.get(TRACE_ID).is_some_and(|value| text(value).contains("Root=")) {
        insert(headers, TRACE_ID, &new_trace_id());
    }
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_headers_of_a_function_are_remapped_or_lost() {
        for (name, expected) in [
            ("X-Own", Some("X-Own")),
            ("Content-Type", Some("Content-Type")),
            ("WWW-Authenticate", Some("x-amzn-remapped-www-authenticate")),
            ("Date", Some("x-amzn-remapped-date")),
            ("content-length", Some("x-amzn-remapped-content-length")),
            ("Server", Some("x-amzn-remapped-server")),
            ("Authorization", Some("x-amzn-remapped-authorization")),
            ("Transfer-Encoding", None),
            ("Upgrade", None),
        ] {
            assert_eq!(of_response(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn the_connection_is_added_to_the_chain() {
        let mut headers = HeaderMap::new();
        headers.insert(FORWARDED_FOR, HeaderValue::from_static("203.0.113.1"));
        headers.insert(TRACE_ID, HeaderValue::from_static("Root=1-0-1;Sampled=0"));
        add_forwarding(&mut headers, "127.0.0.1".parse().unwrap(), "8080", || "unused".into());
        assert_eq!(headers[FORWARDED_FOR], "203.0.113.1, 127.0.0.1");
        assert_eq!(headers[FORWARDED_PORT], "8080");
        assert_eq!(headers[TRACE_ID], "Root=1-0-1;Sampled=0");
        headers.clear();
        add_forwarding(&mut headers, "127.0.0.1".parse().unwrap(), "8080", || "Root=1-2-3".into());
        assert_eq!(
            (&headers[FORWARDED_FOR], &headers[TRACE_ID]),
            (&HeaderValue::from_static("127.0.0.1"), &HeaderValue::from_static("Root=1-2-3"))
        );
    }
}
