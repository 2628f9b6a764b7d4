//! Invoke over HTTP. <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>

use std::fmt;
use std::pin::pin;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Body;
use percent_encoding::percent_decode_str;
use serde_json::json;
use uuid::Uuid;

use crate::invocation::{InvocationType, InvokeRequest, Refusal};
use crate::limits::{DISCARDED_BYTES, REQUEST_BYTES};
use crate::service::Lambda;

const PREFIX: &str = "/2015-03-31/functions/";
const SUFFIX: &str = "/invocations";

const INVOCATION_TYPE: HeaderName = HeaderName::from_static("x-amz-invocation-type");
const LOG_TYPE: HeaderName = HeaderName::from_static("x-amz-log-type");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("x-amz-client-context");
const TRACE_ID: HeaderName = HeaderName::from_static("x-amzn-trace-id");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
const ERROR_TYPE: HeaderName = HeaderName::from_static("x-amzn-errortype");

pub(crate) async fn handle<B>(lambda: &Lambda, request: Request<B>) -> Response<Full<Bytes>>
where
    B: Body<Data = Bytes>,
    B::Error: fmt::Display,
{
    invoke(lambda, request).await.unwrap_or_else(|refusal| refuse(&refusal))
}

async fn invoke<B>(lambda: &Lambda, request: Request<B>) -> Result<Response<Full<Bytes>>, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: fmt::Display,
{
    let (parts, body) = request.into_parts();
    let function = parts.uri.path().strip_prefix(PREFIX).and_then(|rest| rest.strip_suffix(SUFFIX));
    let Some(function) = function.filter(|_| parts.method == Method::POST) else {
        return Err(unknown_operation(&parts.method, parts.uri.path()));
    };
    let function = decode(function);
    let qualifier = parts.uri.query().into_iter().flat_map(|query| query.split('&'));
    let qualifier = qualifier.filter_map(|pair| pair.strip_prefix("Qualifier=")).map(decode).next();
    let kind = choice(&parts.headers, &INVOCATION_TYPE, "RequestResponse, Event, DryRun", InvocationType::parse)?;
    let kind = kind.unwrap_or(InvocationType::RequestResponse);
    let log_tail = choice(&parts.headers, &LOG_TYPE, "None, Tail", |text| match text {
        "None" => Some(false),
        "Tail" => Some(true),
        _ => None,
    })?;
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let request = InvokeRequest {
        payload: read(body, kind).await?,
        qualifier,
        trace_id: text(TRACE_ID),
        client_context: text(CLIENT_CONTEXT),
        log_tail: log_tail.unwrap_or(false),
    };

    match kind {
        InvocationType::DryRun => {
            lambda.dry_run(&function, &request)?;
            Ok(respond(StatusCode::NO_CONTENT, Bytes::new(), &Uuid::new_v4().to_string()))
        }
        InvocationType::Event => {
            let request_id = lambda.invoke_event(&function, request)?;
            Ok(respond(StatusCode::ACCEPTED, Bytes::new(), &request_id))
        }
        InvocationType::RequestResponse => {
            let invocation = lambda.invoke(&function, request).await?;
            let mut response = respond(StatusCode::OK, invocation.payload, &invocation.request_id);
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            put(headers, EXECUTED_VERSION, &invocation.executed_version);
            put(headers, TRACE_ID, &invocation.trace_id);
            if invocation.function_error {
                headers.insert(FUNCTION_ERROR, HeaderValue::from_static("Unhandled"));
            }
            if let Some(tail) = invocation.log_tail {
                put(headers, LOG_RESULT, &BASE64_STANDARD.encode(tail));
            }
            Ok(response)
        }
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// A header that may have one of few values.
fn choice<T>(
    headers: &HeaderMap,
    name: &HeaderName,
    choices: &str,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Refusal> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let parsed = value.to_str().ok().and_then(parse);
    let refusal = || Refusal::invalid_parameter(format!("{name} is {value:?}; it can be one of {choices}"));
    parsed.map(Some).ok_or_else(refusal)
}

/// Reads to the end, but keeps no more than any invocation may have: who is still sending does not read a refusal.
async fn read<B>(body: B, kind: InvocationType) -> Result<Bytes, Refusal>
where
    B: Body<Data = Bytes>,
    B::Error: fmt::Display,
{
    let mut body = pin!(body);
    let mut payload = BytesMut::new();
    let mut length = 0;
    while length <= DISCARDED_BYTES {
        let Some(frame) = body.frame().await else { break };
        let frame = frame.map_err(|error| Refusal::invalid_parameter(format!("the payload broke off: {error}")))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length <= REQUEST_BYTES {
            payload.extend_from_slice(&data);
        }
    }
    if length > REQUEST_BYTES { Err(Refusal::too_large(length, kind)) } else { Ok(payload.freeze()) }
}

fn unknown_operation(method: &Method, path: &str) -> Refusal {
    Refusal {
        status: StatusCode::NOT_FOUND,
        code: "UnknownOperationException",
        message: format!("{method} {path} is not Invoke: POST {PREFIX}{{function}}{SUFFIX}"),
        reason: None,
    }
}

/// In the member names of Lambda's model: these two errors have a capital in `Message`.
fn refuse(refusal: &Refusal) -> Response<Full<Bytes>> {
    let side = if refusal.status.is_server_error() { "Service" } else { "User" };
    let message = match refusal.code {
        "ResourceNotFoundException" | "ServiceException" => "Message",
        _ => "message",
    };
    let mut body = json!({"Type": side, message: refusal.message});
    if let Some(reason) = refusal.reason {
        body["Reason"] = reason.into();
    }
    let mut response = respond(refusal.status, Bytes::from(body.to_string()), &Uuid::new_v4().to_string());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ERROR_TYPE, HeaderValue::from_static(refusal.code));
    response
}

fn respond(status: StatusCode, body: Bytes, request_id: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    put(response.headers_mut(), REQUEST_ID, request_id);
    response
}

/// Versions, ids and base64 are always fit for a header; a trace id came by one.
fn put(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if let Ok(value) = HeaderValue::from_str(text) {
        headers.insert(name, value);
    }
}
