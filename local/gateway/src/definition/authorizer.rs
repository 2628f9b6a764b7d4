//! `x-amazon-apigateway-authorizer`, read.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-authorizer.html>

use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::function_uri::FunctionUri;
use super::warning::Warnings;

/// What the console and the API give an authorizer that does not say.
const DEFAULT_TTL_SECONDS: u64 = 300;
const LONGEST_TTL_SECONDS: u64 = 3600;

/// A Lambda authorizer.
#[derive(Debug)]
pub(crate) struct Authorizer {
    pub name: String,
    pub kind: AuthorizerKind,
    pub function: FunctionUri,
    pub identity_sources: Vec<IdentitySource>,
    /// What a token must look like to be shown to the function at all.
    pub validation: Option<Regex>,
    /// How long an answer stands for the same identity. Zero: never.
    pub ttl: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuthorizerKind {
    /// The function sees the token alone.
    Token,
    /// The function sees the request, but for its body.
    Request,
}

/// Where a part of the caller's identity stands.
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_Authorizer.html#apigw-Type-Authorizer-identitySource>
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum IdentitySource {
    Header(String),
    QueryString(String),
    StageVariable(String),
    Context(String),
}

impl IdentitySource {
    fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("method.request.header.") {
            Some(Self::Header(name.to_owned()))
        } else if let Some(name) = text.strip_prefix("method.request.querystring.") {
            Some(Self::QueryString(name.to_owned()))
        } else if let Some(name) = text.strip_prefix("stageVariables.") {
            Some(Self::StageVariable(name.to_owned()))
        } else {
            text.strip_prefix("context.").map(|name| Self::Context(name.to_owned()))
        }
    }
}

impl Authorizer {
    /// `scheme`: the security scheme that holds the extension.
    ///
    /// # Errors
    /// Says why no authorizer can be made of it.
    pub fn parse(name: &str, scheme: &Value, place: &str, warnings: &mut Warnings) -> Result<Self, String> {
        let source = &scheme["x-amazon-apigateway-authorizer"];
        for (member, _) in source.as_object().into_iter().flatten() {
            match member.as_str() {
                "type"
                | "authorizerUri"
                | "identitySource"
                | "identityValidationExpression"
                | "authorizerResultTtlInSeconds" => {}
                "authorizerCredentials" => {
                    warnings.say(place, "authorizerCredentials have no effect: IAM is not enforced")
                }
                _ => warnings.say(place, format_args!("{member} is not known and has no effect")),
            }
        }
        let kind = match source["type"].as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("token") => AuthorizerKind::Token,
            Some("request") => AuthorizerKind::Request,
            Some(other) => {
                return Err(format!("authorizers of type {other} are not made here: only token and request are"));
            }
            None => return Err("the authorizer has no type: give token or request".to_owned()),
        };
        let uri = source["authorizerUri"].as_str().ok_or("the authorizer has no authorizerUri")?;
        let sources = source["identitySource"].as_str().unwrap_or_default();
        let mut identity_sources = Vec::new();
        for part in sources.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            identity_sources.push(IdentitySource::parse(part).ok_or_else(|| {
                format!(
                    "identitySource '{part}' is none: give method.request.header.NAME, method.request.querystring.NAME, \
                     stageVariables.NAME or context.NAME"
                )
            })?);
        }
        if identity_sources.is_empty() && kind == AuthorizerKind::Token {
            let header = scheme["name"].as_str().unwrap_or("Authorization");
            identity_sources.push(IdentitySource::Header(header.to_owned()));
        }
        let ttl = match &source["authorizerResultTtlInSeconds"] {
            Value::Null => DEFAULT_TTL_SECONDS,
            value => value.as_u64().filter(|seconds| *seconds <= LONGEST_TTL_SECONDS).ok_or_else(|| {
                format!("authorizerResultTtlInSeconds {value} is none: give 0 to {LONGEST_TTL_SECONDS}")
            })?,
        };
        let validation = match source["identityValidationExpression"].as_str() {
            None | Some("") => None,
            // The whole token must match, as with Java's `matches`.
            Some(expression) => Some(Regex::new(&format!("^(?:{expression})$")).map_err(|error| {
                format!("identityValidationExpression '{expression}' is not understood here: {error}")
            })?),
        };
        Ok(Self {
            name: name.to_owned(),
            kind,
            function: FunctionUri::parse(uri)?,
            identity_sources,
            validation,
            ttl: Duration::from_secs(ttl),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const URI: &str = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/\
        arn:aws:lambda:eu-west-1:123456789012:function:authorize/invocations";

    fn parse(authorizer: Value) -> Result<Authorizer, String> {
        let scheme =
            json!({ "type": "apiKey", "name": "Auth", "in": "header", "x-amazon-apigateway-authorizer": authorizer });
        Authorizer::parse("mine", &scheme, "here", &mut Warnings::default())
    }

    #[test]
    fn a_token_authorizer_looks_at_the_header_of_its_scheme() {
        let authorizer = parse(json!({ "type": "token", "authorizerUri": URI })).unwrap();
        assert_eq!(authorizer.identity_sources, [IdentitySource::Header("Auth".into())]);
        assert_eq!((authorizer.kind, authorizer.ttl), (AuthorizerKind::Token, Duration::from_secs(300)));
    }

    #[test]
    fn a_request_authorizer_looks_where_it_is_told() {
        let sources = "method.request.header.A, method.request.querystring.b,stageVariables.c, context.httpMethod";
        let authorizer = parse(json!({ "type": "REQUEST", "authorizerUri": URI, "identitySource": sources,
            "authorizerResultTtlInSeconds": 0 }))
        .unwrap();
        let expected = [
            IdentitySource::Header("A".into()),
            IdentitySource::QueryString("b".into()),
            IdentitySource::StageVariable("c".into()),
            IdentitySource::Context("httpMethod".into()),
        ];
        assert_eq!(authorizer.identity_sources, expected);
        assert_eq!(authorizer.ttl, Duration::ZERO);
    }

    #[test]
    fn what_is_no_authorizer_is_refused() {
        for (authorizer, expected) in [
            (json!({ "type": "cognito_user_pools" }), "authorizers of type cognito_user_pools are not made here"),
            (json!({ "authorizerUri": URI }), "has no type"),
            (json!({ "type": "token" }), "has no authorizerUri"),
            (json!({ "type": "token", "authorizerUri": "https://example.com" }), "names no function"),
            (
                json!({ "type": "token", "authorizerUri": URI, "identitySource": "body.a" }),
                "identitySource 'body.a' is none",
            ),
            (json!({ "type": "token", "authorizerUri": URI, "authorizerResultTtlInSeconds": 4000 }), "give 0 to 3600"),
            (
                json!({ "type": "token", "authorizerUri": URI, "identityValidationExpression": "(" }),
                "is not understood",
            ),
        ] {
            let error = parse(authorizer.clone()).unwrap_err();
            assert!(error.contains(expected), "{authorizer}: {error}");
        }
    }
}
