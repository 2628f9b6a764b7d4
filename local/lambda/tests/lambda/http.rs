//! Invoke as an AWS SDK calls it.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

use crate::harness::{ARN, Bench, eventually, latest};

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn post(bench: &Bench, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    let mut request = Request::builder().method(Method::POST).uri(format!("http://127.0.0.1{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = bench.lambda.handle(request.body(Full::new(body.into())).unwrap()).await;
    let (parts, body) = response.into_parts();
    Answer { status: parts.status, headers: parts.headers, body: body.collect().await.unwrap().to_bytes() }
}

const PATH: &str = "/2015-03-31/functions/f/invocations";

#[tokio::test]
async fn request_and_response() {
    let bench = Bench::with(latest()).await;
    let trace_id = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0";
    let answer = post(&bench, PATH, &[("X-Amzn-Trace-Id", trace_id)], r#"{"a":1}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["event"], json!({"a": 1}));
    assert_eq!(answer.header("x-amz-executed-version"), Some("$LATEST"));
    assert_eq!(answer.header("x-amzn-trace-id"), Some(trace_id));
    assert_eq!(answer.header("x-amz-function-error"), None);
    assert_eq!(answer.header("x-amz-log-result"), None);
    assert_eq!(answer.header("x-amzn-requestid").map(str::len), Some(36));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn every_form_of_a_name() {
    let bench = Bench::with(latest()).await;
    let encoded = ARN.replace(':', "%3A");
    for function in [
        "f".to_owned(),
        "f:$LATEST".to_owned(),
        "f%3A%24LATEST".to_owned(),
        format!("{ARN}:f"),
        format!("{encoded}%3Af"),
        "123456789012:function:f".to_owned(),
    ] {
        let answer = post(&bench, &format!("/2015-03-31/functions/{function}/invocations"), &[], "{}").await;
        assert_eq!(answer.status, 200, "{function}");
    }
    let answer = post(&bench, &format!("{PATH}?Qualifier=%24LATEST"), &[], r#"{"do":"headers"}"#).await;
    assert_eq!(answer.json()["lambda-runtime-invoked-function-arn"], format!("{ARN}:f:$LATEST"));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_error_with_the_tail_of_its_log() {
    let bench = Bench::with(latest()).await;
    let answer = post(&bench, PATH, &[("X-Amz-Log-Type", "Tail")], r#"{"do":"error"}"#).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("x-amz-function-error"), Some("Unhandled"));
    assert_eq!(answer.json()["errorType"], "Fixture.Broken");
    let tail = BASE64_STANDARD.decode(answer.header("x-amz-log-result").unwrap()).unwrap();
    let tail = String::from_utf8(tail).unwrap();
    let id = answer.header("x-amzn-requestid").unwrap();
    assert!(tail.starts_with(&format!("START RequestId: {id}")), "{tail}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_dry_run_runs_nothing() {
    let bench = Bench::with(latest()).await;
    let answer = post(&bench, PATH, &[("X-Amz-Invocation-Type", "DryRun")], "{}").await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::NO_CONTENT, 0));
    let answer = post(&bench, "/2015-03-31/functions/g/invocations", &[("X-Amz-Invocation-Type", "DryRun")], "").await;
    assert_eq!(answer.status, 404);
    assert_eq!(bench.pids(), [0; 0]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_event_is_accepted_and_processed_later() {
    let bench = Bench::with(latest()).await;
    let answer = post(&bench, PATH, &[("X-Amz-Invocation-Type", "Event")], "{}").await;
    assert_eq!((answer.status, answer.body.len()), (StatusCode::ACCEPTED, 0));
    eventually("it was processed", || bench.lambda.reports().len() == 1).await;
    assert_eq!(Some(bench.lambda.reports()[0].request_id.as_str()), answer.header("x-amzn-requestid"));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn refusals() {
    let bench = Bench::with(latest()).await;
    let large = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let event = [("X-Amz-Invocation-Type", "Event")];
    let mb = 1024 * 1024;
    for (path, headers, body, status, code, member, message) in [
        (
            "/2015-03-31/functions/g/invocations",
            &[][..],
            "{}".to_owned(),
            404,
            "ResourceNotFoundException",
            "Message",
            format!("Function not found: {ARN}:g"),
        ),
        (
            PATH,
            &[],
            "{\"a\":".to_owned(),
            400,
            "InvalidRequestContentException",
            "message",
            "Could not parse request body into json: EOF while parsing a value at line 1 column 5".to_owned(),
        ),
        (
            PATH,
            &[],
            large(6 * mb + 1),
            413,
            "RequestTooLargeException",
            "message",
            "6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"
                .to_owned(),
        ),
        (
            PATH,
            &event,
            large(mb + 1),
            413,
            "RequestTooLargeException",
            "message",
            "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)".to_owned(),
        ),
        (
            PATH,
            &[("X-Amz-Invocation-Type", "Later")],
            "{}".to_owned(),
            400,
            "InvalidParameterValueException",
            "message",
            "x-amz-invocation-type is \"Later\"; it can be one of RequestResponse, Event, DryRun".to_owned(),
        ),
        (
            "/2015-03-31/functions/f",
            &[],
            "{}".to_owned(),
            404,
            "UnknownOperationException",
            "message",
            "POST /2015-03-31/functions/f is not Invoke: POST /2015-03-31/functions/{function}/invocations".to_owned(),
        ),
    ] {
        let answer = post(&bench, path, headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-amzn-errortype")), (status, Some(code)), "{path}");
        assert_eq!(answer.json(), json!({"Type": "User", member: message}));
    }
    let answer = post(&bench, PATH, &[], large(6 * mb)).await;
    assert_eq!(answer.status, 200, "the largest that is allowed");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn too_many_requests_say_which_limit() {
    let bench = Bench::with(latest()).await;
    let stopped =
        local_lambda::Function { reserved_concurrency: Some(0), ..crate::harness::function("f", vec![latest()]) };
    bench.serve(vec![stopped]);
    let answer = post(&bench, PATH, &[], "{}").await;
    assert_eq!(answer.status, 429);
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    assert_eq!(answer.json(), json!({"Type": "User", "message": "Rate Exceeded.", "Reason": reason}));
    bench.lambda.shutdown().await;
}
