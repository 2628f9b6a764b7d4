//! Processes: started on demand, reused, limited, ended.

use std::collections::HashSet;
use std::time::Duration;

use http::StatusCode;
use local_lambda::{Function, Settings};
use serde_json::json;

use crate::harness::{Bench, eventually, function, is_alive, latest, payload};

#[tokio::test]
async fn as_many_processes_as_invocations_at_once_and_then_the_latest_again() {
    let bench = Bench::with(latest()).await;
    let file = bench.file("go");
    let tasks = [bench.occupy("f", &file).await, bench.occupy("f", &file).await, bench.occupy("f", &file).await];
    assert_eq!(bench.pids().len(), 3);
    std::fs::write(&file, "").unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let mut used = HashSet::new();
    for _ in 0..10 {
        used.insert(payload(&bench.invoke(json!({})).await)["pid"].as_i64().unwrap());
    }
    // All three have answered, and one after the other asks for an event. From then on the latest is used.
    assert!(used.len() <= 3, "{used:?}");
    assert_eq!(bench.pids().len(), 3);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn idle_processes_end() {
    let bench = Bench::new(Settings { idle: Duration::from_millis(1), ..Settings::default() }).await;
    bench.serve(vec![function("f", vec![latest()])]);
    let pid = i32::try_from(payload(&bench.invoke(json!({})).await)["pid"].as_i64().unwrap()).unwrap();
    eventually("the process is gone", || bench.pids().is_empty() && !is_alive(pid)).await;
    bench.invoke(json!({})).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn reserved_concurrency() {
    let bench = Bench::new(Settings::default()).await;
    let limited = |reserved| Function { reserved_concurrency: Some(reserved), ..function("f", vec![latest()]) };
    bench.serve(vec![limited(1), function("other", vec![latest()])]);
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    let refusal = bench.try_invoke("f", json!({})).await.unwrap_err();
    assert_eq!((refusal.status, refusal.code), (StatusCode::TOO_MANY_REQUESTS, "TooManyRequestsException"));
    assert_eq!(refusal.reason, Some("ReservedFunctionConcurrentInvocationLimitExceeded"));
    assert_eq!(refusal.message, "Rate Exceeded.");
    bench.try_invoke("other", json!({})).await.unwrap();

    // Another limit holds at once, also for what runs already.
    bench.serve(vec![limited(2), function("other", vec![latest()])]);
    bench.try_invoke("f", json!({})).await.unwrap();
    std::fs::write(&file, "").unwrap();
    task.await.unwrap().unwrap();
    bench.try_invoke("f", json!({})).await.unwrap();

    bench.serve(vec![limited(0), function("other", vec![latest()])]);
    bench.try_invoke("f", json!({})).await.unwrap_err();
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_accounts_concurrency_is_shared_by_whoever_has_no_reservation() {
    let bench = Bench::new(Settings { account_concurrency: 3, ..Settings::default() }).await;
    let reserved = Function { reserved_concurrency: Some(2), ..function("reserved", vec![latest()]) };
    bench.serve(vec![reserved, function("f", vec![latest()]), function("g", vec![latest()])]);
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    let refusal = bench.try_invoke("g", json!({})).await.unwrap_err();
    assert_eq!(refusal.reason, Some("ConcurrentInvocationLimitExceeded"));
    bench.try_invoke("reserved", json!({})).await.unwrap();
    std::fs::write(&file, "").unwrap();
    task.await.unwrap().unwrap();
    bench.try_invoke("g", json!({})).await.unwrap();
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_that_does_not_return_is_not_waited_for() {
    let bench = Bench::new(Settings { returning: Duration::from_millis(1), ..Settings::default() }).await;
    bench.serve(vec![function("f", vec![latest()])]);
    let file = bench.file("never");
    bench.invoke(json!({"do": "answer-and-wait", "for": file})).await;
    assert_eq!(payload(&bench.invoke(json!("served")).await)["event"], "served");
    assert_eq!(bench.pids().len(), 2);
    bench.lambda.shutdown().await;
}
