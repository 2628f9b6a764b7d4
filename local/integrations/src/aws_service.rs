//! AWS: a request to a service's API, signed with the integration's role. The control plane stands for every service.
//!
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html>

use std::collections::{BTreeMap, HashSet};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use local_aws_api::AwsApi;
use serde_json::{Value, json};

use crate::integration_request::IntegrationRequest;
use crate::method_response::EndpointResponse;
use crate::uri::{FUNCTIONS_PATH, INVOCATIONS, ServiceCall, ServiceUri, UriTemplate, with_query};
use crate::{Explain, Failure, Functions, Refusal};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
/// On the answer of a function that failed.
pub(crate) const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const IAM_VERSION: &str = "2010-05-08";

/// The type of a query.
const FORM: &str = "application/x-www-form-urlencoded";

/// Services of whose operations API Gateway knows that they are called by JSON: the prefix of `X-Amz-Target`, and the
/// protocol's version. Every other `action` is a query: `Action=NAME`. (EventBridge is none of these in AWS either: its
/// integrations map `X-Amz-Target` themselves.)
const JSON_SERVICES: [(&str, &str, &str); 9] = [
    ("cognito-idp", "AWSCognitoIdentityProviderService", "1.1"),
    ("dynamodb", "DynamoDB_20120810", "1.0"),
    ("firehose", "Firehose_20150804", "1.1"),
    ("kinesis", "Kinesis_20131202", "1.1"),
    ("kms", "TrentService", "1.1"),
    ("logs", "Logs_20140328", "1.1"),
    ("secretsmanager", "secretsmanager", "1.1"),
    ("ssm", "AmazonSSM", "1.1"),
    ("states", "AWSStepFunctions", "1.0"),
];

/// Roles that were there when they were first needed: asking again for each request would double its calls.
#[derive(Debug, Default)]
pub(crate) struct Roles(Mutex<HashSet<String>>);

impl Roles {
    /// Sees to it that the role of the integration exists.
    ///
    /// # Errors
    /// A service takes no request without a role, nor with one that cannot be assumed.
    pub async fn require(&self, credentials: Option<&str>, aws: &AwsApi) -> Result<(), Failure> {
        let Some(arn) = credentials else {
            return Err(Failure::ApiConfiguration(
                "The integration has no IAM role: give `credentials` the ARN of one that may call the service"
                    .to_owned(),
            ));
        };
        // `arn:aws:iam::*:user/*`: whoever calls; nobody here has credentials of their own.
        let Some((_, name)) = arn.split_once(":role/") else { return Ok(()) };
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(arn) {
            return Ok(());
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        match aws.query("iam", IAM_VERSION, "GetRole", &[("RoleName", name)]).await {
            Ok(_) => {
                self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned());
                Ok(())
            }
            Err(cause) if cause.code().is_some_and(|code| code.contains("NoSuchEntity")) => {
                Err(Failure::ApiConfiguration(format!(
                    "API Gateway does not have permission to assume the provided role {arn}: there is no such role"
                )))
            }
            Err(cause) => Err(Failure::IntegrationFailure(cause.to_string())),
        }
    }
}

/// Calls the service, or the function.
pub(crate) async fn call(
    uri: &ServiceUri,
    request: IntegrationRequest,
    stage_variables: &BTreeMap<String, String>,
    aws: &AwsApi,
    functions: &dyn Functions,
    explain: &dyn Explain,
) -> Result<EndpointResponse, Failure> {
    let expanded =
        |template: &UriTemplate| template.expand(&request.path, stage_variables).map_err(Failure::ApiConfiguration);
    match &uri.call {
        ServiceCall::Invoke(arn) => {
            let arn = expanded(arn)?;
            let region = aws.region();
            let address = format!("https://lambda.{region}.amazonaws.com/{FUNCTIONS_PATH}{arn}{INVOCATIONS}");
            request.explain(format_args!("{address}"), explain);
            invoke(&arn, request, functions).await
        }
        ServiceCall::Path(path) => {
            let path = expanded(path)?;
            let path = match (&uri.subdomain, uri.service.as_str()) {
                // The control plane has one host: a bucket is named in the path.
                (Some(bucket), "s3") => format!("/{bucket}/{path}"),
                _ => format!("/{path}"),
            };
            send(uri, &path, request, aws, explain).await
        }
        ServiceCall::Action(action) => {
            let action = expanded(action)?;
            let mut request = request;
            match JSON_SERVICES.iter().find(|(service, ..)| *service == uri.service) {
                Some((_, prefix, version)) => {
                    let target = header(&format!("{prefix}.{action}"))?;
                    request.headers.insert(TARGET, target);
                    speak(
                        &mut request.headers,
                        "application/x-amz-json",
                        &format!("application/x-amz-json-{version}"),
                    )?;
                }
                None => {
                    request.query.insert(0, ("Action".to_owned(), action));
                    speak(&mut request.headers, FORM, FORM)?;
                }
            }
            send(uri, "/", request, aws, explain).await
        }
    }
}

/// Names the protocol as the body's type. A client's own type, which is passed on where none is mapped, says nothing to a
/// service.
fn speak(headers: &mut HeaderMap, protocol: &str, content_type: &str) -> Result<(), Failure> {
    let named = headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if !named.starts_with(protocol.as_bytes()) {
        headers.insert(CONTENT_TYPE, header(content_type)?);
    }
    Ok(())
}

fn header(text: &str) -> Result<HeaderValue, Failure> {
    let value = HeaderValue::from_str(text);
    value.map_err(|_| Failure::ApiConfiguration(format!("'{text}' is no name of an operation")))
}

async fn send(
    uri: &ServiceUri,
    path: &str,
    request: IntegrationRequest,
    aws: &AwsApi,
    explain: &dyn Explain,
) -> Result<EndpointResponse, Failure> {
    let target = with_query(path.to_owned(), &request.query);
    let service = &uri.service;
    request.explain(format_args!("https://{service}.{}.amazonaws.com{target}", aws.region()), explain);
    let mut sent = Request::new(request.body);
    *sent.method_mut() = request.method;
    *sent.uri_mut() = target
        .parse()
        .map_err(|cause| Failure::ApiConfiguration(format!("Invalid endpoint address {target}: {cause}")))?;
    *sent.headers_mut() = request.headers;
    let answer = aws.send(service, sent).await.map_err(|cause| Failure::IntegrationFailure(cause.to_string()))?;
    Ok(EndpointResponse::new(answer))
}

async fn invoke(
    arn: &str,
    request: IntegrationRequest,
    functions: &dyn Functions,
) -> Result<EndpointResponse, Failure> {
    if request.method != Method::POST {
        return Err(Failure::ApiConfiguration(format!(
            "Lambda is invoked by POST, not by {}: give the integration `httpMethod: POST`",
            request.method
        )));
    }
    let is_event = request.headers.get(&INVOCATION_TYPE).is_some_and(|value| value == "Event");
    let trace_id = request.trace_id().to_owned();
    match functions.invoke(arn, request.body, &trace_id, is_event).await {
        Ok(invocation) => {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            if invocation.function_error {
                headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
            }
            let status = if is_event { StatusCode::ACCEPTED } else { StatusCode::OK };
            // Of a function, the error message selects the response; one that succeeded has none.
            let selection = if invocation.function_error { error_message(&invocation.payload) } else { String::new() };
            Ok(EndpointResponse { status, headers, body: invocation.payload, selection })
        }
        Err(refusal) => refused(arn, refusal),
    }
}

/// A function that API Gateway may not invoke, or that is not there, is a mistake in the API. Any other refusal is an
/// answer, whose status selects the response.
fn refused(arn: &str, refusal: Refusal) -> Result<EndpointResponse, Failure> {
    match StatusCode::from_u16(refusal.status) {
        Ok(StatusCode::NOT_FOUND | StatusCode::FORBIDDEN) | Err(_) => {
            Err(Failure::ApiConfiguration(format!("Invalid permissions on Lambda function {arn}: {refusal}")))
        }
        Ok(status) => {
            let body = json!({"Type": "User", "message": refusal.message}).to_string();
            let mut response = Response::new(Bytes::from(body));
            *response.status_mut() = status;
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            Ok(EndpointResponse::new(response))
        }
    }
}

fn error_message(payload: &[u8]) -> String {
    let payload: Value = serde_json::from_slice(payload).unwrap_or_default();
    payload.get("errorMessage").and_then(Value::as_str).unwrap_or_default().to_owned()
}
