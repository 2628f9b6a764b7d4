//! What is deployed, read by the AWS API. The answers are those of Lambda, cut to what is looked at and a little more.

use std::io::{Cursor, Write};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use local_aws_api::AwsApi;
use local_lambda::{Alias, Functions, Settings, TracingMode, read};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::harness::{ARN, Bench, error, patient, payload};

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default().unix_permissions(0o755)).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn hash(zip: &[u8]) -> String {
    BASE64_STANDARD.encode(Sha256::digest(zip))
}

fn configuration(version: &str, code_sha256: &str) -> Value {
    let qualifier = if version == "$LATEST" { String::new() } else { format!(":{version}") };
    json!({
        "FunctionName": "f", "FunctionArn": format!("{ARN}:f{qualifier}"), "Version": version,
        "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 29, "MemorySize": 256,
        "CodeSha256": code_sha256, "State": "Active",
        "Environment": {"Variables": {"LABEL": version}},
        "TracingConfig": {"Mode": "Active"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/logs/f"},
        "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:eu-west-1:123456789012:dead"},
    })
}

/// Puts one function there, with `$LATEST` and version 1, and everything that can be set for it.
fn deploy(bench: &Bench, latest: &[u8], published: &[u8], location: &str) {
    let put = |path: &str, page: Value| bench.control_plane.put_page(path, page.to_string());
    let (latest_hash, published_hash) = (hash(latest), hash(published));
    let configurations = [configuration("$LATEST", &latest_hash), configuration("1", &published_hash)];
    let url = |name: &str| format!("{location}/code/{name}");
    let function = "/2015-03-31/functions/f";
    put("/2015-03-31/functions/", json!({"Functions": [configurations[0]]}));
    let get = json!({
        "Configuration": configurations[0],
        "Code": {"RepositoryType": "S3", "Location": url("latest")},
        "Concurrency": {"ReservedConcurrentExecutions": 7},
    });
    put(function, get.clone());
    put(&format!("{function}?Qualifier=$LATEST"), get);
    let get = json!({"Configuration": configurations[1], "Code": {"Location": url("published")}});
    put(&format!("{function}?Qualifier=1"), get);
    // In two pages.
    let first = json!({"Versions": [configurations[0]], "NextMarker": "more"});
    put(&format!("{function}/versions"), first);
    put(&format!("{function}/versions?Marker=more"), json!({"Versions": [configurations[1]]}));
    let aliases = json!({"Aliases": [
        {"Name": "test", "FunctionVersion": "$LATEST"},
        {"Name": "prod", "FunctionVersion": "1", "RoutingConfig": {"AdditionalVersionWeights": {"$LATEST": 0.1}}},
    ]});
    put(&format!("{function}/aliases"), aliases);
    let event_invoke = json!({"FunctionEventInvokeConfigs": [{
        "FunctionArn": format!("{ARN}:f:prod"), "MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60,
        "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": "arn:aws:sqs:eu-west-1:123456789012:d"}},
    }]});
    put("/2019-09-25/functions/f/event-invoke-config/list", event_invoke);
    let mappings = json!({"EventSourceMappings": [{
        "UUID": "u", "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:q", "FunctionArn": format!("{ARN}:f:prod"),
        "BatchSize": 5, "MaximumBatchingWindowInSeconds": 2, "ScalingConfig": {"MaximumConcurrency": 3},
        "FunctionResponseTypes": ["ReportBatchItemFailures"], "State": "Disabled",
        "FilterCriteria": {"Filters": [{"Pattern": "{}"}]},
    }]});
    put("/2015-03-31/event-source-mappings/", mappings);
    bench.control_plane.put_page("/code/latest", latest.to_vec());
    bench.control_plane.put_page("/code/published", published.to_vec());
}

async fn read_all(bench: &Bench) -> Functions {
    let aws = AwsApi::new(&bench.control_plane.endpoint, "eu-west-1").unwrap();
    read(&aws, &bench.file("code")).await.unwrap()
}

#[tokio::test]
async fn everything_that_is_deployed() {
    let bench = Bench::new(patient()).await;
    let bootstrap = include_bytes!("fixtures/bootstrap");
    let (latest, published) = (zip(&[("bootstrap", bootstrap)]), zip(&[("bootstrap", bootstrap), ("more", b"")]));
    deploy(&bench, &latest, &published, &bench.control_plane.endpoint);
    let read = read_all(&bench).await;

    let [function] = read.functions.as_slice() else { panic!("{read:?}") };
    assert_eq!((function.name.as_str(), function.arn.as_str()), ("f", format!("{ARN}:f").as_str()));
    assert_eq!(function.reserved_concurrency, Some(7));
    let weights = [("$LATEST".to_owned(), 0.1)].into();
    let prod = Alias { name: "prod".to_owned(), version: "1".to_owned(), additional_version_weights: weights };
    assert_eq!(function.aliases[1], prod);
    let event_invoke = &function.event_invoke["prod"];
    assert_eq!((event_invoke.maximum_retry_attempts, event_invoke.maximum_event_age), (0, Duration::from_secs(60)));
    assert_eq!(event_invoke.on_success, None);
    assert_eq!(event_invoke.on_failure.as_deref(), Some("arn:aws:sqs:eu-west-1:123456789012:d"));
    let [latest, published] = function.versions.as_slice() else { panic!("{function:?}") };
    assert_eq!((latest.timeout, latest.memory_size), (Duration::from_secs(29), 256));
    assert_eq!((latest.tracing, latest.log_group.as_str()), (TracingMode::Active, "/logs/f"));
    assert_eq!(published.dead_letter_target.as_deref(), Some("arn:aws:sqs:eu-west-1:123456789012:dead"));
    assert_ne!(latest.task_root, published.task_root);
    let [mapping] = read.event_source_mappings.as_slice() else { panic!("{read:?}") };
    assert_eq!((mapping.batch_size, mapping.maximum_concurrency), (5, Some(3)));
    assert_eq!((mapping.maximum_batching_window, mapping.enabled), (Duration::from_secs(2), false));
    assert_eq!((mapping.report_batch_item_failures, mapping.filters.as_slice()), (true, &["{}".to_owned()][..]));

    // And it runs.
    bench.lambda.update(read.clone());
    assert_eq!(payload(&bench.invoke(json!({})).await)["label"], "$LATEST");
    let invocation = bench.try_invoke("f:1", json!({})).await.unwrap();
    assert_eq!(payload(&invocation)["label"], "1");

    // Nothing changed: the code is not fetched again, and the processes stay.
    let pids = bench.pids();
    bench.control_plane.put_page("/code/latest", "gone");
    let again = read_all(&bench).await;
    assert_eq!(again, read);
    bench.lambda.update(again);
    bench.invoke(json!({})).await;
    assert_eq!(bench.pids(), pids);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn code_that_cannot_be_had_fails_when_it_is_invoked() {
    let bench = Bench::new(Settings::default()).await;
    let good = zip(&[("bootstrap", include_bytes!("fixtures/bootstrap"))]);
    for (latest, location) in [
        // Not a zip; a path out of the folder; elsewhere.
        (b"not a zip".to_vec(), bench.control_plane.endpoint.clone()),
        (zip(&[("../bootstrap", b"#!/bin/sh")]), bench.control_plane.endpoint.clone()),
        (good.clone(), "https://awslambda-eu-west-1-tasks.s3.eu-west-1.amazonaws.com".to_owned()),
    ] {
        deploy(&bench, &latest, &latest, &location);
        bench.lambda.update(read_all(&bench).await);
        assert_eq!(error(&bench.invoke(json!({})).await).0, "Runtime.InvalidEntrypoint");
    }
    // Not what its hash says.
    deploy(&bench, &good, &good, &bench.control_plane.endpoint);
    for page in ["/code/latest", "/code/published"] {
        bench.control_plane.put_page(page, zip(&[("bootstrap", b"#!/bin/sh\n")]));
    }
    bench.lambda.update(read_all(&bench).await);
    assert_eq!(error(&bench.invoke(json!({})).await).0, "Runtime.InvalidEntrypoint");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_control_plane_that_refuses() {
    let bench = Bench::new(Settings::default()).await;
    let aws = AwsApi::new(&bench.control_plane.endpoint, "eu-west-1").unwrap();
    bench.control_plane.break_down(true);
    let error = read(&aws, bench.folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("lambda GET /2015-03-31/functions/") && error.contains("503"), "{error}");
    bench.control_plane.break_down(false);
    bench.control_plane.put_page("/2015-03-31/functions/", r#"{"Functions":[{"FunctionName":1}]}"#);
    let error = read(&aws, bench.folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("/2015-03-31/functions/") && error.contains("invalid type"), "{error}");
    bench.lambda.shutdown().await;
}
