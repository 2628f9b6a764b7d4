//! One method of a resource.

use std::sync::Arc;
use std::time::Duration;

use local_integrations::Integration;
use serde_json::Value;

use super::{Authorizer, EXTENSION, FunctionUri, Model, Parts, Validator};

const SHORTEST_TIMEOUT: Duration = Duration::from_millis(50);
/// The longest without a raised quota, and what an integration has that does not say. A raised one may be longer.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(29);

/// What a verb does on a resource.
#[derive(Debug)]
pub(crate) struct Method {
    /// `GET`, or `ANY`.
    pub verb: String,
    /// `operationId`.
    pub operation_name: Option<String>,
    pub api_key_required: bool,
    pub authorization: Authorization,
    pub validator: Validator,
    /// Required parameters, in the order in which API Gateway names those that are missing.
    pub required_parameters: Vec<(ParameterPlace, String)>,
    /// Media type, or `$default` → model.
    pub models: Vec<(String, Arc<Model>)>,
    pub integration: MethodIntegration,
}

/// Who may call a method.
#[derive(Debug, Clone)]
pub(crate) enum Authorization {
    None,
    Lambda(Arc<Authorizer>),
    /// Callers sign; nobody here can check.
    Iam,
    /// The authorizer is of a kind, or defined in a way, that does not work here.
    Unusable(String),
}

/// Where a parameter stands; in the order of AWS's names for the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ParameterPlace {
    Header,
    Path,
    QueryString,
}

/// What answers.
#[derive(Debug)]
pub(crate) enum MethodIntegration {
    /// `AWS_PROXY`.
    Function(FunctionIntegration),
    /// Everything with mappings, and `HTTP_PROXY`.
    Mapped(Box<Integration>),
    /// It cannot be carried out; what is wrong with it.
    Unusable(String),
}

/// A Lambda function that takes the whole request and gives the whole response.
#[derive(Debug)]
pub(crate) struct FunctionIntegration {
    pub uri: FunctionUri,
    pub timeout: Duration,
    /// `X-Amz-Invocation-Type` is set to `Event`: nobody waits for the function.
    pub event_invocation: bool,
}

impl Method {
    pub fn parse(path: &str, verb: &str, operation: &Value, shared: &[&Value], parts: &mut Parts<'_>) -> Self {
        let place = format!("paths.{path}.{}", verb.to_ascii_lowercase());
        for (member, _) in operation.as_object().into_iter().flatten() {
            match member.strip_prefix(EXTENSION) {
                None | Some("integration" | "request-validator" | "auth") => {}
                Some(_) => parts.warnings.say(&place, format_args!("{member} is not known and has no effect")),
            }
        }
        let (authorization, api_key_required) = security(operation, &place, parts);
        Self {
            verb: verb.to_owned(),
            operation_name: operation["operationId"].as_str().map(str::to_owned),
            api_key_required,
            authorization,
            validator: validator(operation, &place, parts),
            required_parameters: required_parameters(operation, shared, &place, parts),
            models: models(operation, &place, parts),
            integration: integration(operation, &place, parts),
        }
    }
}

fn security(operation: &Value, place: &str, parts: &mut Parts<'_>) -> (Authorization, bool) {
    let mut authorization = Authorization::None;
    let mut api_key_required = false;
    if operation["x-amazon-apigateway-auth"]["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("AWS_IAM")) {
        authorization = Authorization::Iam;
    }
    // An operation's own list replaces the document's, an empty one too.
    let requirements = operation.get("security").unwrap_or(parts.security);
    for requirement in requirements.as_array().into_iter().flatten() {
        for (name, _) in requirement.as_object().into_iter().flatten() {
            let scheme = &parts.security_schemes[name];
            if let Some(authorizer) = parts.authorizers.get(name) {
                authorization = match authorizer {
                    Ok(authorizer) => Authorization::Lambda(Arc::clone(authorizer)),
                    Err(problem) => Authorization::Unusable(problem.clone()),
                };
            } else if scheme["x-amazon-apigateway-authtype"] == "awsSigv4" {
                authorization = Authorization::Iam;
            } else if scheme["name"].as_str().is_some_and(|header| header.eq_ignore_ascii_case("x-api-key")) {
                api_key_required = true;
            } else {
                parts
                    .warnings
                    .say(place, format_args!("security '{name}' is no authorizer of API Gateway's and has no effect"));
            }
        }
    }
    if matches!(authorization, Authorization::Iam) {
        parts.warnings.say(place, "AWS_IAM: signatures are not checked here; a request with one is let through");
    }
    (authorization, api_key_required)
}

fn validator(operation: &Value, place: &str, parts: &mut Parts<'_>) -> Validator {
    let own = operation["x-amazon-apigateway-request-validator"].as_str().map(str::to_owned);
    let Some(name) = own.or_else(|| parts.default_validator.clone()) else { return Validator::default() };
    if !parts.validators.contains_key(&name) {
        parts.warnings.say(place, format_args!("request validator '{name}' is not defined: nothing is checked"));
    }
    parts.validators.get(&name).copied().unwrap_or_default()
}

fn required_parameters(
    operation: &Value,
    shared: &[&Value],
    place: &str,
    parts: &mut Parts<'_>,
) -> Vec<(ParameterPlace, String)> {
    let own = operation["parameters"].as_array().into_iter().flatten();
    let mut required: Vec<(ParameterPlace, String)> = Vec::new();
    for parameter in shared.iter().copied().chain(own) {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        let at = match parameter["in"].as_str() {
            Some("header") => ParameterPlace::Header,
            Some("path") => ParameterPlace::Path,
            Some("query") => ParameterPlace::QueryString,
            other => {
                let other = other.unwrap_or_default();
                parts.warnings.say(
                    place,
                    format_args!("a parameter in '{other}' is not checked: API Gateway knows header, path and query"),
                );
                continue;
            }
        };
        // An operation's parameter replaces the path's of the same name and place.
        required.retain(|(known_at, known)| (*known_at, known) != (at, &name));
        if parameter["required"] == Value::Bool(true) {
            required.push((at, name));
        }
    }
    required.sort();
    required
}

fn models(operation: &Value, place: &str, parts: &mut Parts<'_>) -> Vec<(String, Arc<Model>)> {
    let mut models = Vec::new();
    for (media_type, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
        if let Some(schema) = content.get("schema")
            && let Some(model) = parts.model(schema, &format!("{place}.requestBody.{media_type}"))
        {
            models.push((media_type.to_ascii_lowercase(), model));
        }
    }
    models
}

fn integration(operation: &Value, place: &str, parts: &mut Parts<'_>) -> MethodIntegration {
    let Some(source) = operation.get("x-amazon-apigateway-integration") else {
        parts.warnings.say(place, "has no integration: AWS would not deploy it; it answers 500");
        return MethodIntegration::Unusable("No integration defined for method".to_owned());
    };
    let is_function = source["type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case("aws_proxy"));
    let parsed = if is_function {
        FunctionIntegration::parse(source, place, parts).map(MethodIntegration::Function)
    } else {
        Integration::parse(source)
            .and_then(|integration| integration.with_method_responses(&operation["responses"]))
            .map(|integration| {
                if !integration.cache_key_parameters().is_empty() {
                    parts.warnings.say(place, "cacheKeyParameters have no effect: nothing is cached here");
                }
                MethodIntegration::Mapped(Box::new(integration))
            })
            .map_err(|problem| problem.to_string())
    };
    parsed.unwrap_or_else(|problem| {
        parts.warnings.say(place, format_args!("{problem}; the method answers 500"));
        MethodIntegration::Unusable(problem)
    })
}

impl FunctionIntegration {
    fn parse(source: &Value, place: &str, parts: &mut Parts<'_>) -> Result<Self, String> {
        for (member, value) in source.as_object().into_iter().flatten() {
            match member.as_str() {
                "type"
                | "uri"
                | "httpMethod"
                | "timeoutInMillis"
                | "requestParameters"
                | "passthroughBehavior"
                | "contentHandling"
                | "cacheNamespace"
                | "responses"
                | "responseTransferMode" => {}
                "credentials" => parts.warnings.say(place, "credentials have no effect: IAM is not enforced"),
                "cacheKeyParameters" if value.as_array().is_some_and(Vec::is_empty) => {}
                "cacheKeyParameters" => {
                    parts.warnings.say(place, "cacheKeyParameters have no effect: nothing is cached here");
                }
                "requestTemplates" => parts.warnings.say(place, "requestTemplates have no effect with aws_proxy"),
                _ => parts.warnings.say(place, format_args!("{member} is not known and has no effect")),
            }
        }
        if source["responseTransferMode"].as_str().is_some_and(|mode| mode.eq_ignore_ascii_case("stream")) {
            parts
                .warnings
                .say(place, "responseTransferMode STREAM is not served here: the function is asked for one answer");
        }
        let method = source["httpMethod"].as_str().unwrap_or_default();
        if !method.eq_ignore_ascii_case("POST") {
            return Err(format!("httpMethod '{method}': Lambda is invoked by POST alone"));
        }
        let uri = FunctionUri::parse(source["uri"].as_str().unwrap_or_default())?;
        let timeout = match &source["timeoutInMillis"] {
            Value::Null => DEFAULT_TIMEOUT,
            value => {
                let timeout = value.as_u64().map(Duration::from_millis);
                timeout.filter(|timeout| *timeout >= SHORTEST_TIMEOUT).ok_or_else(|| {
                    format!("timeoutInMillis {value} is none: give {} or more", SHORTEST_TIMEOUT.as_millis())
                })?
            }
        };
        let mut event_invocation = false;
        for (target, value) in source["requestParameters"].as_object().into_iter().flatten() {
            if target.eq_ignore_ascii_case("integration.request.header.X-Amz-Invocation-Type") {
                event_invocation = value == "'Event'";
            } else {
                parts.warnings.say(place, format_args!("requestParameters.{target} has no effect with aws_proxy"));
            }
        }
        Ok(Self { uri, timeout, event_invocation })
    }
}
