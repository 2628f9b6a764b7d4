//! `x-amazon-apigateway-integration`, read and checked.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Map, Value};

use crate::parameters::{RequestMapping, ResponseMapping};
use crate::response_selection::Pattern;
use crate::uri::{HttpUri, ServiceUri};

/// The shortest time that an integration can be given.
const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);
/// The longest, and what an integration has that says nothing.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const LONGEST_TIMEOUT: Duration = Duration::from_secs(29);

/// The members of the extension. Anything else in it is a misspelling, and would be ignored without a word.
const MEMBERS: [&str; 15] = [
    "type",
    "uri",
    "httpMethod",
    "credentials",
    "connectionType",
    "connectionId",
    "requestParameters",
    "requestTemplates",
    "passthroughBehavior",
    "contentHandling",
    "timeoutInMillis",
    "tlsConfig",
    "cacheNamespace",
    "cacheKeyParameters",
    "responses",
];

/// One method's integration.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-integration.html>
#[derive(Debug, Clone)]
pub struct Integration {
    pub(crate) kind: Kind,
    pub(crate) target: Target,
    /// `None` is `ANY`: the method that the client used.
    pub(crate) method: Option<Method>,
    pub(crate) credentials: Option<String>,
    /// A VPC link's identifier, or a stage variable that holds it.
    pub(crate) vpc_link: Option<String>,
    pub(crate) request_parameters: Vec<RequestMapping>,
    pub(crate) request_templates: BTreeMap<String, String>,
    pub(crate) passthrough: Passthrough,
    pub(crate) content_handling: Option<ContentHandling>,
    pub(crate) timeout: Duration,
    pub(crate) insecure_skip_verification: bool,
    pub(crate) cache_key_parameters: Vec<String>,
    pub(crate) responses: Vec<IntegrationResponse>,
    /// The method's declared responses, by status; `None` when nobody said which there are.
    pub(crate) method_responses: Option<BTreeMap<u16, MethodResponseDeclaration>>,
}

/// The integration types of this crate. (`AWS_PROXY` is not among them: the gateway invokes such a function itself.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An AWS service, with mappings.
    Aws,
    /// An HTTP endpoint, with mappings.
    Http,
    /// An HTTP endpoint that gets and gives everything as it is.
    HttpProxy,
    /// No endpoint: the request's template says which response there is.
    Mock,
}

/// Where the request goes.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    Service(ServiceUri),
    Endpoint(HttpUri),
    Nowhere,
}

/// What becomes of a body that no template takes.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/integration-passthrough-behaviors.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passthrough {
    /// It is passed on.
    WhenNoMatch,
    /// It is passed on if there are no templates at all.
    WhenNoTemplates,
    /// It is refused with 415.
    Never,
}

/// Into what a body is converted.
///
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings-workflow.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentHandling {
    /// A text is base64, and is decoded.
    ConvertToBinary,
    /// A binary body is encoded in base64.
    ConvertToText,
}

/// One entry of `responses`.
#[derive(Debug, Clone)]
pub(crate) struct IntegrationResponse {
    /// The pattern as it was written.
    pub name: String,
    pub pattern: Pattern,
    pub status: StatusCode,
    pub parameters: Vec<ResponseMapping>,
    pub templates: BTreeMap<String, String>,
    pub content_handling: Option<ContentHandling>,
}

/// What an operation's `responses` say of one status.
#[derive(Debug, Clone, Default)]
pub(crate) struct MethodResponseDeclaration {
    /// The media types that have a model; the first one is the response's `Content-Type`.
    pub content_types: Vec<String>,
}

/// A definition that is not an integration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("x-amazon-apigateway-integration: `{member}`: {problem}")]
pub struct Invalid {
    /// The member that is wrong, such as `responses.default.statusCode`.
    pub member: String,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

impl Invalid {
    pub(crate) fn new(member: impl Into<String>, problem: impl Display) -> Self {
        Self { member: member.into(), problem: problem.to_string() }
    }
}

impl Integration {
    /// Reads the extension's object.
    ///
    /// # Errors
    /// Names the member that is wrong, and what would be right.
    pub fn parse(definition: &Value) -> Result<Self, Invalid> {
        let members = Members::of(definition, "")?;
        members.only(&MEMBERS)?;
        let kind = kind(&members)?;
        let uri = members.text("uri")?.unwrap_or_default();
        let target = match kind {
            Kind::Mock => Target::Nowhere,
            Kind::Aws => Target::Service(ServiceUri::parse(&uri).map_err(|problem| Invalid::new("uri", problem))?),
            Kind::Http | Kind::HttpProxy => {
                Target::Endpoint(HttpUri::parse(&uri).map_err(|problem| Invalid::new("uri", problem))?)
            }
        };
        let mut request_parameters = Vec::new();
        for (target, source) in members.texts("requestParameters")? {
            let mapping = RequestMapping::parse(&target, &source);
            request_parameters
                .push(mapping.map_err(|problem| Invalid::new(format!("requestParameters.{target}"), problem))?);
        }
        let mut responses = Vec::new();
        for (pattern, response) in members.objects("responses")? {
            responses.push(integration_response(&pattern, &response)?);
        }
        Ok(Self {
            kind,
            target,
            method: method(&members, kind)?,
            credentials: members.text("credentials")?,
            vpc_link: vpc_link(&members)?,
            request_parameters,
            request_templates: members.texts("requestTemplates")?.into_iter().collect(),
            passthrough: passthrough(&members)?,
            content_handling: content_handling(&members)?,
            timeout: timeout(&members)?,
            insecure_skip_verification: insecure_skip_verification(&members)?,
            cache_key_parameters: members.list("cacheKeyParameters")?,
            responses,
            method_responses: None,
        })
    }

    /// Says which responses the method declares: the operation's `responses`. A response that is not among them is a
    /// configuration error then, as it is in AWS.
    ///
    /// # Errors
    /// Names the status that is none.
    pub fn with_method_responses(mut self, responses: &Value) -> Result<Self, Invalid> {
        let empty = Map::new();
        let mut declared = BTreeMap::new();
        // OpenAPI's `default` is no status, and declares none.
        for (status, response) in responses.as_object().unwrap_or(&empty).iter().filter(|(name, _)| *name != "default")
        {
            let code = status_code(&format!("method responses.{status}"), status)?;
            let content = response.get("content").and_then(Value::as_object).unwrap_or(&empty);
            let content_types = content.keys().cloned().collect();
            declared.insert(code.as_u16(), MethodResponseDeclaration { content_types });
        }
        self.method_responses = Some(declared);
        Ok(self)
    }

    /// Which type of integration it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// How long the endpoint may take.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Which parameters a cache would tell responses apart by. There is no cache here: they have no effect.
    pub fn cache_key_parameters(&self) -> &[String] {
        &self.cache_key_parameters
    }
}

fn kind(members: &Members<'_>) -> Result<Kind, Invalid> {
    let name = members.text("type")?.unwrap_or_default();
    match name.to_ascii_lowercase().as_str() {
        "aws" => Ok(Kind::Aws),
        "http" => Ok(Kind::Http),
        "http_proxy" => Ok(Kind::HttpProxy),
        "mock" => Ok(Kind::Mock),
        "aws_proxy" => Err(Invalid::new("type", "aws_proxy has no mappings: the gateway carries it out itself")),
        _ => Err(Invalid::new("type", format!("'{name}' is none: give aws, http, http_proxy or mock"))),
    }
}

fn method(members: &Members<'_>, kind: Kind) -> Result<Option<Method>, Invalid> {
    let Some(name) = members.text("httpMethod")? else {
        return match kind {
            Kind::Mock => Ok(None),
            _ => Err(Invalid::new("httpMethod", "is missing: give the method of the request to the endpoint, or ANY")),
        };
    };
    match name.to_ascii_uppercase().as_str() {
        "ANY" => Ok(None),
        "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS" => {
            let method = Method::from_bytes(name.to_ascii_uppercase().as_bytes());
            method.map(Some).map_err(|cause| Invalid::new("httpMethod", cause))
        }
        _ => Err(Invalid::new(
            "httpMethod",
            format!("'{name}' is none: give GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or ANY"),
        )),
    }
}

fn vpc_link(members: &Members<'_>) -> Result<Option<String>, Invalid> {
    let identifier = members.text("connectionId")?;
    match members.text("connectionType")?.unwrap_or_default().to_ascii_uppercase().as_str() {
        "" | "INTERNET" => Ok(None),
        "VPC_LINK" => identifier
            .map(Some)
            .ok_or_else(|| Invalid::new("connectionId", "is missing: with VPC_LINK, give the link's identifier")),
        other => Err(Invalid::new("connectionType", format!("'{other}' is none: give INTERNET or VPC_LINK"))),
    }
}

fn passthrough(members: &Members<'_>) -> Result<Passthrough, Invalid> {
    match members.text("passthroughBehavior")?.unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "when_no_match" => Ok(Passthrough::WhenNoMatch),
        "when_no_templates" => Ok(Passthrough::WhenNoTemplates),
        "never" => Ok(Passthrough::Never),
        other => Err(Invalid::new(
            "passthroughBehavior",
            format!("'{other}' is none: give when_no_match, when_no_templates or never"),
        )),
    }
}

fn content_handling(members: &Members<'_>) -> Result<Option<ContentHandling>, Invalid> {
    match members.text("contentHandling")?.unwrap_or_default().to_ascii_uppercase().as_str() {
        "" => Ok(None),
        "CONVERT_TO_BINARY" => Ok(Some(ContentHandling::ConvertToBinary)),
        "CONVERT_TO_TEXT" => Ok(Some(ContentHandling::ConvertToText)),
        other => Err(Invalid::new(
            members.member("contentHandling"),
            format!("'{other}' is none: give CONVERT_TO_BINARY or CONVERT_TO_TEXT"),
        )),
    }
}

fn timeout(members: &Members<'_>) -> Result<Duration, Invalid> {
    let Some(value) = members.get("timeoutInMillis") else { return Ok(LONGEST_TIMEOUT) };
    let timeout = value.as_u64().map(Duration::from_millis);
    timeout.filter(|timeout| (SHORTEST_TIMEOUT..=LONGEST_TIMEOUT).contains(timeout)).ok_or_else(|| {
        let (shortest, longest) = (SHORTEST_TIMEOUT.as_millis(), LONGEST_TIMEOUT.as_millis());
        Invalid::new("timeoutInMillis", format!("{value} is none: give a number from {shortest} to {longest}"))
    })
}

fn insecure_skip_verification(members: &Members<'_>) -> Result<bool, Invalid> {
    let Some(value) = members.get("tlsConfig") else { return Ok(false) };
    match Members::of(value, "tlsConfig")?.get("insecureSkipVerification") {
        None => Ok(false),
        Some(Value::Bool(skip)) => Ok(*skip),
        Some(other) => {
            Err(Invalid::new("tlsConfig.insecureSkipVerification", format!("{other} is none: give true or false")))
        }
    }
}

fn integration_response(name: &str, response: &Value) -> Result<IntegrationResponse, Invalid> {
    let place = format!("responses.{name}");
    let members = Members::of(response, &place)?;
    members.only(&["statusCode", "responseParameters", "responseTemplates", "contentHandling"])?;
    let pattern = Pattern::parse(name).map_err(|problem| Invalid::new(&place, problem))?;
    let status = members.member("statusCode");
    let code = match members.get("statusCode") {
        Some(Value::Number(number)) => number.to_string(),
        _ => members.text("statusCode")?.unwrap_or_default(),
    };
    let mut parameters = Vec::new();
    for (target, source) in members.texts("responseParameters")? {
        let mapping = ResponseMapping::parse(&target, &source);
        let member = || members.member(&format!("responseParameters.{target}"));
        parameters.push(mapping.map_err(|problem| Invalid::new(member(), problem))?);
    }
    Ok(IntegrationResponse {
        name: name.to_owned(),
        pattern,
        status: status_code(&status, &code)?,
        parameters,
        templates: members.texts("responseTemplates")?.into_iter().collect(),
        content_handling: content_handling(&members)?,
    })
}

/// API Gateway takes three digits, the first one from 1 to 5.
fn status_code(member: &str, text: &str) -> Result<StatusCode, Invalid> {
    let code = text.parse().ok().and_then(|code: u16| StatusCode::from_u16(code).ok());
    code.filter(|code| code.as_u16() < 600)
        .ok_or_else(|| Invalid::new(member, format!("'{text}' is none: give a status such as 200")))
}

/// An object, and where it stands in the definition.
struct Members<'a> {
    place: &'a str,
    members: &'a Map<String, Value>,
}

impl<'a> Members<'a> {
    fn of(value: &'a Value, place: &'a str) -> Result<Self, Invalid> {
        let members = value.as_object();
        let members = members.ok_or_else(|| Invalid::new(place, format!("is {}: give an object", name_of(value))))?;
        Ok(Self { place, members })
    }

    fn member(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_owned() } else { format!("{}.{name}", self.place) }
    }

    fn only(&self, known: &[&str]) -> Result<(), Invalid> {
        match self.members.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                Err(Invalid::new(self.member(name), format!("is not known: give any of {}", known.join(", "))))
            }
            None => Ok(()),
        }
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    fn text(&self, name: &str) -> Result<Option<String>, Invalid> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(other) => Err(Invalid::new(self.member(name), format!("is {}: give a string", name_of(other)))),
        }
    }

    fn list(&self, name: &str) -> Result<Vec<String>, Invalid> {
        let wrong = |value| Invalid::new(self.member(name), format!("is {}: give a list of strings", name_of(value)));
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let items = value.as_array().ok_or_else(|| wrong(value))?;
        items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(|| wrong(item))).collect()
    }

    fn objects(&self, name: &str) -> Result<Vec<(String, Value)>, Invalid> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::Object(members)) => {
                Ok(members.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
            }
            Some(other) => Err(Invalid::new(self.member(name), format!("is {}: give an object", name_of(other)))),
        }
    }

    /// An object whose members are strings. A boolean or a number stands for its text, as in YAML nobody quotes them.
    fn texts(&self, name: &str) -> Result<Vec<(String, String)>, Invalid> {
        self.objects(name)?
            .into_iter()
            .map(|(key, value)| match value {
                Value::String(text) => Ok((key, text)),
                Value::Bool(_) | Value::Number(_) => Ok((key, value.to_string())),
                other => {
                    let member = self.member(&format!("{name}.{key}"));
                    Err(Invalid::new(member, format!("is {}: give a string", name_of(&other))))
                }
            })
            .collect()
    }
}

fn name_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(more: &Value) -> Result<Integration, Invalid> {
        let mut definition = json!({"type": "http", "httpMethod": "GET", "uri": "http://example.com"});
        for (name, value) in more.as_object().expect("members") {
            definition[name] = value.clone();
        }
        Integration::parse(&definition)
    }

    #[test]
    fn an_integration_that_says_little_has_awss_defaults() {
        let integration = Integration::parse(&json!({"type": "MOCK"})).expect("a definition");
        assert_eq!(integration.kind(), Kind::Mock);
        assert_eq!(integration.timeout(), Duration::from_secs(29));
        assert_eq!(integration.passthrough, Passthrough::WhenNoMatch);
        assert_eq!((integration.method, integration.vpc_link, integration.content_handling), (None, None, None));
        assert!(!integration.insecure_skip_verification && integration.responses.is_empty());
    }

    #[test]
    fn everything_that_the_extension_has_is_read() {
        let integration = parsed(&json!({
            "type": "http_proxy",
            "httpMethod": "any",
            "uri": "https://${stageVariables.host}/{proxy}",
            "connectionType": "VPC_LINK",
            "connectionId": "${stageVariables.link}",
            "credentials": "arn:aws:iam::123456789012:role/r",
            "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
            "requestTemplates": {"application/json": "{}"},
            "passthroughBehavior": "when_no_templates",
            "contentHandling": "CONVERT_TO_TEXT",
            "timeoutInMillis": 50,
            "tlsConfig": {"insecureSkipVerification": true},
            "cacheNamespace": "n",
            "cacheKeyParameters": ["method.request.path.proxy"],
            "responses": {
                "default": {"statusCode": 200, "responseParameters": {"method.response.header.a": "'1'"}},
                "5..": {"statusCode": "502", "responseTemplates": {"text/plain": "x"}, "contentHandling": "CONVERT_TO_BINARY"},
            },
        }));
        let integration = integration.expect("a definition");
        assert_eq!((integration.kind, integration.method), (Kind::HttpProxy, None));
        assert_eq!(integration.vpc_link.as_deref(), Some("${stageVariables.link}"));
        assert_eq!(integration.passthrough, Passthrough::WhenNoTemplates);
        assert_eq!(integration.content_handling, Some(ContentHandling::ConvertToText));
        assert_eq!(integration.timeout, Duration::from_millis(50));
        assert!(integration.insecure_skip_verification);
        assert_eq!(integration.cache_key_parameters, ["method.request.path.proxy"]);
        let statuses: Vec<u16> = integration.responses.iter().map(|response| response.status.as_u16()).collect();
        assert_eq!(statuses, [502, 200]);
        assert_eq!(integration.responses[0].content_handling, Some(ContentHandling::ConvertToBinary));
        assert_eq!(integration.responses[0].templates["text/plain"], "x");
        assert_eq!(integration.responses[1].parameters.len(), 1);
    }

    #[test]
    fn what_is_wrong_is_named_with_what_would_be_right() {
        for (more, member, right) in [
            (json!({"type": "aws_proxy"}), "type", "the gateway carries it out itself"),
            (json!({"type": "lambda"}), "type", "give aws, http, http_proxy or mock"),
            (json!({"type": 1}), "type", "give a string"),
            (json!({"httpMethod": null}), "httpMethod", "give the method"),
            (json!({"httpMethod": "TRACE"}), "httpMethod", "give GET, POST"),
            (json!({"uri": "example.com"}), "uri", "give http://HOST/PATH"),
            (json!({"type": "aws"}), "uri", "give arn:aws:apigateway:REGION:SERVICE:path/PATH"),
            (json!({"timeoutInMillis": 49}), "timeoutInMillis", "give a number from 50 to 29000"),
            (json!({"timeoutInMillis": 29_001}), "timeoutInMillis", "give a number from 50 to 29000"),
            (json!({"timeoutInMillis": "1000"}), "timeoutInMillis", "give a number from 50 to 29000"),
            (json!({"passthroughBehavior": "always"}), "passthroughBehavior", "give when_no_match"),
            (json!({"contentHandling": "TEXT"}), "contentHandling", "give CONVERT_TO_BINARY or CONVERT_TO_TEXT"),
            (json!({"connectionType": "VPC"}), "connectionType", "give INTERNET or VPC_LINK"),
            (json!({"connectionType": "VPC_LINK"}), "connectionId", "give the link's identifier"),
            (json!({"tlsConfig": true}), "tlsConfig", "give an object"),
            (
                json!({"tlsConfig": {"insecureSkipVerification": "yes"}}),
                "tlsConfig.insecureSkipVerification",
                "give true or false",
            ),
            (json!({"cacheKeyParameters": [1]}), "cacheKeyParameters", "give a list of strings"),
            (json!({"requestTemplates": {"a/b": {}}}), "requestTemplates.a/b", "give a string"),
            (json!({"requestParameters": {"x": "'1'"}}), "requestParameters.x", "give integration.request.path.NAME"),
            (
                json!({"requestParameters": {"integration.request.header.x": "1"}}),
                "requestParameters.integration.request.header.x",
                "or a 'literal' in single quotation marks",
            ),
            (json!({"responses": {"default": {}}}), "responses.default.statusCode", "give a status such as 200"),
            (
                json!({"responses": {"default": {"statusCode": "600"}}}),
                "responses.default.statusCode",
                "give a status such as 200",
            ),
            (json!({"responses": {"(": {"statusCode": "200"}}}), "responses.(", "is no regular expression"),
            (
                json!({"responses": {"2": {"statusCode": "200", "template": {}}}}),
                "responses.2.template",
                "give any of statusCode",
            ),
            (
                json!({"responses": {"2": {"statusCode": "200", "responseParameters": {"x": "'1'"}}}}),
                "responses.2.responseParameters.x",
                "give method.response.header.NAME",
            ),
            (json!({"requestTemplate": {}}), "requestTemplate", "give any of type, uri"),
        ] {
            let problem = parsed(&more).map(|integration| integration.kind).expect_err(member);
            assert_eq!(problem.member, member, "{problem}");
            assert!(problem.problem.contains(right), "{more}: {problem}");
            assert!(problem.to_string().starts_with("x-amazon-apigateway-integration: `"), "{problem}");
        }
    }

    #[test]
    fn a_methods_responses_are_declared() {
        let integration = parsed(&json!({})).expect("a definition");
        let responses = json!({"200": {"content": {"text/html": {}}}, "404": {"description": "none"}, "default": {}});
        let integration = integration.with_method_responses(&responses).expect("statuses");
        let declared = integration.method_responses.expect("declared");
        assert_eq!(declared[&200].content_types, ["text/html"]);
        assert!(declared[&404].content_types.is_empty());
        let problem = parsed(&json!({})).and_then(|integration| integration.with_method_responses(&json!({"2XX": {}})));
        assert_eq!(problem.expect_err("no status").member, "method responses.2XX");
    }
}
