//! SQS event source mappings.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use local_lambda::{EventSourceMapping, Function, Settings};
use serde_json::{Value, json};

use crate::harness::{ARN, Bench, eventually, function, latest, version};

fn mapping(queue: &str) -> EventSourceMapping {
    EventSourceMapping {
        uuid: "mapping".to_owned(),
        event_source_arn: queue.to_owned(),
        function_arn: format!("{ARN}:f"),
        batch_size: 10,
        maximum_batching_window: Duration::ZERO,
        maximum_concurrency: None,
        report_batch_item_failures: true,
        filters: vec![],
        enabled: true,
    }
}

/// The fixture writes down each event.
fn recording(record: &Path) -> Vec<Function> {
    vec![function("f", vec![version("$LATEST", &[("RECORD", record.to_str().unwrap())])])]
}

fn recorded(record: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(record).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn bodies(event: &Value) -> Vec<&str> {
    event["Records"].as_array().unwrap().iter().map(|record| record["body"].as_str().unwrap()).collect()
}

/// A queue with messages, and a function that gets them by this mapping.
async fn served(
    visibility_timeout: u64,
    messages: &[&str],
    change: impl FnOnce(EventSourceMapping) -> EventSourceMapping,
) -> (Bench, std::path::PathBuf) {
    let bench = Bench::new(Settings::default()).await;
    let queue = bench.control_plane.add_queue("queue", visibility_timeout);
    for body in messages {
        bench.control_plane.send("queue", body, json!({}));
    }
    let record = bench.file("record");
    bench.serve_with(recording(&record), vec![change(mapping(&queue))]);
    (bench, record)
}

#[tokio::test]
async fn the_event_is_as_lambda_makes_it() {
    let bench = Bench::new(Settings::default()).await;
    let queue = bench.control_plane.add_queue("queue", 30);
    let attributes = json!({
        "city": {"DataType": "String", "StringValue": "Utrecht"},
        "raw": {"DataType": "Binary", "BinaryValue": "AAE="},
    });
    let first = bench.control_plane.send("queue", "with attributes", attributes);
    let second = bench.control_plane.send("queue", "naïve \"quoted\"", json!({}));
    let record = bench.file("record");
    bench.serve_with(recording(&record), vec![mapping(&queue)]);
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    let expected = json!({"Records": [
        {
            "messageId": first,
            "receiptHandle": format!("receipt-of-{first}"),
            "body": "with attributes",
            "attributes": {"ApproximateReceiveCount": "1", "SenderId": "AIDA"},
            "messageAttributes": {
                "city": {
                    "stringValue": "Utrecht",
                    "stringListValues": [],
                    "binaryListValues": [],
                    "dataType": "String",
                },
                "raw": {"binaryValue": "AAE=", "stringListValues": [], "binaryListValues": [], "dataType": "Binary"},
            },
            "md5OfBody": "md5",
            "md5OfMessageAttributes": "md5-of-attributes",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue,
            "awsRegion": "eu-west-1",
        },
        {
            "messageId": second,
            "receiptHandle": format!("receipt-of-{second}"),
            "body": "naïve \"quoted\"",
            "attributes": {"ApproximateReceiveCount": "1", "SenderId": "AIDA"},
            "messageAttributes": {},
            "md5OfBody": "md5",
            "eventSource": "aws:sqs",
            "eventSourceARN": queue,
            "awsRegion": "eu-west-1",
        },
    ]});
    assert_eq!(recorded(&record), [expected]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn batches_are_no_larger_than_asked_for() {
    let messages = ["a", "b", "c", "d", "e"];
    let (bench, record) = served(30, &messages, |mapping| EventSourceMapping { batch_size: 2, ..mapping }).await;
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    let events = recorded(&record);
    assert!(events.iter().all(|event| bodies(event).len() <= 2), "{events:?}");
    let all: HashSet<&str> = events.iter().flat_map(bodies).collect();
    assert_eq!(all, HashSet::from(messages));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_gathers_more_than_one_receive_gives() {
    let numbers: Vec<String> = (0..25).map(|number| number.to_string()).collect();
    let messages: Vec<&str> = numbers.iter().map(String::as_str).collect();
    let change = |mapping| EventSourceMapping {
        batch_size: 25,
        // Until it is full; the window is only there because a batch of more than ten needs one.
        maximum_batching_window: Duration::from_secs(60),
        ..mapping
    };
    let (bench, record) = served(300, &messages, change).await;
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    let events = recorded(&record);
    assert_eq!(events.iter().map(|event| bodies(event).len()).collect::<Vec<_>>(), [25]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_window_that_is_over_hands_on_what_there_is() {
    let change =
        |mapping| EventSourceMapping { batch_size: 100, maximum_batching_window: Duration::from_secs(1), ..mapping };
    let (bench, record) = served(30, &["a", "b"], change).await;
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    assert_eq!(bodies(&recorded(&record)[0]), ["a", "b"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn only_the_messages_that_failed_come_again() {
    let (bench, record) = served(1, &["good", "fails", "good too"], |mapping| mapping).await;
    let left = || bench.control_plane.messages("queue").into_iter().map(|(body, _)| body).collect::<Vec<_>>();
    eventually("only the one is left", || left() == ["fails"]).await;
    eventually("the function got it again", || recorded(&record).iter().any(|event| bodies(event) == ["fails"])).await;
    assert_eq!(left(), ["fails"]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn without_report_batch_item_failures_a_success_is_one_for_all() {
    let change = |mapping| EventSourceMapping { report_batch_item_failures: false, ..mapping };
    let (bench, _) = served(30, &["good", "fails"], change).await;
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_answer_of_null_is_a_success() {
    let (bench, _) = served(30, &["answer null", "fails"], |mapping| mapping).await;
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_batch_that_fails_comes_again_as_a_whole() {
    for trouble in ["batch fails", "answer another id"] {
        let (bench, record) = served(1, &["good", trouble], |mapping| mapping).await;
        eventually("both were received again", || {
            let messages = bench.control_plane.messages("queue");
            messages.len() == 2 && messages.iter().all(|(_, count)| *count > 1)
        })
        .await;
        eventually("the function got them again", || recorded(&record).len() > 1).await;
        bench.lambda.shutdown().await;
    }
}

#[tokio::test]
async fn a_throttled_batch_waits_for_its_turn() {
    let bench = Bench::new(Settings::default()).await;
    let queue = bench.control_plane.add_queue("queue", 600);
    let record = bench.file("record");
    let mut functions = recording(&record);
    functions[0].reserved_concurrency = Some(1);
    bench.serve(functions.clone());
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    bench.control_plane.send("queue", "a", json!({}));
    bench.serve_with(functions, vec![mapping(&queue)]);
    eventually("the message was received", || bench.control_plane.messages("queue")[0].1 == 1).await;
    std::fs::write(&file, "").unwrap();
    task.await.unwrap().unwrap();
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    assert_eq!(recorded(&record)[0]["Records"][0]["attributes"]["ApproximateReceiveCount"], "1");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn disabled_enabled_and_gone() {
    let bench = Bench::new(Settings::default()).await;
    let queue = bench.control_plane.add_queue("queue", 30);
    bench.control_plane.send("queue", "a", json!({}));
    let record = bench.file("record");
    let serve = |mappings| bench.serve_with(recording(&record), mappings);
    serve(vec![EventSourceMapping { enabled: false, ..mapping(&queue) }]);
    // Another mapping polls, so there was time to.
    let other = bench.control_plane.add_queue("other", 30);
    let polled = EventSourceMapping { uuid: "other".to_owned(), ..mapping(&other) };
    serve(vec![EventSourceMapping { enabled: false, ..mapping(&queue) }, polled]);
    eventually("the other polls", || bench.control_plane.receives() > 0).await;
    assert_eq!(bench.control_plane.messages("queue"), [("a".to_owned(), 0)]);

    serve(vec![mapping(&queue)]);
    eventually("the queue is empty", || bench.control_plane.messages("queue").is_empty()).await;
    serve(vec![]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn filters_are_refused() {
    let change = |mapping| EventSourceMapping { filters: vec![r#"{"body":["a"]}"#.to_owned()], ..mapping };
    let (bench, _) = served(30, &["b"], change).await;
    let other = bench.control_plane.add_queue("other", 30);
    let queue = bench.control_plane.add_queue("queue", 30);
    bench.control_plane.send("queue", "b", json!({}));
    bench.serve_with(
        vec![function("f", vec![latest()])],
        vec![change(mapping(&queue)), EventSourceMapping { uuid: "other".to_owned(), ..mapping(&other) }],
    );
    eventually("the other polls", || bench.control_plane.receives() > 0).await;
    assert_eq!(bench.control_plane.messages("queue"), [("b".to_owned(), 0)]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_control_plane_that_was_away() {
    let (bench, record) = served(30, &[], |mapping| mapping).await;
    eventually("it polls", || bench.control_plane.receives() > 0).await;
    bench.control_plane.break_down(true);
    // Its long poll ends with a message, and the next one with an error.
    bench.control_plane.send("queue", "before", json!({}));
    eventually("the first came", || recorded(&record).len() == 1).await;
    bench.control_plane.break_down(false);
    bench.control_plane.send("queue", "after", json!({}));
    eventually("the second came", || recorded(&record).iter().any(|event| bodies(event).contains(&"after"))).await;
    bench.lambda.shutdown().await;
}
