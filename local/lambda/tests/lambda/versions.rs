//! Versions, aliases, and other code while invocations run.

use std::collections::BTreeMap;

use http::StatusCode;
use local_lambda::{Alias, Function, InvokeRequest};
use serde_json::json;

use crate::harness::{ARN, Bench, eventually, function, is_alive, payload, request, version};

fn alias(name: &str, version: &str, weights: &[(&str, f64)]) -> Alias {
    let additional_version_weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight));
    Alias {
        name: name.to_owned(),
        version: version.to_owned(),
        additional_version_weights: additional_version_weights.collect(),
    }
}

fn labelled(name: &str) -> local_lambda::FunctionVersion {
    version(name, &[("LABEL", name)])
}

async fn label(bench: &Bench, name: &str, qualifier: Option<&str>) -> String {
    let request = InvokeRequest { qualifier: qualifier.map(str::to_owned), ..request(json!({})) };
    let invocation = bench.lambda.invoke(name, request).await.unwrap();
    let label = payload(&invocation)["label"].as_str().unwrap().to_owned();
    assert_eq!(*invocation.executed_version, *label);
    label
}

#[tokio::test]
async fn an_alias_moves_and_back() {
    let bench = Bench::with(version("$LATEST", &[])).await;
    let serve = |prod: &str| {
        let versions = vec![labelled("$LATEST"), labelled("1"), labelled("2")];
        let aliases = vec![alias("test", "$LATEST", &[]), alias("prod", prod, &[])];
        bench.serve(vec![Function { aliases, ..function("f", versions) }]);
    };
    serve("1");
    assert_eq!(label(&bench, "f", None).await, "$LATEST");
    assert_eq!(label(&bench, "f", Some("2")).await, "2");
    assert_eq!(label(&bench, "f:test", None).await, "$LATEST");
    assert_eq!(label(&bench, &format!("{ARN}:f:prod"), None).await, "1");
    let pids = bench.pids();
    serve("2");
    assert_eq!(label(&bench, "123456789012:function:f:prod", Some("prod")).await, "2");
    serve("1");
    assert_eq!(label(&bench, "f", Some("prod")).await, "1");
    assert_eq!(bench.pids().len(), pids.len(), "nobody was restarted for that");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_weighted_alias_sends_some_here_and_some_there() {
    let bench = Bench::with(version("$LATEST", &[])).await;
    let aliases = vec![alias("prod", "1", &[("2", 0.5)])];
    bench.serve(vec![Function { aliases, ..function("f", vec![labelled("1"), labelled("2")]) }]);
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..200 {
        *counts.entry(label(&bench, "f:prod", None).await).or_default() += 1;
    }
    // That one of them has less than 20 of 200 happens once in 10^30 runs.
    assert!(counts["1"] > 20 && counts["2"] > 20, "{counts:?}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn what_is_not_there() {
    let bench = Bench::with(labelled("$LATEST")).await;
    for (name, qualifier, status, message) in [
        ("g", None, 404, format!("Function not found: {ARN}:g")),
        ("f", Some("prod"), 404, format!("Function not found: {ARN}:f:prod")),
        ("f", Some("7"), 404, format!("Function not found: {ARN}:f:7")),
        (
            "arn:aws:lambda:eu-west-1:210987654321:function:f",
            None,
            404,
            "Function not found: arn:aws:lambda:eu-west-1:210987654321:function:f".to_owned(),
        ),
        (
            "f:1",
            Some("2"),
            400,
            "The derived qualifier from the function name does not match the specified qualifier.".to_owned(),
        ),
    ] {
        let request = InvokeRequest { qualifier: qualifier.map(str::to_owned), ..request(json!({})) };
        let refusal = bench.lambda.invoke(name, request).await.unwrap_err();
        assert_eq!((refusal.status, refusal.message), (StatusCode::from_u16(status).unwrap(), message));
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn other_code_from_the_next_invocation_on_while_the_old_finishes() {
    let bench = Bench::with(version("$LATEST", &[("LABEL", "old")])).await;
    bench.invoke(json!({})).await;
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    let idle_and_busy = bench.pids();

    bench.serve(vec![function("f", vec![version("$LATEST", &[("LABEL", "new")])])]);
    assert_eq!(payload(&bench.invoke(json!({})).await)["label"], "new");
    std::fs::write(&file, "").unwrap();
    let old = task.await.unwrap().unwrap();
    assert_eq!(payload(&old)["label"], "old");
    eventually("the old processes are gone", || idle_and_busy.iter().all(|pid| !is_alive(*pid))).await;
    assert_eq!(bench.pids().len(), 1);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_function_that_is_deleted() {
    let bench = Bench::with(labelled("$LATEST")).await;
    bench.invoke(json!({})).await;
    let pids = bench.pids();
    bench.serve(vec![]);
    let refusal = bench.try_invoke("f", json!({})).await.unwrap_err();
    assert_eq!(refusal.code, "ResourceNotFoundException");
    eventually("its process is gone", || pids.iter().all(|pid| !is_alive(*pid))).await;
    bench.lambda.shutdown().await;
}
