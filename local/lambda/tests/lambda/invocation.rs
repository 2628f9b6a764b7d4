//! Invocations that succeed.

use local_lambda::{InvokeRequest, Settings, Status};
use serde_json::{Value, json};

use crate::harness::{ARN, Bench, function, invoke_all, latest, patient, payload, request, version};

#[tokio::test]
async fn the_event_gets_in_and_the_answer_out() {
    let bench = Bench::with(latest()).await;
    let event = json!({"text": "naïve 日本 \u{0000} \"quoted\"", "number": 1.5, "list": [null, true]});
    let invocation = bench.invoke(event.clone()).await;
    assert_eq!(payload(&invocation)["event"], event);
    assert!(!invocation.function_error);
    assert_eq!(&*invocation.executed_version, "$LATEST");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn no_payload_is_an_empty_object() {
    let bench = Bench::with(latest()).await;
    let invocation = bench.lambda.invoke("f", InvokeRequest::default()).await.unwrap();
    assert_eq!(payload(&invocation)["event"], json!({}));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_headers_of_next() {
    let bench = Bench::with(latest()).await;
    let trace_id = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    let request = InvokeRequest {
        qualifier: Some("$LATEST".to_owned()),
        trace_id: Some(trace_id.to_owned()),
        client_context: Some("eyJjdXN0b20iOnt9fQ==".to_owned()),
        ..request(json!({"do": "headers"}))
    };
    let invocation = bench.lambda.invoke("f", request).await.unwrap();
    let headers = payload(&invocation);
    assert_eq!(headers["lambda-runtime-aws-request-id"], *invocation.request_id);
    assert_eq!(headers["lambda-runtime-invoked-function-arn"], format!("{ARN}:f:$LATEST"));
    assert_eq!(headers["lambda-runtime-trace-id"], trace_id);
    assert_eq!(headers["lambda-runtime-client-context"], "eyJjdXN0b20iOnt9fQ==");
    assert_eq!(headers["content-type"], "application/json");

    let now = payload(&bench.invoke(json!({"do": "now"})).await).as_u64().unwrap();
    let plain = payload(&bench.invoke(json!({"do": "headers"})).await);
    assert_eq!(plain["lambda-runtime-invoked-function-arn"], format!("{ARN}:f"));
    assert!(plain["lambda-runtime-trace-id"].as_str().unwrap().starts_with("Root=1-"));
    let deadline: u64 = plain["lambda-runtime-deadline-ms"].as_str().unwrap().parse().unwrap();
    let timeout = 60_000;
    assert!(deadline >= now + timeout, "deadline {deadline}, now {now}");
    assert!(deadline < now + 2 * timeout, "deadline {deadline}, now {now}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_environment_is_lambdas_and_nothing_else() {
    let latest = version("$LATEST", &[("TABLE", "strings"), ("AWS_REGION", "mars-north-1"), ("LANG", "C")]);
    let task_root = latest.task_root.clone();
    let bench = Bench::with(latest).await;
    let environment = payload(&bench.invoke(json!({"do": "environment"})).await);
    for (name, value) in [
        ("_HANDLER", "bootstrap"),
        ("AWS_LAMBDA_FUNCTION_NAME", "f"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/f"),
        // Reserved: the function's owner cannot set it.
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ENDPOINT_URL", &bench.control_plane.endpoint),
        ("LAMBDA_TASK_ROOT", task_root.to_str().unwrap()),
        ("TZ", ":UTC"),
        // The owner's own, and what the owner may set.
        ("TABLE", "strings"),
        ("LANG", "C"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    let log_stream = environment["AWS_LAMBDA_LOG_STREAM_NAME"].as_str().unwrap();
    assert!(log_stream.contains("/[$LATEST]"), "{log_stream}");
    for name in ["CARGO_MANIFEST_DIR", "HOME", "USER"] {
        assert_eq!(environment.get(name), None, "{name}");
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_report_for_each_invocation() {
    let bench = Bench::with(latest()).await;
    bench.invoke(json!({})).await;
    bench.invoke(json!({})).await;
    let reports = bench.lambda.reports();
    let [first, second] = reports.as_slice() else { panic!("{reports:?}") };
    assert!(first.init_duration.is_some_and(|init| !init.is_zero()));
    assert_eq!(second.init_duration, None);
    assert!(first.billed_duration >= first.duration + first.init_duration.unwrap());
    assert_eq!((first.memory_size, first.status.clone()), (128, Status::Success));
    if cfg!(target_os = "linux") {
        assert!((1..1000).contains(&first.max_memory_used), "{}", first.max_memory_used);
    }
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_log_tail_has_the_lines_of_this_invocation() {
    let bench = Bench::with(latest()).await;
    let tail = async |lines: Value| {
        let request = InvokeRequest { log_tail: true, ..request(json!({"do": "print", "lines": lines})) };
        let invocation = bench.lambda.invoke("f", request).await.unwrap();
        (String::from_utf8(invocation.log_tail.unwrap()).unwrap(), invocation.request_id)
    };
    tail(json!(["of the first"])).await;
    let (text, id) = tail(json!(["one", "two"])).await;
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], format!("START RequestId: {id} Version: $LATEST"));
    assert_eq!(lines[1..4], ["one", "two", "on the other stream"]);
    assert_eq!(lines[4], format!("END RequestId: {id}"));
    assert!(lines[5].starts_with(&format!("REPORT RequestId: {id}\tDuration: ")), "{}", lines[5]);
    assert_eq!(lines.len(), 6);

    let (text, _) = tail(json!(vec!["x".repeat(100); 100])).await;
    assert_eq!(text.len(), 4096);
    bench.lambda.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thousands_of_invocations_on_few_processes() {
    let bench = Bench::new(Settings { instances_per_version: 4, ..patient() }).await;
    bench.serve(vec![function("f", vec![latest()])]);
    for number in 0..2000 {
        assert_eq!(payload(&bench.invoke(json!(number)).await)["event"], number);
    }
    assert_eq!(bench.pids().len(), 1, "one after the other needs one process");

    let answers = invoke_all(&bench.lambda, (0..900).map(|number| json!(number))).await;
    for (number, answer) in answers.into_iter().enumerate() {
        assert_eq!(payload(&answer.unwrap())["event"], number);
    }
    let processes = bench.pids().len();
    assert!((1..=4).contains(&processes), "{processes}");
    assert_eq!(bench.lambda.reports().len(), 2900);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_caller_who_hangs_up_does_not_stop_the_function() {
    let bench = Bench::with(latest()).await;
    let file = bench.file("go");
    let task = bench.occupy("f", &file).await;
    task.abort();
    assert!(task.await.is_err_and(|error| error.is_cancelled()));
    std::fs::write(&file, "").unwrap();
    crate::harness::eventually("a report", || bench.lambda.reports().len() == 1).await;
    assert_eq!(bench.lambda.reports()[0].status, Status::Success);
    bench.lambda.shutdown().await;
}
