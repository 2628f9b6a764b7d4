//! The Runtime API of one instance, version 2018-06-01.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>. Each instance has a port of its own, because runtimes
//! take the address as `host:port`, and so a request needs nothing else to say whose it is.

use std::convert::Infallible;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tracing::debug;

use crate::failure::{self, RESPONSE_TOO_LARGE};
use crate::instance::{Answer, Event, Instance, Misuse};
use crate::limits::{DISCARDED_BYTES, RESPONSE_BYTES};
use crate::pool::{Lease, Pool};

const PREFIX: &str = "/2018-06-01/runtime/";
const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");

/// Of an error that comes without a name.
const UNKNOWN_ERROR: &str = "Runtime.Unknown";

/// Serves one connection, until the process closes it.
pub(crate) async fn serve(stream: TcpStream, instance: Arc<Instance>, pool: Arc<Pool>) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(target: "lambda", %error, "Runtime API: TCP_NODELAY");
    }
    let service = service_fn(|request| {
        let (instance, pool) = (Arc::clone(&instance), Arc::clone(&pool));
        async move { Ok::<_, Infallible>(answer(request, instance, pool).await) }
    });
    // A process that ends in the middle of a request is no news: whoever watches the process tells what became of it.
    if let Err(error) = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await {
        debug!(target: "lambda", function = %pool.function, %error, "Runtime API: connection");
    }
}

async fn answer(request: Request<Incoming>, instance: Arc<Instance>, pool: Arc<Pool>) -> Response<Full<Bytes>> {
    let (parts, body) = request.into_parts();
    let route = parts.uri.path().strip_prefix(PREFIX).map(|rest| rest.split('/').collect::<Vec<_>>());
    match (&parts.method, route.as_deref()) {
        (&Method::GET, Some(["invocation", "next"])) => next(instance, pool).await,
        (&Method::POST, Some(["invocation", id, "response"])) => match read(body).await {
            Ok(body) => response(&instance, &pool, id, body),
            Err(error) => unreadable(&error),
        },
        (&Method::POST, Some(["invocation", id, "error"])) => match read(body).await {
            Ok(body) => invocation_error(&instance, &pool, id, body, &parts.headers),
            Err(error) => unreadable(&error),
        },
        (&Method::POST, Some(["init", "error"])) => match read(body).await {
            Ok(body) => init_error(&instance, body, &parts.headers),
            Err(error) => unreadable(&error),
        },
        _ => plain(StatusCode::NOT_FOUND, Bytes::from_static(b"404 page not found\n")),
    }
}

async fn next(instance: Arc<Instance>, pool: Arc<Pool>) -> Response<Full<Bytes>> {
    let (_polling, first) = match instance.poll() {
        Ok(polling) => polling,
        Err(misuse) => return refusal(misuse),
    };
    let (poll, event) = oneshot::channel();
    pool.offer(Lease { instance: Arc::clone(&instance), poll }, first);
    match event.await {
        Ok(event) => deliver(event),
        // The pool has let go of the instance: its process is about to be ended.
        Err(_) => std::future::pending().await,
    }
}

fn deliver(event: Event) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(event.payload));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let texts = [
        (REQUEST_ID, Some(event.request_id.to_string())),
        (DEADLINE_MS, Some(event.deadline_ms.to_string())),
        (FUNCTION_ARN, Some(event.function_arn)),
        (TRACE_ID, Some(event.trace_id)),
        (CLIENT_CONTEXT, event.client_context),
    ];
    for (name, text) in texts {
        // Whatever came in by a header can go out by one; the others are made here.
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn response(instance: &Instance, pool: &Pool, id: &str, body: Body) -> Response<Full<Bytes>> {
    let answer = match body {
        Body::Whole(body) => Answer::Response(body),
        Body::TooLarge(length) if instance.is_running(id) => {
            let payload = failure::response_too_large(length);
            let answer = Answer::FunctionError { payload: payload.clone(), error_type: RESPONSE_TOO_LARGE.to_owned() };
            return match instance.answer(id, answer, pool) {
                Ok(()) => too_large(),
                Err(misuse) => refusal(misuse),
            };
        }
        Body::TooLarge(_) => return refusal(Misuse::RequestId),
    };
    accepted(instance.answer(id, answer, pool))
}

fn invocation_error(
    instance: &Instance,
    pool: &Pool,
    id: &str,
    body: Body,
    headers: &HeaderMap,
) -> Response<Full<Bytes>> {
    let Body::Whole(body) = body else { return too_large() };
    let (payload, error_type) = error(body, headers);
    accepted(instance.answer(id, Answer::FunctionError { payload, error_type }, pool))
}

fn init_error(instance: &Instance, body: Body, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let Body::Whole(body) = body else { return too_large() };
    let (payload, error_type) = error(body, headers);
    accepted(instance.fail_init(payload, error_type))
}

/// What the function said of its error, and the error's type: the header's, or the payload's. Without a payload, Lambda
/// makes one of the header.
fn error(body: Bytes, headers: &HeaderMap) -> (Bytes, String) {
    let header = headers.get(ERROR_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let named = || {
        let payload: Value = serde_json::from_slice(&body).ok()?;
        payload.get("errorType")?.as_str().map(str::to_owned)
    };
    let error_type = header.or_else(named).unwrap_or_else(|| UNKNOWN_ERROR.to_owned());
    let payload =
        if body.is_empty() { Bytes::from(serde_json::json!({"errorType": error_type}).to_string()) } else { body };
    (payload, error_type)
}

enum Body {
    Whole(Bytes),
    /// So many bytes were seen.
    TooLarge(usize),
}

/// Reads a body to its end, but keeps no more than is allowed: who is still sending does not read a refusal.
async fn read(mut body: Incoming) -> Result<Body, hyper::Error> {
    let mut first = Bytes::new();
    let mut more = BytesMut::new();
    let mut length = 0;
    while length <= DISCARDED_BYTES {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame?.into_data() else { continue };
        length += data.len();
        if length > RESPONSE_BYTES {
            more.clear();
        } else if first.is_empty() && more.is_empty() {
            // Most bodies come in one piece, and need no copy.
            first = data;
        } else {
            if more.is_empty() {
                more.extend_from_slice(&first);
            }
            more.extend_from_slice(&data);
        }
    }
    Ok(if length > RESPONSE_BYTES {
        Body::TooLarge(length)
    } else if more.is_empty() {
        Body::Whole(first)
    } else {
        Body::Whole(more.freeze())
    })
}

fn accepted(outcome: Result<(), Misuse>) -> Response<Full<Bytes>> {
    match outcome {
        Ok(()) => json(StatusCode::ACCEPTED, Bytes::from_static(br#"{"status":"OK"}"#)),
        Err(misuse) => refusal(misuse),
    }
}

fn refusal(misuse: Misuse) -> Response<Full<Bytes>> {
    match misuse {
        Misuse::RequestId => json(StatusCode::BAD_REQUEST, failure::error("InvalidRequestID", "Invalid request ID")),
        Misuse::Transition => {
            let message = "The runtime is not in a state in which this call is allowed";
            json(StatusCode::FORBIDDEN, failure::error("InvalidStateTransition", message))
        }
    }
}

fn too_large() -> Response<Full<Bytes>> {
    let message = format!("Exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes).");
    json(StatusCode::PAYLOAD_TOO_LARGE, failure::error("RequestEntityTooLarge", &message))
}

fn unreadable(error: &hyper::Error) -> Response<Full<Bytes>> {
    json(StatusCode::BAD_REQUEST, failure::error("InvalidRequest", &format!("the body broke off: {error}")))
}

fn json(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = plain(status, body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn plain(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
