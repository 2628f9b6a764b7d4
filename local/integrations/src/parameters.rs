//! Parameter mapping: from the method request to the integration request, and from the endpoint's response to the method
//! response.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html>

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, HeaderName};
use serde_json::Value;

use crate::MethodRequest;
use crate::aws_service::FUNCTION_ERROR;
use crate::json_path::JsonPath;

/// `integration.request.header.x: method.request.header.y`.
#[derive(Debug, Clone)]
pub(crate) struct RequestMapping {
    pub target: RequestTarget,
    pub source: Source,
    written: String,
}

/// Which part of the integration request gets a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RequestTarget {
    Path(String),
    QueryString(String),
    Header(HeaderName),
}

/// `method.response.header.x: integration.response.header.y`.
#[derive(Debug, Clone)]
pub(crate) struct ResponseMapping {
    pub header: HeaderName,
    pub source: Source,
    written: String,
}

/// Where a value comes from: a part of the message that arrived, or what is known besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Source {
    Static(String),
    Path(String),
    QueryString(String),
    MultiValueQueryString(String),
    Header(HeaderName),
    MultiValueHeader(HeaderName),
    Body,
    BodyField(JsonPath),
    Context(String),
    StageVariable(String),
}

/// What sources are looked up in: the method request, or the endpoint's response.
pub(crate) struct Message<'a> {
    path: &'a BTreeMap<String, String>,
    query: &'a [(String, String)],
    headers: &'a HeaderMap,
    body: &'a [u8],
    context: &'a Value,
    stage_variables: &'a BTreeMap<String, String>,
    /// The error of a function, whose message may be JSON itself.
    is_function_error: bool,
    json: OnceCell<Result<Value, NotJson>>,
}

/// What mappings see of a message without a body, as templates do.
const NO_BODY: &[u8] = b"{}";

/// A body that begins as JSON does, and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotJson;

impl RequestMapping {
    pub fn parse(target: &str, source: &str) -> Result<Self, String> {
        let expected = "give integration.request.path.NAME, .querystring.NAME or .header.NAME";
        let written = format!("{target} from {source}");
        let name = target.strip_prefix("integration.request.").and_then(|rest| rest.split_once('.'));
        let target = match name.filter(|(_, name)| !name.is_empty()) {
            Some(("path", name)) => RequestTarget::Path(name.to_owned()),
            Some(("querystring", name)) => RequestTarget::QueryString(name.to_owned()),
            Some(("header", name)) => RequestTarget::Header(header_name(name)?),
            _ => return Err(format!("is no parameter of an integration request: {expected}")),
        };
        Ok(Self { target, source: Source::parse(source, "method.request.")?, written })
    }
}

/// As it was written, for the execution log.
impl fmt::Display for RequestMapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl ResponseMapping {
    pub fn parse(target: &str, source: &str) -> Result<Self, String> {
        let name = target.strip_prefix("method.response.header.");
        let name = name.ok_or("is no parameter of a method response: give method.response.header.NAME")?;
        let written = format!("{target} from {source}");
        Ok(Self { header: header_name(name)?, source: Source::parse(source, "integration.response.")?, written })
    }
}

/// As it was written, for the execution log.
impl fmt::Display for ResponseMapping {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

impl Source {
    /// `prefix` is `method.request.` or `integration.response.`; a response has neither path nor query string.
    fn parse(text: &str, prefix: &str) -> Result<Self, String> {
        let is_request = prefix == "method.request.";
        if let Some(literal) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            return Ok(Self::Static(literal.to_owned()));
        }
        if let Some(name) = text.strip_prefix("context.").filter(|name| !name.is_empty()) {
            return Ok(Self::Context(name.to_owned()));
        }
        if let Some(name) = text.strip_prefix("stageVariables.").filter(|name| !name.is_empty()) {
            return Ok(Self::StageVariable(name.to_owned()));
        }
        let rest = text.strip_prefix(prefix).unwrap_or_default();
        let (place, name) = rest.split_once('.').unwrap_or((rest, ""));
        match (place, name) {
            ("body", "") => Ok(Self::Body),
            ("body", path) => JsonPath::parse(path).map(Self::BodyField),
            ("header", name) if !name.is_empty() => header_name(name).map(Self::Header),
            ("multivalueheader", name) if !name.is_empty() => header_name(name).map(Self::MultiValueHeader),
            ("path", name) if is_request && !name.is_empty() => Ok(Self::Path(name.to_owned())),
            ("querystring", name) if is_request && !name.is_empty() => Ok(Self::QueryString(name.to_owned())),
            ("multivaluequerystring", name) if is_request && !name.is_empty() => {
                Ok(Self::MultiValueQueryString(name.to_owned()))
            }
            _ => {
                let places = if is_request { "path, querystring, multivaluequerystring, " } else { "" };
                Err(format!(
                    "'{text}' is no source: give {prefix}PLACE.NAME (PLACE: {places}header, multivalueheader, body), \
                     context.NAME, stageVariables.NAME or a 'literal' in single quotation marks"
                ))
            }
        }
    }

    /// The values that the source has, none if it has none. Several only where the source is a multi-value query string:
    /// a header's are joined by commas. Of a name that came several times, plain sources take the last.
    ///
    /// # Errors
    /// When a body is asked for that begins like JSON and is none.
    pub fn values(&self, message: &Message<'_>) -> Result<Vec<String>, NotJson> {
        let value = match self {
            Self::Static(text) => Some(text.clone()),
            Self::Path(name) => message.path.get(name).cloned(),
            Self::QueryString(name) => message.query_values(name).next_back().cloned(),
            Self::MultiValueQueryString(name) => {
                return Ok(message.query_values(name).filter(|value| !value.is_empty()).cloned().collect());
            }
            Self::Header(name) => message.header_values(name).next_back(),
            Self::MultiValueHeader(name) => Some(message.header_values(name).collect::<Vec<_>>().join(",")),
            Self::Body => {
                message.json()?;
                Some(String::from_utf8_lossy(message.body.trim_ascii()).into_owned())
            }
            Self::BodyField(path) => path.find(message.json()?).map(text_of),
            Self::Context(name) => context_variable(message.context, name),
            Self::StageVariable(name) => message.stage_variables.get(name).cloned(),
        };
        // A parameter that is empty is one that is not there: API Gateway sends neither.
        Ok(value.filter(|value| !value.is_empty()).into_iter().collect())
    }
}

impl<'a> Message<'a> {
    pub fn of_request(request: &'a MethodRequest<'_>) -> Self {
        Self {
            path: request.path_parameters,
            query: request.query,
            ..Self::new(request.headers, request.body, request)
        }
    }

    /// An endpoint's answer; `request` is what was asked.
    pub fn of_response(headers: &'a HeaderMap, body: &'a [u8], request: &'a MethodRequest<'_>) -> Self {
        Self { is_function_error: headers.contains_key(FUNCTION_ERROR), ..Self::new(headers, body, request) }
    }

    fn new(headers: &'a HeaderMap, body: &'a [u8], request: &'a MethodRequest<'_>) -> Self {
        static NO_PATH: BTreeMap<String, String> = BTreeMap::new();
        let MethodRequest { context, stage_variables, .. } = *request;
        let body = if body.is_empty() { NO_BODY } else { body };
        let json = OnceCell::new();
        Self { path: &NO_PATH, query: &[], headers, body, context, stage_variables, is_function_error: false, json }
    }

    fn query_values(&self, name: &str) -> impl DoubleEndedIterator<Item = &'a String> {
        self.query.iter().filter(move |(key, _)| key == name).map(|(_, value)| value)
    }

    fn header_values(&self, name: &HeaderName) -> impl DoubleEndedIterator<Item = String> {
        self.headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// The body as JSON, read once. API Gateway looks at the first character: what does not begin like JSON is a text
    /// without fields, and no mistake.
    fn json(&self) -> Result<&Value, NotJson> {
        let read = || match self.body.trim_ascii_start().first() {
            Some(b'{' | b'[' | b'"' | b'\'') => serde_json::from_slice(self.body).map_err(|_| NotJson),
            _ => Ok(Value::Null),
        };
        let read = || read().map(|body| if self.is_function_error { with_custom_error(body) } else { body });
        self.json.get_or_init(read).as_ref().map_err(|failure| *failure)
    }
}

/// The error of a function whose `errorMessage` is an object, written as text: mappings may name its members.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html#handle-custom-errors-in-lambda-integration>
fn with_custom_error(mut body: Value) -> Value {
    let custom = body["errorMessage"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    if let Some(custom) = custom.filter(Value::is_object) {
        body["errorMessage"] = custom;
    }
    body
}

/// A variable of `$context`, such as `identity.sourceIp`. What an authorizer returned may have dots in its names.
pub(crate) fn context_variable(context: &Value, name: &str) -> Option<String> {
    fn find<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
        value.get(name).or_else(|| {
            let (first, rest) = name.split_once('.')?;
            find(value.get(first)?, rest)
        })
    }
    find(context, name).filter(|value| !value.is_null()).cloned().map(text_of)
}

/// A value as a parameter: a string is its own text, anything else its JSON.
fn text_of(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("'{name}' is no name of a header"))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderValue, Method};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::BinaryMediaTypes;

    /// The request that the mappings of these tests see.
    struct Given {
        path: BTreeMap<String, String>,
        query: Vec<(String, String)>,
        headers: HeaderMap,
        body: Bytes,
        context: Value,
        stage_variables: BTreeMap<String, String>,
        types: BinaryMediaTypes,
    }

    impl Given {
        fn new(body: &str) -> Self {
            let mut headers = HeaderMap::new();
            headers.append("x-one", HeaderValue::from_static("1"));
            headers.append("x-two", HeaderValue::from_static("a"));
            headers.append("x-two", HeaderValue::from_static("b"));
            headers.append("x-empty", HeaderValue::from_static(""));
            let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
            Self {
                path: [text("id", "a/b c")].into(),
                query: vec![text("q", "1"), text("r", "x"), text("q", "2"), text("e", "")],
                headers,
                body: Bytes::copy_from_slice(body.as_bytes()),
                context: json!({
                    "requestId": "r-1",
                    "identity": {"sourceIp": "127.0.0.1", "userArn": null},
                    "authorizer": {"principalId": "p", "scope.name": "publish", "level": 3},
                }),
                stage_variables: [text("host", "example.com")].into(),
                types: BinaryMediaTypes::default(),
            }
        }

        fn values(&self, source: &str) -> Result<Vec<String>, NotJson> {
            let mapping = RequestMapping::parse("integration.request.header.x", source).expect(source);
            let request = MethodRequest {
                method: &Method::POST,
                path_parameters: &self.path,
                query: &self.query,
                headers: &self.headers,
                body: &self.body,
                context: &self.context,
                stage_variables: &self.stage_variables,
                binary_media_types: &self.types,
            };
            mapping.source.values(&Message::of_request(&request))
        }
    }

    /// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-parameter-mapping-sources.html
    #[test]
    fn sources_of_a_request() {
        let given = Given::new(r#"{"pets": [{"name": "Rex", "age": 3}], "tags": ["x", 1], "none": null}"#);
        for (source, expected) in [
            ("method.request.path.id", &["a/b c"][..]),
            ("method.request.path.other", &[]),
            ("method.request.querystring.q", &["2"]),
            ("method.request.querystring.e", &[]),
            ("method.request.multivaluequerystring.q", &["1", "2"]),
            ("method.request.multivaluequerystring.r", &["x"]),
            ("method.request.multivaluequerystring.none", &[]),
            ("method.request.header.X-One", &["1"]),
            ("method.request.header.x-two", &["b"]),
            ("method.request.header.x-empty", &[]),
            ("method.request.multivalueheader.x-two", &["a,b"]),
            ("method.request.multivalueheader.none", &[]),
            ("method.request.body.pets[0].name", &["Rex"]),
            ("method.request.body.pets[0].age", &["3"]),
            ("method.request.body.pets[*].name", &[r#"["Rex"]"#]),
            ("method.request.body.tags", &[r#"["x",1]"#]),
            ("method.request.body.none", &[]),
            ("method.request.body.missing", &[]),
            ("context.requestId", &["r-1"]),
            ("context.identity.sourceIp", &["127.0.0.1"]),
            ("context.identity.userArn", &[]),
            ("context.authorizer.scope.name", &["publish"]),
            ("context.authorizer.level", &["3"]),
            ("context.identity", &[r#"{"sourceIp":"127.0.0.1","userArn":null}"#]),
            ("context.none.at.all", &[]),
            ("stageVariables.host", &["example.com"]),
            ("stageVariables.none", &[]),
            ("'literal'", &["literal"]),
            ("'it''s'", &["it''s"]),
            ("''", &[]),
        ] {
            let expected: Vec<String> = expected.iter().map(|value| (*value).to_owned()).collect();
            assert_eq!(given.values(source), Ok(expected), "{source}");
        }
    }

    #[test]
    fn a_body_is_a_text_or_json() {
        for (body, source, expected) in [
            ("plain", "method.request.body", Ok(vec!["plain".to_owned()])),
            ("plain", "method.request.body.a", Ok(vec![])),
            ("", "method.request.body", Ok(vec!["{}".to_owned()])),
            ("", "method.request.body.a", Ok(vec![])),
            ("\n plain\n", "method.request.body", Ok(vec!["plain".to_owned()])),
            (r#"{"a":1}"#, "method.request.body", Ok(vec![r#"{"a":1}"#.to_owned()])),
            (r#"{"a":"#, "method.request.body", Err(NotJson)),
            (r#" {"a":"#, "method.request.body.a", Err(NotJson)),
            (r#"{"a":"#, "method.request.header.x-one", Ok(vec!["1".to_owned()])),
        ] {
            assert_eq!(Given::new(body).values(source), expected, "{body} {source}");
        }
    }

    #[test]
    fn targets_of_a_request() {
        for (target, expected) in [
            ("integration.request.path.id", RequestTarget::Path("id".into())),
            ("integration.request.querystring.a.b", RequestTarget::QueryString("a.b".into())),
            (
                "integration.request.header.X-Amz-Meta-Id",
                RequestTarget::Header(HeaderName::from_static("x-amz-meta-id")),
            ),
        ] {
            assert_eq!(RequestMapping::parse(target, "'x'").map(|mapping| mapping.target), Ok(expected), "{target}");
        }
        for target in ["integration.request.body", "integration.request.path.", "method.request.path.id", "", "x"] {
            assert!(RequestMapping::parse(target, "'x'").is_err(), "{target}");
        }
    }

    #[test]
    fn sources_of_a_response() {
        for (source, known) in [
            ("integration.response.header.ETag", true),
            ("integration.response.multivalueheader.Set-Cookie", true),
            ("integration.response.body", true),
            ("integration.response.body.a.b", true),
            ("context.requestId", true),
            ("stageVariables.x", true),
            ("'x'", true),
            ("integration.response.querystring.x", false),
            ("integration.response.path.x", false),
            ("method.request.header.x", false),
            ("integration.response.header.", false),
            ("integration.response.header.a b", false),
            ("integration.response.body.a[", false),
            ("context.", false),
            ("'x", false),
            ("", false),
        ] {
            assert_eq!(ResponseMapping::parse("method.response.header.x", source).is_ok(), known, "{source}");
        }
        assert!(ResponseMapping::parse("integration.response.header.x", "'x'").is_err());
    }

    #[test]
    fn a_source_that_is_none_is_named() {
        let problem =
            RequestMapping::parse("integration.request.header.x", "method.request.cookie.a").expect_err("none");
        assert!(
            problem.starts_with("'method.request.cookie.a' is no source: give method.request.PLACE.NAME"),
            "{problem}"
        );
    }

    proptest! {
        #[test]
        fn never_panics(
            target in "(integration|method)\\.(request|response)\\.(path|querystring|header|body)\\.[ -~]{0,8}",
            source in "(method\\.request|integration\\.response|context|stageVariables|')[ -~é]{0,24}",
            body in any::<String>(),
        ) {
            let _ = ResponseMapping::parse(&target, &source);
            if RequestMapping::parse("integration.request.header.x", &source).is_ok() {
                // A value that is there is not empty.
                let values = Given::new(&body).values(&source).unwrap_or_default();
                prop_assert!(values.iter().all(|value| !value.is_empty()));
            }
            let _ = RequestMapping::parse(&target, &source);
        }

        #[test]
        fn a_literal_is_itself(text in "[^']{1,20}") {
            let values = Given::new("").values(&format!("'{text}'"));
            prop_assert_eq!(values, Ok(vec![text]));
        }
    }
}
