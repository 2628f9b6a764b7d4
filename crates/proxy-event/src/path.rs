//! Which of the API's paths an event is for.
//!
//! The event's own `path` does not say: behind a custom domain with base paths it begins with the base path, and some
//! proxies and older test events put the stage there. What API Gateway matched does: the resource, with its parameters.

use http::uri::PathAndQuery;
use lambda_http::request::RequestContext;
use lambda_http::{Request, RequestExt};

/// The path as the router knows it.
pub fn of(request: &Request) -> PathAndQuery {
    let parameters = request.path_parameters_ref();
    let context = request.request_context_ref();
    let (resource, stage) = match context {
        Some(RequestContext::ApiGatewayV1(context)) => (context.resource_path.as_deref(), context.stage.as_deref()),
        _ => (None, None),
    };
    let path = resource
        .and_then(|resource| fill(resource, |name| parameters?.first(name)))
        .unwrap_or_else(|| without_stage(request.raw_http_path(), stage).to_owned());
    // What is no path is no path of the API either, and is answered so.
    escape(&path).parse().unwrap_or_else(|_| PathAndQuery::from_static("/"))
}

/// `/string/{operation}` and `/{proxy+}` with their parameters put in; `None` if one is missing.
fn fill<'a>(resource: &str, parameter: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let mut path = String::with_capacity(resource.len());
    let mut rest = resource;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}')?;
        path.push_str(before);
        path.push_str(parameter(name.trim_end_matches('+'))?);
        rest = after;
    }
    path.push_str(rest);
    path.starts_with('/').then_some(path)
}

/// For events without a resource, made by hand.
fn without_stage<'a>(path: &'a str, stage: Option<&str>) -> &'a str {
    stage
        .and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage))
        .filter(|rest| rest.starts_with('/'))
        .unwrap_or(path)
}

/// Escapes what cannot be in a path as it is: API Gateway hands over parameters decoded. Escapes stay as they are.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_graphic() && !b"\"#<>?^`{|}\\".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(resource: &str, parameters: &[(&str, &'static str)]) -> Option<String> {
        fill(resource, |name| parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[test]
    fn a_resource_is_filled_with_its_parameters() {
        assert_eq!(filled("/string/replace", &[]).as_deref(), Some("/string/replace"));
        assert_eq!(filled("/", &[]).as_deref(), Some("/"));
        assert_eq!(filled("/{proxy+}", &[("proxy", "api/string/replace")]).as_deref(), Some("/api/string/replace"));
        assert_eq!(filled("/a/{b}/c/{d}", &[("b", "1"), ("d", "2")]).as_deref(), Some("/a/1/c/2"));
    }

    #[test]
    fn a_resource_that_cannot_be_filled_says_nothing() {
        assert_eq!(filled("/{proxy+}", &[]), None);
        assert_eq!(filled("/{proxy", &[("proxy", "x")]), None);
        assert_eq!(filled("$default", &[]), None);
    }

    #[test]
    fn the_stage_is_taken_off_only_as_a_whole_segment() {
        assert_eq!(without_stage("/test/string/replace", Some("test")), "/string/replace");
        assert_eq!(without_stage("/tests/string/replace", Some("test")), "/tests/string/replace");
        assert_eq!(without_stage("/string/replace", Some("test")), "/string/replace");
        assert_eq!(without_stage("/string/replace", None), "/string/replace");
    }

    #[test]
    fn what_a_path_cannot_hold_is_escaped_once() {
        assert_eq!(escape("/a b/ü?#"), "/a%20b/%C3%BC%3F%23");
        assert_eq!(escape("/a%20b"), "/a%20b");
    }
}
