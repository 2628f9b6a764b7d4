//! Tasks: what they are given, and what becomes of those that end, are ill, or are too many.

use http::{Request, StatusCode};
use serde_json::Value;

use crate::support::{Deployed, eventually, is_running, send};

fn statuses(tasks: &[Value]) -> Vec<&str> {
    tasks.iter().map(|task| task["lastStatus"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_gets_its_environment_its_secrets_and_nothing_of_ours() {
    let mut deployed = Deployed::new().await;
    deployed.environment().insert("GREETING".into(), "hello".into());
    deployed.container().secrets = vec![
        ("API_KEY".into(), "arn:aws:ssm:eu-west-1:123456789012:parameter/api/key".into()),
        ("PASSWORD".into(), "arn:aws:secretsmanager:eu-west-1:123456789012:secret:db-AbCdEf:password::".into()),
    ];
    deployed.steady().await;
    let environment = deployed.get("/environment").await.json();
    let mut expected = serde_json::json!({
        "GREETING": "hello", "HOST": "127.0.0.1", "API_KEY": "parameter-1", "PASSWORD": "secret-1",
        "AWS_ENDPOINT_URL": deployed.control_plane.url(), "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true", "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
    });
    expected["PORT"] = environment["PORT"].clone();
    let mut given = environment.as_object().unwrap().clone();
    // Set by Python itself where there is no locale.
    given.remove("LC_CTYPE");
    assert_eq!(Value::Object(given), expected);
    assert_ne!(environment["PORT"], "8080");
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_that_is_missing_stops_the_task_before_it_starts() {
    let mut deployed = Deployed::new().await;
    deployed.container().secrets = vec![("API_KEY".into(), "/no/such/key".into())];
    deployed.apply().await;
    let told = eventually("ECS tells why", async || {
        deployed.control_plane.tasks().into_iter().find(|task| task["lastStatus"] == "STOPPED")
    })
    .await;
    assert_eq!(told["stopCode"], "TaskFailedToStart");
    let reason = told["stoppedReason"].as_str().unwrap();
    assert!(reason.starts_with("ResourceInitializationError: unable to pull secrets: /no/such/key"), "{reason}");
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_ends_at_once_is_tried_again_until_it_stays() {
    let mut deployed = Deployed::new().await;
    deployed.environment().insert("EXIT_AT_ONCE".into(), "1".into());
    deployed.apply().await;
    eventually("two tasks have ended", async || {
        let tasks = deployed.control_plane.tasks();
        (statuses(&tasks).iter().filter(|status| **status == "STOPPED").count() >= 2).then_some(())
    })
    .await;
    deployed.environment().remove("EXIT_AT_ONCE");
    deployed.service().task_sets[0].key = "2".into();
    deployed.steady().await;
    assert_eq!(deployed.get("/").await.status, StatusCode::OK);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_becomes_unhealthy_is_replaced() {
    let mut deployed = Deployed::new().await;
    let ready = deployed.folder.file("ready");
    std::fs::write(&ready, "").unwrap();
    deployed.environment().insert("READY_FILE".into(), ready.display().to_string());
    deployed.service().health_check_grace_period = std::time::Duration::ZERO;
    // Long enough for a busy machine to start a process before three checks count as failed.
    deployed.snapshot.target_groups[0].health_check.interval = std::time::Duration::from_secs(60);
    deployed.steady().await;
    let pid = deployed.get("/pid").await.body;
    std::fs::remove_file(&ready).unwrap();
    eventually("the task is ended", async || (!is_running(&pid)).then_some(())).await;
    std::fs::write(&ready, "").unwrap();
    let told = eventually("ECS tells why", async || {
        deployed.control_plane.tasks().into_iter().find(|task| task["lastStatus"] == "STOPPED")
    })
    .await;
    assert!(told["stoppedReason"].as_str().unwrap().starts_with("Task failed ELB health checks"), "{told}");
    eventually("another task is healthy", async || {
        let answer = deployed.get("/pid").await;
        (answer.status == StatusCode::OK && answer.body != pid).then_some(())
    })
    .await;
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_too_many_ends_its_requests_first() {
    let mut deployed = Deployed::new().await;
    let release = deployed.folder.file("release");
    deployed.environment().insert("RELEASE_FILE".into(), release.display().to_string());
    deployed.steady().await;
    let pid = deployed.get("/pid").await.body;
    let address = deployed.address();
    let running = tokio::spawn(send(address, Request::get("/hang")));
    let waiting = deployed.folder.file("release.waiting");
    eventually("the request is under way", async || waiting.exists().then_some(())).await;
    deployed.service().task_sets[0].desired_count = 0;
    deployed.apply().await;
    eventually("the target drains", async || (deployed.control_plane.states() == ["draining"]).then_some(())).await;
    assert!(is_running(&pid));
    assert_eq!(deployed.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE, "no new requests");
    std::fs::write(&release, "").unwrap();
    let answer = running.await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "released"));
    eventually("the task is ended", async || (!is_running(&pid)).then_some(())).await;
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stop_task_ends_one_and_another_starts() {
    let mut deployed = Deployed::new().await;
    deployed.steady().await;
    let task = eventually("ECS tells of the task", async || deployed.control_plane.tasks().first().cloned()).await;
    let pid = deployed.get("/pid").await.body;
    let id = task["id"].as_str().unwrap().to_owned();
    deployed.service().stopped_tasks.insert(id.clone());
    deployed.apply().await;
    eventually("the task is ended", async || (!is_running(&pid)).then_some(())).await;
    let told = eventually("ECS tells that it is", async || {
        let tasks = deployed.control_plane.tasks();
        tasks.into_iter().find(|task| task["id"] == id.as_str() && task["lastStatus"] == "STOPPED")
    })
    .await;
    assert_eq!(told["stopCode"], "UserInitiated");
    eventually("another task answers", async || (deployed.get("/pid").await.status == StatusCode::OK).then_some(()))
        .await;
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_service_keeps_the_old_task_until_the_new_one_is_healthy() {
    let mut deployed = Deployed::new().await;
    deployed.steady().await;
    let old = deployed.get("/pid").await.body;
    let ready = deployed.folder.file("ready");
    deployed.environment().insert("READY_FILE".into(), ready.display().to_string());
    deployed.service().task_sets[0].key = "2".into();
    deployed.apply().await;
    eventually("the new task runs", async || {
        (statuses(&deployed.control_plane.tasks()) == ["RUNNING", "RUNNING"]).then_some(())
    })
    .await;
    assert_eq!(deployed.get("/pid").await.body, old, "the old one still serves");
    std::fs::write(&ready, "").unwrap();
    eventually("the old task is ended", async || (!is_running(&old)).then_some(())).await;
    assert_ne!(deployed.get("/pid").await.body, old);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_left_after_the_end() {
    let mut deployed = Deployed::new().await;
    deployed.service().task_sets[0].desired_count = 2;
    deployed.steady().await;
    let address = deployed.address();
    let pids = [deployed.get("/pid").await.body, deployed.get("/pid").await.body];
    assert_ne!(pids[0], pids[1]);
    deployed.containers.shut_down().await;
    assert_eq!(pids.map(|pid| is_running(&pid)), [false, false]);
    eventually("the port is closed", async || tokio::net::TcpStream::connect(address).await.err()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_dropped_is_killed() {
    let deployed = Deployed::new().await;
    deployed.steady().await;
    let pid = deployed.get("/pid").await.body;
    drop(deployed.containers);
    eventually("the task is gone", async || (!is_running(&pid)).then_some(())).await;
}
