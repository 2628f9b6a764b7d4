//! What functions do wrong, what the invoker gets, and that the next invocation is served.

use std::time::Duration;

use local_lambda::{FunctionVersion, InvokeRequest, Settings, Status};
use serde_json::{Value, json};

use crate::harness::{Bench, error, eventually, function, is_alive, latest, patient, payload, request, version};

/// Long enough for a process to start on a busy machine.
const SHORT: Duration = Duration::from_secs(3);

/// The function fails in this way, and works before and after.
async fn fails_and_recovers(version: FunctionVersion, event: Value, error_type: &str, message: &str) -> Bench {
    let bench = Bench::with(version).await;
    let before = payload(&bench.invoke(json!("before")).await);
    let failed = bench.invoke(event).await;
    let message = message.replace("{id}", &failed.request_id);
    assert_eq!(error(&failed), (error_type.to_owned(), message));
    let after = payload(&bench.invoke(json!("after")).await);
    assert_eq!((&before["event"], &after["event"]), (&json!("before"), &json!("after")));
    bench
}

#[tokio::test]
async fn an_exit() {
    let message = "RequestId: {id} Error: Runtime exited with error: exit status 1";
    let bench = fails_and_recovers(latest(), json!({"do": "exit"}), "Runtime.ExitError", message).await;
    let reports = bench.lambda.reports();
    assert_eq!(reports[1].status, Status::Error("Runtime.ExitError".to_owned()));
    assert!(reports[2].init_duration.is_some(), "another process took over");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_exit_without_a_reason() {
    let message = "RequestId: {id} Error: Runtime exited without providing a reason";
    let event = json!({"do": "exit", "status": 0});
    fails_and_recovers(latest(), event, "Runtime.ExitError", message).await.lambda.shutdown().await;
}

#[tokio::test]
async fn a_signal() {
    let message = "RequestId: {id} Error: Runtime exited with error: signal: killed";
    fails_and_recovers(latest(), json!({"do": "kill"}), "Runtime.ExitError", message).await.lambda.shutdown().await;
}

#[tokio::test]
async fn an_error_of_the_function() {
    let bench = fails_and_recovers(latest(), json!({"do": "error"}), "Fixture.Broken", "it broke").await;
    assert_eq!(bench.lambda.reports()[1].status, Status::FunctionError("Fixture.Broken".to_owned()));
    assert_eq!(bench.lambda.reports()[2].init_duration, None, "the process is still good");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_error_without_a_payload_has_its_type_from_the_header() {
    let event = json!({"do": "error", "silent": true});
    fails_and_recovers(latest(), event, "Fixture.Broken", "").await.lambda.shutdown().await;
}

#[tokio::test]
async fn a_time_out() {
    let version = FunctionVersion { timeout: SHORT, ..latest() };
    let message = "RequestId: {id} Error: Task timed out after 3.00 seconds";
    let bench = fails_and_recovers(version, json!({"do": "hang"}), "Sandbox.Timedout", message).await;
    let report = &bench.lambda.reports()[1];
    assert_eq!(report.status, Status::Timeout);
    assert!(report.duration >= SHORT, "{report:?}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn a_process_that_hangs_is_killed_with_its_children() {
    let bench = Bench::with(FunctionVersion { timeout: SHORT, ..latest() }).await;
    let child = payload(&bench.invoke(json!({"do": "child"})).await)["child"].as_i64().unwrap();
    let (child, process) = (i32::try_from(child).unwrap(), bench.pids()[0]);
    assert!(is_alive(child) && is_alive(process));
    assert_eq!(error(&bench.invoke(json!({"do": "hang"})).await).0, "Sandbox.Timedout");
    eventually("both are gone", || !is_alive(child) && !is_alive(process)).await;
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_log_of_a_time_out() {
    let bench = Bench::with(FunctionVersion { timeout: SHORT, ..latest() }).await;
    let request = InvokeRequest { log_tail: true, ..request(json!({"do": "hang"})) };
    let invocation = bench.lambda.invoke("f", request).await.unwrap();
    let text = String::from_utf8(invocation.log_tail.unwrap()).unwrap();
    let line = text.lines().find(|line| line.contains("timed out")).expect(&text);
    assert!(line.ends_with(&format!("Z {} Task timed out after 3.00 seconds", invocation.request_id)), "{line}");
    assert!(text.trim_end().ends_with("Status: timeout"), "{text}");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_answer_of_seven_megabytes() {
    let message = "Response payload size (7340032 bytes) exceeded maximum allowed payload size (6291556 bytes).";
    let event = json!({"do": "large", "bytes": 7 * 1024 * 1024});
    let bench = fails_and_recovers(latest(), event, "Function.ResponseSizeTooLarge", message).await;
    assert_eq!(bench.pids().len(), 1, "the process was told, and lives");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_runtime_learns_that_its_answer_is_too_large() {
    let bench = Bench::with(latest()).await;
    // The line is written after the answer, so it stands in the log of whatever comes next, or in this one's.
    let event = json!({"do": "large", "bytes": 6_291_557});
    assert_eq!(error(&bench.invoke(event).await).0, "Function.ResponseSizeTooLarge");
    let event = json!({"do": "large", "bytes": 6_291_556});
    let largest = bench.invoke(event).await;
    assert!(!largest.function_error);
    assert_eq!(largest.payload.len(), 6_291_556);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_answer_that_is_no_json_is_the_callers_business() {
    let bench = Bench::with(latest()).await;
    let invocation = bench.invoke(json!({"do": "malformed"})).await;
    assert!(!invocation.function_error);
    assert_eq!(invocation.payload, "{ this is not JSON");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn the_runtime_api_used_out_of_turn() {
    let bench = Bench::with(latest()).await;
    let answers = payload(&bench.invoke(json!({"do": "misuse"})).await);
    // Another's answer; `next` and an init error during an invocation; an unknown path.
    assert_eq!(
        answers,
        json!([
            [400, "InvalidRequestID"],
            [403, "InvalidStateTransition"],
            [403, "InvalidStateTransition"],
            [404, null]
        ])
    );
    assert_eq!(payload(&bench.invoke(json!("after")).await)["event"], "after");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_idle_process_that_is_killed_is_replaced() {
    let bench = Bench::with(latest()).await;
    bench.invoke(json!("before")).await;
    let pid = bench.pids()[0];
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), rustix::process::Signal::KILL).unwrap();
    eventually("it is noticed", || bench.pids().is_empty()).await;
    assert_eq!(payload(&bench.invoke(json!("after")).await)["event"], "after");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_exit_during_init() {
    let bench = Bench::with(version("$LATEST", &[("INIT", "exit")])).await;
    let failed = bench.invoke(json!({})).await;
    let message = format!("RequestId: {} Error: Runtime exited with error: exit status 3", failed.request_id);
    assert_eq!(error(&failed), ("Runtime.ExitError".to_owned(), message));
    assert_eq!(bench.pids(), [0; 0]);
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn an_error_during_init() {
    let bench = Bench::with(version("$LATEST", &[("INIT", "error")])).await;
    let failed = bench.invoke(json!({})).await;
    assert_eq!(error(&failed), ("Fixture.NoLuck".to_owned(), "no luck today".to_owned()));
    assert_eq!(bench.lambda.reports()[0].status, Status::Error("Fixture.NoLuck".to_owned()));
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn init_is_repeated_once_as_part_of_the_invocation() {
    for trouble in ["exit", "error", "hang"] {
        let bench = Bench::new(Settings { init: SHORT, ..Settings::default() }).await;
        let file = bench.file("initialised");
        let environment = [("INIT", trouble), ("INIT_ONCE", file.to_str().unwrap())];
        bench.serve(vec![function("f", vec![version("$LATEST", &environment)])]);
        assert_eq!(payload(&bench.invoke(json!("served")).await)["event"], "served", "{trouble}");
        let report = &bench.lambda.reports()[0];
        assert_eq!(report.init_duration, None, "it is in the duration");
        assert!(report.duration > Duration::from_millis(1), "{report:?}");
        bench.lambda.shutdown().await;
    }
}

#[tokio::test]
async fn init_that_hangs_twice_is_a_time_out() {
    let bench = Bench::new(Settings { init: Duration::from_secs(1), ..Settings::default() }).await;
    let hanging = FunctionVersion { timeout: Duration::from_secs(1), ..version("$LATEST", &[("INIT", "hang")]) };
    bench.serve(vec![function("f", vec![hanging])]);
    let failed = bench.invoke(json!({})).await;
    let message = format!("RequestId: {} Error: Task timed out after 1.00 seconds", failed.request_id);
    assert_eq!(error(&failed), ("Sandbox.Timedout".to_owned(), message));
    assert_eq!(bench.lambda.reports()[0].status, Status::Timeout);
    bench.lambda.shutdown().await;
}

/// Most runtimes keep one connection for all that they ask.
#[tokio::test]
async fn a_process_outlives_the_limit_of_its_init() {
    let bench = Bench::new(Settings { init: SHORT, ..patient() }).await;
    bench.serve(vec![function("f", vec![version("$LATEST", &[("KEEP_CONNECTION", "yes")])])]);
    let answered = bench.invoke(json!({"do": "sleep", "seconds": SHORT.as_secs() + 1})).await;
    assert!(!answered.function_error, "{answered:?}");
    assert_eq!(payload(&bench.invoke(json!("after")).await)["event"], "after");
    assert_eq!(bench.lambda.reports()[1].init_duration, None, "it is the same process");
    bench.lambda.shutdown().await;
}

#[tokio::test]
async fn code_that_cannot_be_run() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    let bench = Bench::new(Settings::default()).await;
    let cases = [
        ("missing", None, 0, "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
        ("forbidden", Some("#!/bin/sh\n"), 0o644, "fork/exec /var/task/bootstrap: permission denied"),
        ("text", Some("neither a script nor a program"), 0o755, "fork/exec /var/task/bootstrap: exec format error"),
    ];
    let mut functions = vec![];
    for (name, content, mode, _) in cases {
        let task_root = bench.file(name);
        fs::create_dir(&task_root).unwrap();
        if let Some(content) = content {
            fs::write(task_root.join("bootstrap"), content).unwrap();
            fs::set_permissions(task_root.join("bootstrap"), fs::Permissions::from_mode(mode)).unwrap();
        }
        functions.push(function(name, vec![FunctionVersion { task_root, ..latest() }]));
    }
    bench.serve(functions);
    for (name, _, _, message) in cases {
        let failed = bench.try_invoke(name, json!({})).await.unwrap();
        let message = format!("RequestId: {} Error: {message}", failed.request_id);
        assert_eq!(error(&failed), ("Runtime.InvalidEntrypoint".to_owned(), message));
    }
    bench.lambda.shutdown().await;
}
