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
const FUNCTIONS_PATH: &str = "2015-03-31/functions/";
const INVOCATIONS: &str = "/invocations";

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
