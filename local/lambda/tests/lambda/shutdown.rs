//! The end: no process is left, however it comes.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use local_lambda::{Function, Functions, Settings};
use serde_json::json;

use crate::harness::{Bench, eventually, function, is_alive, latest, payload, request, version};

#[tokio::test]
async fn shutdown_ends_whatever_runs_waits_or_starts() {
    let bench = Bench::new(Settings::default()).await;
    let queue = bench.control_plane.add_queue("queue", 30);
    let mapping = local_lambda::EventSourceMapping {
        uuid: "mapping".to_owned(),
        event_source_arn: queue,
        function_arn: "f".to_owned(),
        batch_size: 1,
        maximum_batching_window: std::time::Duration::ZERO,
        maximum_concurrency: None,
        report_batch_item_failures: false,
        filters: vec![],
        enabled: true,
    };
    let throttled = Function { reserved_concurrency: Some(1), ..function("throttled", vec![latest()]) };
    let starting = function("starting", vec![version("$LATEST", &[("INIT", "hang")])]);
    bench.serve_with(vec![function("f", vec![latest()]), throttled, starting], vec![mapping]);

    let child = payload(&bench.invoke(json!({"do": "child"})).await)["child"].as_i64().unwrap();
    let never = bench.file("never");
    let busy = bench.occupy("f", &never).await;
    let occupied = bench.occupy("throttled", &never).await;
    bench.lambda.invoke_event("throttled", request(json!({}))).unwrap();
    let lambda = bench.lambda.clone();
    let starting = tokio::spawn(async move { lambda.invoke("starting", request(json!({}))).await });
    bench.lambda.invoke("f", request(json!({}))).await.unwrap();
    eventually("four processes", || bench.pids().len() >= 4).await;
    let mut pids = bench.pids();
    pids.push(i32::try_from(child).unwrap());

    bench.lambda.shutdown().await;
    for task in [busy, occupied, starting] {
        assert!(task.await.unwrap().unwrap().function_error);
    }
    eventually("nobody is left", || pids.iter().all(|pid| !is_alive(*pid))).await;
    let refusal = bench.try_invoke("f", json!({})).await.unwrap_err();
    assert_eq!((refusal.status.as_u16(), refusal.code), (500, "ServiceException"));
    // Once more does no harm.
    bench.lambda.update(Functions::default());
    bench.lambda.shutdown().await;
}

/// The other test is run in a process of its own, which is then killed without a chance to end anything.
#[tokio::test]
async fn functions_end_with_a_lambda_that_was_killed() {
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "shutdown::serve_until_killed", "--ignored", "--nocapture"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
    let pids: Vec<i32> =
        lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("pid ")?.parse().ok()).take(2).collect();
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| is_alive(*pid)));
    victim.kill().unwrap();
    victim.wait().unwrap();
    eventually("they are gone", || pids.iter().all(|pid| !is_alive(*pid))).await;
}

#[tokio::test]
#[ignore = "runs until it is killed, by functions_end_with_a_lambda_that_was_killed"]
async fn serve_until_killed() {
    let bench = Bench::with(latest()).await;
    // One that hangs, and would never notice by itself; one that is idle.
    let _busy = bench.occupy("f", &bench.file("never")).await;
    bench.invoke(json!({})).await;
    for pid in bench.pids() {
        println!("pid {pid}");
    }
    std::future::pending().await
}
