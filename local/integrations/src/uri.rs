//! Integration URIs: with variables in them, for services and for HTTP endpoints.

use std::collections::BTreeMap;

/// A text with `{path parameters}` and `${stageVariables.names}`.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/aws-api-gateway-stage-variables-reference.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UriTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    PathParameter(String),
    StageVariable(String),
}

impl UriTemplate {
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            let (before, after) = rest.split_at(open);
            let (name, after) =
                after[1..].split_once('}').ok_or_else(|| format!("'{text}': a '{{' is not closed by '}}'"))?;
            let (before, piece) = match (before.strip_suffix('$'), name.strip_prefix("stageVariables.")) {
                (Some(before), Some(name)) => (before, Piece::StageVariable(name.to_owned())),
                (Some(_), None) => {
                    return Err(format!("'{text}': '${{{name}}}' is no variable: give ${{stageVariables.NAME}}"));
                }
                (None, _) => (before, Piece::PathParameter(name.trim_end_matches('+').to_owned())),
            };
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(piece);
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// The text with its variables' values. Those of path parameters are percent-encoded; their slashes stay.
    ///
    /// # Errors
    /// Names the variable that has no value.
    pub fn expand(
        &self,
        path: &BTreeMap<String, String>,
        stage_variables: &BTreeMap<String, String>,
    ) -> Result<String, String> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::PathParameter(name) => {
                    let value = path.get(name);
                    let value = value.ok_or_else(|| {
                        format!("{{{name}}} of the integration's URI has no value: map integration.request.path.{name}")
                    })?;
                    push_encoded(&mut text, value, PATH_CHARACTERS);
                }
                Piece::StageVariable(name) => {
                    let value = stage_variables.get(name);
                    text.push_str(value.ok_or_else(|| format!("the stage has no variable '{name}'"))?);
                }
            }
        }
        Ok(text)
    }
}

/// `arn:aws:apigateway:{region}:{subdomain.service|service}:path|action/{service_api}`.
///
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html#apigw-Type-Integration-uri>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServiceUri {
    /// The service's name in host names, such as `s3`.
    pub service: String,
    /// What stands before the service's name, such as a bucket's.
    pub subdomain: Option<String>,
    pub call: ServiceCall,
}

/// What is asked of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ServiceCall {
    /// A request to this path of the service, without its leading slash.
    Path(UriTemplate),
    /// An operation by its name.
    Action(UriTemplate),
    /// A Lambda function, by its ARN.
    Invoke(UriTemplate),
}

/// A Lambda function's path is this, its ARN, and `/invocations`.
pub(crate) const FUNCTIONS_PATH: &str = "2015-03-31/functions/";
pub(crate) const INVOCATIONS: &str = "/invocations";

impl ServiceUri {
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "'{text}' is no service: give arn:aws:apigateway:REGION:SERVICE:path/PATH or \
                 arn:aws:apigateway:REGION:SERVICE:action/OPERATION"
            )
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "apigateway", region, host, call] = parts[..] else { return Err(wrong()) };
        if !partition.starts_with("aws") || region.is_empty() {
            return Err(wrong());
        }
        let (subdomain, service) = match host.rsplit_once('.') {
            Some((subdomain, service)) => (Some(subdomain.to_owned()), service),
            None => (None, host),
        };
        if service.is_empty() {
            return Err(wrong());
        }
        let call = match call.split_once('/').ok_or_else(wrong)? {
            ("path", path) if service == "lambda" => {
                let arn = path.strip_prefix(FUNCTIONS_PATH).and_then(|rest| rest.strip_suffix(INVOCATIONS));
                let arn = arn.ok_or_else(|| {
                    format!("'{text}' is no function: give ...:lambda:path/{FUNCTIONS_PATH}ARN{INVOCATIONS}")
                })?;
                ServiceCall::Invoke(UriTemplate::parse(arn)?)
            }
            ("path", path) => ServiceCall::Path(UriTemplate::parse(path)?),
            ("action", action) if !action.is_empty() => ServiceCall::Action(UriTemplate::parse(action)?),
            _ => return Err(wrong()),
        };
        Ok(Self { service: service.to_owned(), subdomain, call })
    }
}

/// An HTTP endpoint's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HttpUri(pub UriTemplate);

impl HttpUri {
    pub fn parse(text: &str) -> Result<Self, String> {
        if ["http://", "https://", "${stageVariables."].iter().any(|start| text.starts_with(start)) {
            UriTemplate::parse(text).map(Self)
        } else {
            Err(format!("'{text}' is no endpoint: give http://HOST/PATH or https://HOST/PATH"))
        }
    }
}

/// What may stand in a path beside letters and digits: RFC 3986's `pchar`, and the slash.
const PATH_CHARACTERS: &[u8] = b"-._~!$&'()*+,;=:@/";
/// What may stand in a query's name or value beside letters and digits.
const QUERY_CHARACTERS: &[u8] = b"-._~";

/// `target` with the parameters appended to its query.
pub(crate) fn with_query(mut target: String, query: &[(String, String)]) -> String {
    for (name, value) in query {
        target.push(if target.contains('?') { '&' } else { '?' });
        push_encoded(&mut target, name, QUERY_CHARACTERS);
        target.push('=');
        push_encoded(&mut target, value, QUERY_CHARACTERS);
    }
    target
}

fn push_encoded(target: &mut String, text: &str, unencoded: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || unencoded.contains(&byte) {
            target.push(char::from(byte));
        } else {
            target.push('%');
            target.push(char::from(DIGITS[usize::from(byte >> 4)]));
            target.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn expanded(template: &str) -> Result<String, String> {
        let path = values(&[("key", "a b/ü?#%"), ("id", "1+1=2"), ("proxy", "x/y")]);
        let stage_variables = values(&[("host", "example.com:8080"), ("alias", "test")]);
        UriTemplate::parse(template)?.expand(&path, &stage_variables)
    }

    #[test]
    fn variables_get_their_values() {
        for (template, expected) in [
            ("http://example.com/x", "http://example.com/x"),
            ("bucket/{key}", "bucket/a%20b/%C3%BC%3F%23%25"),
            ("/{id}/{id}", "/1+1=2/1+1=2"),
            ("http://${stageVariables.host}/{proxy}?a=1", "http://example.com:8080/x/y?a=1"),
            ("http://${stageVariables.host}/{proxy+}", "http://example.com:8080/x/y"),
            ("arn:f:${stageVariables.alias}", "arn:f:test"),
            ("", ""),
        ] {
            assert_eq!(expanded(template).as_deref(), Ok(expected), "{template}");
        }
    }

    #[test]
    fn a_variable_without_a_value_is_named() {
        for (template, problem) in [
            ("/{other}", "map integration.request.path.other"),
            ("http://${stageVariables.none}/", "the stage has no variable 'none'"),
            ("/{key", "is not closed"),
            ("/${context.x}", "give ${stageVariables.NAME}"),
        ] {
            let refused = expanded(template).expect_err(template);
            assert!(refused.contains(problem), "{template}: {refused}");
        }
    }

    /// https://docs.aws.amazon.com/apigateway/latest/api/API_Integration.html
    #[test]
    fn services() {
        let path = |text: &str| ServiceCall::Path(UriTemplate::parse(text).expect(text));
        let action = |text: &str| ServiceCall::Action(UriTemplate::parse(text).expect(text));
        let function = |text: &str| ServiceCall::Invoke(UriTemplate::parse(text).expect(text));
        let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:${stageVariables.alias}";
        for (uri, service, subdomain, call) in [
            ("arn:aws:apigateway:us-west-2:s3:path/{bucket}/{key}", "s3", None, path("{bucket}/{key}")),
            ("arn:aws:apigateway:us-west-2:my.bucket.s3:path/{key}", "s3", Some("my.bucket"), path("{key}")),
            ("arn:aws:apigateway:us-east-1:firehose:action/PutRecord", "firehose", None, action("PutRecord")),
            ("arn:aws-cn:apigateway:cn-north-1:sqs:path/1/q", "sqs", None, path("1/q")),
            ("arn:aws:apigateway:us-west-2:s3:path//", "s3", None, path("/")),
            (
                &format!("arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/{arn}/invocations"),
                "lambda",
                None,
                function(arn),
            ),
        ] {
            let subdomain = subdomain.map(str::to_owned);
            let expected = ServiceUri { service: service.to_owned(), subdomain, call };
            assert_eq!(ServiceUri::parse(uri), Ok(expected), "{uri}");
        }
    }

    #[test]
    fn what_is_no_service_is_named() {
        for uri in [
            "",
            "http://example.com",
            "arn:aws:s3:::bucket",
            "arn:aws:apigateway:us-east-1:s3:bucket/key",
            "arn:aws:apigateway:us-east-1:s3:action/",
            "arn:aws:apigateway::s3:path/x",
            "arn:aws:apigateway:us-east-1::path/x",
            "arn:aws:apigateway:us-east-1:s3:path",
            "arn:aws:apigateway:us-east-1:lambda:path/functions/f",
        ] {
            let refused = ServiceUri::parse(uri).expect_err(uri);
            assert!(refused.starts_with(&format!("'{uri}' is no ")) && refused.contains("give "), "{refused}");
        }
    }

    #[test]
    fn endpoints() {
        for (uri, known) in [
            ("http://example.com", true),
            ("https://example.com/{proxy}", true),
            ("${stageVariables.url}/x", true),
            ("ftp://example.com", false),
            ("example.com", false),
            ("", false),
        ] {
            assert_eq!(HttpUri::parse(uri).is_ok(), known, "{uri}");
        }
    }

    #[test]
    fn parameters_join_the_query_that_is_there() {
        let query = [("a b".to_owned(), "1&2".to_owned()), ("c".to_owned(), String::new())];
        assert_eq!(with_query("/x".to_owned(), &query), "/x?a%20b=1%262&c=");
        assert_eq!(with_query("/x?y=1".to_owned(), &query), "/x?y=1&a%20b=1%262&c=");
        assert_eq!(with_query("/x".to_owned(), &[]), "/x");
    }

    proptest! {
        /// Whatever the values, what is made of them is a URI, and cannot leave its place in it.
        #[test]
        fn values_stay_where_they_are(value in any::<String>(), name in "[a-z]{1,5}") {
            let template = UriTemplate::parse(&format!("http://host/before/{{{name}}}/after")).expect("a template");
            let path = values(&[(&name, &value)]);
            let text = template.expand(&path, &BTreeMap::new()).expect("a value");
            let text = with_query(text, &[(value.clone(), value)]);
            let uri: http::Uri = text.parse().expect("a URI");
            prop_assert_eq!(uri.host(), Some("host"));
            prop_assert!(uri.path().starts_with("/before/") && uri.path().ends_with("/after"));
            prop_assert_eq!(uri.query().unwrap_or_default().matches(['=', '&', '#']).count(), 1);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[a-z${}.:/]{0,30}") {
            let _ = ServiceUri::parse(&text);
            let _ = HttpUri::parse(&text);
        }
    }
}
