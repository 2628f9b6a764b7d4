//! `AWS_PROXY`: the function takes the whole request and gives the whole response.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html>

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use local_integrations::{Explain, Functions, Invocation};
use serde_json::Value;

use crate::context::{Context, milliseconds};
use crate::definition::{FunctionIntegration, Method};
use crate::explanation::Explanation;
use crate::gateway_response::{Refused, ResponseType};
use crate::policy::{Access, Decision, Policy};
use crate::{proxy_event, proxy_response};

/// Who API Gateway is to a function's policy, and what it wants.
const PRINCIPAL: &str = "apigateway.amazonaws.com";
const INVOKE: &str = "lambda:InvokeFunction";

/// Where AWS would send the invocation; for the execution log.
pub(crate) fn url(region: &str, arn: &str) -> String {
    format!("https://lambda.{region}.amazonaws.com/2015-03-31/functions/{arn}/invocations")
}

/// Invokes the function, and makes its answer the response.
pub(crate) async fn call(
    integration: &FunctionIntegration,
    method: &Method,
    context: &mut Context,
    functions: &dyn Functions,
    policies: &HashMap<String, Option<Result<Policy, String>>>,
    explanation: &Explanation,
) -> Result<Response<Bytes>, Refused> {
    let stage = Arc::clone(&context.address.stage);
    let misconfigured =
        |cause: String| Refused::internal(500, format!("Execution failed due to configuration error: {cause}"));
    let arn = integration.uri.arn(&stage.stage.variables).map_err(misconfigured)?;
    if let Some(policy) = policies.get(arn.as_ref()) {
        check_permission(policy.as_ref(), &arn, method, context).map_err(misconfigured)?;
    }
    let event = Bytes::from(proxy_event::write(context));
    explanation.say(format_args!("Endpoint request URI: {}", url(&stage.region, &arn)));
    explanation.body("Endpoint request body after transformations", &event);
    explanation.say(format_args!("Sending request to {}", url(&stage.region, &arn)));
    let started = Instant::now();
    let trace_id = context.trace_id().into_owned();
    let invocation = functions.invoke(&arn, event, &trace_id, integration.event_invocation);
    let invocation = tokio::time::timeout(integration.timeout, invocation).await;
    context.integration.latency = Some(started.elapsed());
    let result = match invocation {
        Ok(Ok(invocation)) => answered(&invocation, integration, context, explanation),
        Ok(Err(refusal)) => {
            context.integration.service_status = Some(refusal.status);
            // Lambda's limit is lower than API Gateway's own, and means the same to the client.
            if refusal.status == 413 {
                Err(Refused::new(ResponseType::RequestTooLarge, "Request Too Long", refusal.to_string()))
            } else {
                // Whatever Lambda refuses is an internal error to the client, 429 too.
                // https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway.html
                Err(misconfigured(refusal.to_string()))
            }
        }
        Err(_) => {
            let waited = milliseconds(integration.timeout);
            let cause = format!("Execution failed due to a timeout error: no answer within {waited} ms");
            Err(Refused::new(ResponseType::IntegrationTimeout, "Endpoint request timed out", cause))
        }
    };
    if let Err(refused) = &result {
        context.integration.error = refused.message().map(str::to_owned);
    }
    result
}

fn answered(
    invocation: &Invocation,
    integration: &FunctionIntegration,
    context: &mut Context,
    explanation: &Explanation,
) -> Result<Response<Bytes>, Refused> {
    let latency = milliseconds(context.integration.latency.unwrap_or_default());
    context.integration.service_status = Some(if integration.event_invocation { 202 } else { 200 });
    explanation.say(format_args!("Received response. Status: 200, Integration latency: {latency} ms"));
    explanation.body("Endpoint response body before transformations", &invocation.payload);
    if integration.event_invocation {
        return Ok(Response::new(Bytes::new()));
    }
    if invocation.function_error {
        let error: Value = serde_json::from_slice(&invocation.payload).unwrap_or_default();
        let message = error["errorMessage"].as_str().unwrap_or("it gave no message");
        let cause = format!("Lambda execution failed with status 200 due to customer function error: {message}");
        return Err(Refused::internal(502, cause));
    }
    let accept = context.header("accept");
    let types = &context.address.stage.api.binary_media_types;
    let response = proxy_response::read(&invocation.payload, types, accept.as_deref()).map_err(|problem| {
        let cause = format!("Execution failed due to configuration error: Malformed Lambda proxy response: {problem}");
        Refused::internal(502, cause)
    })?;
    context.integration.status = Some(response.status().as_u16());
    Ok(response)
}

/// API Gateway invokes with the permission that the function's own policy gives it, for the method as the API has it.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-control-access-using-iam-policies-to-invoke-api.html>
fn check_permission(
    policy: Option<&Result<Policy, String>>,
    arn: &str,
    method: &Method,
    context: &Context,
) -> Result<(), String> {
    let invalid = || format!("Invalid permissions on Lambda function {arn}");
    let policy = policy.ok_or_else(invalid)?.as_ref().map_err(|problem| format!("{}: {problem}", invalid()))?;
    let resource_path = context.route.as_ref().map_or("/", |route| route.resource.path.as_str());
    // With variables as they are: the author of a policy writes a star in their place, and for `ANY`.
    let source_arn = context.address.stage.method_arn(&method.verb, resource_path);
    let condition_key = |key: &str| match key {
        "aws:sourcearn" => Some(source_arn.clone()),
        "aws:sourceaccount" => Some(context.address.stage.account_id.clone()),
        _ => None,
    };
    // The policy of an alias or a version names it; the function's own is that of $LATEST.
    let latest = arn.strip_suffix(":$LATEST").unwrap_or(arn);
    let access =
        Access { principal: Some(PRINCIPAL), action: INVOKE, resources: &[arn, latest], condition_key: &condition_key };
    match policy.decide(&access) {
        Decision::Allowed => Ok(()),
        Decision::NotAllowed | Decision::Denied => Err(format!("{}: nothing allows {source_arn}", invalid())),
    }
}
