//! Headers that API Gateway drops, renames or refuses to set.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html>, "Amazon API Gateway
//! important notes for REST APIs"

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Failure;
use crate::definition::Kind;

/// A client's headers that a proxy integration does not pass on. `Host` is the endpoint's, `Content-Length` the body's.
const NOT_PASSED_ON: [&str; 16] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "expect",
    "host",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

/// Headers that no mapping may set, as the endpoint's request has them already.
const NOT_MAPPED: [&str; 4] = ["content-length", "transfer-encoding", "x-amzn-trace-id", "x-amzn-apigateway-api-id"];
/// The same for AWS services, whose requests are signed.
const NOT_MAPPED_TO_SERVICES: [&str; 5] = ["authorization", "connection", "expect", "proxy-authenticate", "te"];

/// Mapped headers that nevertheless never leave.
const NOT_SENT: [&str; 3] = ["expect", "proxy-authenticate", "te"];

/// An endpoint's headers that a proxy integration's response has not: those of its connection, and what API Gateway drops.
const NOT_RETURNED: [&str; 7] =
    ["content-encoding", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via"];

/// Headers that a response has of its own: an endpoint's, or a mapped one, gets another name.
const REMAPPED: [&str; 4] = ["connection", "content-length", "date", "server"];
/// The same where responses are mapped, and the endpoint is none of API Gateway's own.
const REMAPPED_WHEN_MAPPED: [&str; 10] = [
    "authorization",
    "content-md5",
    "expect",
    "host",
    "max-forwards",
    "proxy-authenticate",
    "trailer",
    "upgrade",
    "user-agent",
    "www-authenticate",
];
/// What a proxy integration's endpoint, such as another API, calls its own request.
const REQUEST_ID: &str = "x-amzn-requestid";
const REMAPPED_PREFIX: &str = "x-amzn-remapped-";

/// Takes out of a client's headers what a proxy integration does not pass on.
pub(crate) fn pass_on(headers: &mut HeaderMap) {
    for name in NOT_PASSED_ON {
        headers.remove(name);
    }
}

/// Checks the headers that mappings set.
///
/// # Errors
/// AWS finds out when a request comes, and answers 500.
pub(crate) fn check_mapped(headers: &HeaderMap, kind: Kind) -> Result<(), Failure> {
    let services = NOT_MAPPED_TO_SERVICES.iter().filter(|_| kind == Kind::Aws);
    match NOT_MAPPED.iter().chain(services).find(|name| headers.contains_key(**name)) {
        Some(name) => Err(Failure::ApiConfiguration(format!("{name} header already present"))),
        None => Ok(()),
    }
}

/// Takes out what never leaves.
pub(crate) fn send(headers: &mut HeaderMap, kind: Kind) {
    for name in NOT_SENT {
        headers.remove(name);
    }
    match kind {
        Kind::Aws => headers.remove("referer"),
        _ => headers.remove("via"),
    };
}

/// What the client gets of an endpoint's headers through a proxy integration.
pub(crate) fn give_back(headers: &mut HeaderMap) {
    for name in NOT_RETURNED {
        headers.remove(name);
    }
    remap(headers, Kind::HttpProxy);
    rename(headers, REQUEST_ID);
}

/// Renames what belongs to API Gateway itself.
pub(crate) fn remap(headers: &mut HeaderMap, kind: Kind) {
    headers.remove("transfer-encoding");
    let more = REMAPPED_WHEN_MAPPED.iter().filter(|_| matches!(kind, Kind::Aws | Kind::Http));
    for name in REMAPPED.iter().chain(more) {
        rename(headers, name);
    }
}

fn rename(headers: &mut HeaderMap, name: &str) {
    let values: Vec<HeaderValue> = headers.get_all(name).iter().cloned().collect();
    headers.remove(name);
    if let Ok(remapped) = HeaderName::try_from(format!("{REMAPPED_PREFIX}{name}")) {
        for value in values {
            headers.append(remapped.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(names: &[&'static str]) -> HeaderMap {
        names.iter().map(|name| (HeaderName::from_static(name), HeaderValue::from_static("x"))).collect()
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn a_proxy_passes_on_what_is_the_clients() {
        let mut sent = headers(&["accept", "authorization", "cookie", "host", "te", "via", "content-length", "pragma"]);
        pass_on(&mut sent);
        assert_eq!(names(&sent), ["accept", "authorization", "cookie", "pragma"]);
    }

    #[test]
    fn a_proxy_gives_back_what_is_the_endpoints() {
        let names_given =
            ["etag", "server", "date", "set-cookie", "transfer-encoding", "www-authenticate", "x-amzn-requestid"];
        let mut given = headers(&names_given);
        give_back(&mut given);
        let expected = [
            "etag",
            "set-cookie",
            "www-authenticate",
            "x-amzn-remapped-date",
            "x-amzn-remapped-server",
            "x-amzn-remapped-x-amzn-requestid",
        ];
        assert_eq!(names(&given), expected);
    }

    #[test]
    fn a_mapped_response_leaves_more_names_to_api_gateway() {
        let all = ["content-length", "etag", "user-agent", "www-authenticate"];
        for (kind, expected) in [
            (
                Kind::Http,
                [
                    "etag",
                    "x-amzn-remapped-content-length",
                    "x-amzn-remapped-user-agent",
                    "x-amzn-remapped-www-authenticate",
                ],
            ),
            (Kind::Mock, ["etag", "user-agent", "www-authenticate", "x-amzn-remapped-content-length"]),
        ] {
            let mut given = headers(&all);
            remap(&mut given, kind);
            assert_eq!(names(&given), expected, "{kind:?}");
        }
    }

    #[test]
    fn what_is_there_already_cannot_be_mapped() {
        for (name, kind, allowed) in [
            ("content-length", Kind::Http, false),
            ("x-amzn-trace-id", Kind::HttpProxy, false),
            ("authorization", Kind::Http, true),
            ("authorization", Kind::Aws, false),
            ("x-amz-meta-id", Kind::Aws, true),
        ] {
            assert_eq!(check_mapped(&headers(&[name]), kind).is_ok(), allowed, "{name} {kind:?}");
        }
    }

    #[test]
    fn several_values_are_all_renamed() {
        let mut given = HeaderMap::new();
        given.append("www-authenticate", HeaderValue::from_static("a"));
        given.append("www-authenticate", HeaderValue::from_static("b"));
        remap(&mut given, Kind::Http);
        let values: Vec<_> = given.get_all("x-amzn-remapped-www-authenticate").iter().collect();
        assert_eq!(values, ["a", "b"]);
    }
}
