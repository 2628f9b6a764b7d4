//! Invocations that nobody waits for.

use std::time::Duration;

use local_lambda::{EventInvokeConfig, Function, FunctionVersion, Settings};
use serde_json::{Value, json};

use crate::harness::{ARN, Bench, eventually, function, latest, request};

async fn bench() -> Bench {
    let waits = [Duration::from_millis(1), Duration::from_millis(2)];
    Bench::new(Settings { event_retry_waits: waits, throttle_waits: waits, ..Settings::default() }).await
}

fn configured(config: EventInvokeConfig, version: FunctionVersion) -> Function {
    Function { event_invoke: [("$LATEST".to_owned(), config)].into(), ..function("f", vec![version]) }
}

/// The only message in a queue, when it is there.
async fn message(bench: &Bench, queue: &str) -> Value {
    eventually("a message", || bench.control_plane.messages(queue).len() == 1).await;
    serde_json::from_str(&bench.control_plane.messages(queue)[0].0).unwrap()
}

#[tokio::test]
async fn three_attempts_with_one_request_id() {
    let bench = bench().await;
    bench.serve(vec![function("f", vec![latest()])]);
    let (log, never) = (bench.file("log"), bench.file("never"));
    let event = json!({"do": "fail-unless", "exists": never, "log": log});
    let id = bench.lambda.invoke_event("f", request(event)).unwrap();
    eventually("three attempts", || bench.lambda.reports().len() == 3).await;
    // What would come after it comes after the fourth attempt that is not made.
    bench.lambda.invoke_event("f", request(json!({}))).unwrap();
    eventually("the next event", || bench.lambda.reports().len() == 4).await;
    assert_eq!(std::fs::read_to_string(log).unwrap(), format!("{id}\n").repeat(3));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_failure_that_passes() {
    let bench = bench().await;
    let on_success = bench.control_plane.add_queue("done", 30);
    bench.serve(vec![configured(
        EventInvokeConfig { on_success: Some(on_success), ..EventInvokeConfig::default() },
        latest(),
    )]);
    let file = bench.file("log");
    let event = json!({"do": "fail-unless", "exists": file, "log": file});
    let id = bench.lambda.invoke_event("f", request(event.clone())).unwrap();
    let record = message(&bench, "done").await;
    assert_eq!(record["requestContext"]["condition"], "Success");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(record["requestContext"]["requestId"], *id);
    assert_eq!(record["requestContext"]["functionArn"], format!("{ARN}:f:$LATEST"));
    assert_eq!(record["requestPayload"], event);
    assert_eq!(record["responseContext"], json!({"statusCode": 200, "executedVersion": "$LATEST"}));
    assert_eq!(record["responsePayload"]["count"], 2);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_failure_that_does_not_ends_at_its_destination_and_in_the_dead_letter_queue() {
    let bench = bench().await;
    let on_failure = bench.control_plane.add_queue("failed", 30);
    let dead_letters = bench.control_plane.add_queue("dead", 30);
    bench.serve(vec![configured(
        EventInvokeConfig { maximum_retry_attempts: 1, on_failure: Some(on_failure), ..EventInvokeConfig::default() },
        FunctionVersion { dead_letter_target: Some(dead_letters), ..latest() },
    )]);
    let event = json!({"do": "error"});
    let id = bench.lambda.invoke_event("f", request(event.clone())).unwrap();
    let record = message(&bench, "failed").await;
    assert_eq!(record["version"], "1.0");
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 2);
    assert_eq!(record["responseContext"]["functionError"], "Unhandled");
    assert_eq!(record["responsePayload"]["errorType"], "Fixture.Broken");
    assert_eq!(message(&bench, "dead").await, event);
    let attributes = &bench.control_plane.attributes("dead")[0];
    assert_eq!(attributes["RequestID"], json!({"DataType": "String", "StringValue": *id}));
    assert_eq!(attributes["ErrorCode"], json!({"DataType": "Number", "StringValue": "200"}));
    assert_eq!(attributes["ErrorMessage"], json!({"DataType": "String", "StringValue": "it broke"}));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_topic_as_dead_letter_target() {
    let bench = bench().await;
    let topic = "arn:aws:sns:eu-west-1:123456789012:dead".to_owned();
    bench.serve(vec![configured(
        EventInvokeConfig { maximum_retry_attempts: 0, ..EventInvokeConfig::default() },
        FunctionVersion { dead_letter_target: Some(topic), ..latest() },
    )]);
    bench.lambda.invoke_event("f", request(json!({"do": "error"}))).unwrap();
    eventually("it is published", || bench.control_plane.published().len() == 1).await;
    let form = &bench.control_plane.published()[0];
    assert!(form.contains("TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A123456789012%3Adead"), "{form}");
    assert!(form.contains("Message=%7B%22do%22%3A%22error%22%7D"), "{form}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_as_destination() {
    let bench = bench().await;
    let config = EventInvokeConfig { on_success: Some(format!("{ARN}:g")), ..EventInvokeConfig::default() };
    bench.serve(vec![configured(config, latest()), function("g", vec![latest()])]);
    bench.lambda.invoke_event("f", request(json!({}))).unwrap();
    eventually("the other function ran", || bench.lambda.reports().iter().any(|report| &*report.function == "g")).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn throttled_events_wait_and_do_not_count_as_attempts() {
    let bench = bench().await;
    bench.serve(vec![Function { reserved_concurrency: Some(1), ..function("f", vec![latest()]) }]);
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    bench.lambda.invoke_event("f", request(json!({}))).unwrap();
    assert_eq!(bench.lambda.reports().len(), 0);
    std::fs::write(&file, "").unwrap();
    task.await.unwrap().unwrap();
    eventually("the event ran, too", || bench.lambda.reports().len() == 2).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_event_that_has_become_too_old() {
    let bench = bench().await;
    let on_failure = bench.control_plane.add_queue("failed", 30);
    let config = EventInvokeConfig {
        maximum_event_age: Duration::from_millis(20),
        on_failure: Some(on_failure),
        ..EventInvokeConfig::default()
    };
    let stopped = |reserved| Function { reserved_concurrency: Some(reserved), ..configured(config.clone(), latest()) };
    bench.serve(vec![stopped(1)]);
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    bench.lambda.invoke_event("f", request(json!("old"))).unwrap();
    let record = message(&bench, "failed").await;
    assert_eq!(record["requestContext"]["condition"], "EventAgeExceeded");
    assert_eq!(record["requestContext"]["approximateInvokeCount"], 0);
    assert_eq!(record["requestPayload"], "old");
    std::fs::write(&file, "").unwrap();
    task.await.unwrap().unwrap();
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_stopped_functions_events_go_to_the_dead_letter_queue_at_once() {
    let bench = bench().await;
    let dead_letters = bench.control_plane.add_queue("dead", 30);
    let version = FunctionVersion { dead_letter_target: Some(dead_letters), ..latest() };
    bench.serve(vec![Function { reserved_concurrency: Some(0), ..function("f", vec![version]) }]);
    bench.lambda.invoke_event("f", request(json!("event"))).unwrap();
    assert_eq!(message(&bench, "dead").await, "event");
    assert_eq!(bench.lambda.reports(), []);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_event_for_nobody_is_refused() {
    let bench = bench().await;
    bench.serve(vec![]);
    let refusal = bench.lambda.invoke_event("f", request(json!({}))).unwrap_err();
    assert_eq!(refusal.code, "ResourceNotFoundException");
    bench.lambda.shutdown().await;
}
