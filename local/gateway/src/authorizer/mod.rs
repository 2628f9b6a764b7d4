//! Lambda authorizers: a function says who calls, and what the caller may do.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-use-lambda-authorizer.html>

mod answer;
mod cache;
mod event;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use local_integrations::{Explain, Functions, Invocation};

pub(crate) use answer::Identity;
pub(crate) use cache::AuthorizerCache;

use crate::context::{AuthorizerResult, Context};
use crate::definition::{Authorizer, AuthorizerKind, IdentitySource};
use crate::explanation::Explanation;
use crate::gateway_response::{Refused, ResponseType};
use crate::policy::Decision;
use crate::resource_policy;
use crate::substitution::Variables;

/// The longest that an authorizer's function may take.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html>
const TIMEOUT: Duration = Duration::from_secs(29);
/// The longest method ARN, in bytes, of a request to a method with an authorizer.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const LONGEST_METHOD_ARN: usize = 1600;
const URI_TOO_LONG: u16 = 414;

/// Asks the authorizer, or remembers what it said; leaves its answer in the context, and gives what its policy says.
pub(crate) async fn authorize(
    authorizer: &Authorizer,
    context: &mut Context,
    functions: &dyn Functions,
    cache: &AuthorizerCache,
    explanation: &Explanation,
) -> Result<Decision, Refused> {
    let stage = Arc::clone(&context.address.stage);
    let arn = context.method_arn();
    if arn.len() > LONGEST_METHOD_ARN {
        let cause = format!("The method's ARN has {} bytes, more than {LONGEST_METHOD_ARN}", arn.len());
        let refused = Refused::new(ResponseType::Default4xx, "Request URI too long", cause);
        return Err(Refused { status: Some(URI_TOO_LONG), ..refused });
    }
    explanation.say(format_args!("Starting authorizer: {} for request: {}", authorizer.name, context.request_id));
    let identity_values = identity_values(authorizer, context)?;
    for value in &identity_values {
        explanation.conceal(value);
    }
    let key = cache::Key::new(&stage.api_id, &stage.stage.name, &authorizer.name, &identity_values);
    let started = Instant::now();
    let remembered = cache.find(&key, started);
    let identity = match remembered {
        Some(identity) => {
            explanation.say(format_args!("Using the authorizer's cached answer for this identity"));
            Ok(identity)
        }
        None => ask(authorizer, context, identity_values.first().map(String::as_str), functions, explanation).await,
    };
    let latency = started.elapsed();
    let status = identity.as_ref().map_or_else(|refused| refused.default_status(), |_| 200);
    context.authorizer = Some(AuthorizerResult { identity: identity.as_ref().ok().cloned(), status, latency });
    let identity = identity?;
    // Nothing is remembered without an identity to remember it by.
    if !authorizer.ttl.is_zero() && !authorizer.identity_sources.is_empty() {
        cache.keep(key, &identity, started + authorizer.ttl, started);
    }
    explanation.say(format_args!("Using valid authorizer policy for principal: {}", identity.principal_id));
    Ok(resource_policy::decide(&identity.policy, context))
}

/// The refusal of a caller whom the authorizer knows.
pub(crate) fn refusal(decision: Decision, context: &Context) -> Refused {
    let (message, cause) = match decision {
        Decision::Denied => {
            ("User is not authorized to access this resource with an explicit deny", "The client is denied explicitly")
        }
        Decision::Allowed | Decision::NotAllowed => {
            ("User is not authorized to access this resource", "The client is not authorized to perform this operation")
        }
    };
    Refused::new(ResponseType::AccessDenied, message, format!("{cause}: {}", context.method_arn()))
}

/// What the caller says of itself, one value per identity source. All of them must be there; a token must look like one.
fn identity_values(authorizer: &Authorizer, context: &Context) -> Result<Vec<String>, Refused> {
    let unauthorized = |cause: String| Refused::new(ResponseType::Unauthorized, "Unauthorized", cause);
    let mut values = Vec::new();
    for source in &authorizer.identity_sources {
        let (place, name, value) = match source {
            IdentitySource::Header(name) => ("header", name, context.header(name).map(|value| value.into_owned())),
            IdentitySource::QueryString(name) => {
                ("query-string parameter", name, context.query_parameter(name).map(str::to_owned))
            }
            IdentitySource::StageVariable(name) => {
                ("stage variable", name, context.stage_variable(name).map(str::to_owned))
            }
            IdentitySource::Context(name) => {
                ("context variable", name, context.context(name).map(|value| value.into_owned()))
            }
        };
        match value.filter(|value| !value.is_empty()) {
            Some(value) => values.push(value),
            // Without a cache, a REQUEST authorizer is asked whatever there is.
            None if authorizer.kind == AuthorizerKind::Request && authorizer.ttl.is_zero() => {}
            None => return Err(unauthorized(format!("the {place} '{name}', an identity source, is missing"))),
        }
    }
    if let (AuthorizerKind::Token, Some(validation), Some(token)) =
        (authorizer.kind, &authorizer.validation, values.first())
        && !validation.is_match(token)
    {
        return Err(unauthorized(format!("the token does not match the validation expression {validation}")));
    }
    Ok(values)
}

async fn ask(
    authorizer: &Authorizer,
    context: &Context,
    token: Option<&str>,
    functions: &dyn Functions,
    explanation: &Explanation,
) -> Result<Arc<Identity>, Refused> {
    let misconfigured = |cause: String| Refused::by_authorizer(ResponseType::AuthorizerConfigurationError, cause);
    let arn = authorizer.function.arn(&context.address.stage.stage.variables).map_err(misconfigured)?;
    let event = match authorizer.kind {
        AuthorizerKind::Token => event::token(context, token.unwrap_or_default()),
        AuthorizerKind::Request => event::request(context),
    };
    explanation
        .say(format_args!("Endpoint request URI: {}", crate::function::url(&context.address.stage.region, &arn)));
    explanation.body("Endpoint request body after transformations", &event);
    let trace_id = context.trace_id();
    let invocation = functions.invoke(&arn, Bytes::from(event), &trace_id, false);
    let invocation = tokio::time::timeout(TIMEOUT, invocation).await;
    let Ok(invocation) = invocation else {
        return Err(misconfigured(format!("the authorizer did not answer within {} seconds", TIMEOUT.as_secs())));
    };
    let Invocation { payload, function_error } = invocation.map_err(|refusal| misconfigured(refusal.to_string()))?;
    if function_error {
        return Err(answer::failure(&payload));
    }
    let identity = Identity::parse(&payload).map_err(misconfigured)?;
    if let Some(key) = &identity.usage_identifier_key {
        explanation.conceal(key);
    }
    explanation.body("Authorizer result body before parsing", &payload);
    Ok(Arc::new(identity))
}
