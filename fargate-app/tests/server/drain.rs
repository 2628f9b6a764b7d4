//! SIGTERM.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

use crate::support::{KEY, Server, request};

#[test]
fn under_load_no_request_is_lost_on_connections_that_are_kept() {
    let server = Server::start(&[]);
    let text = request("POST /string/replace", &[("x-api-key", KEY)], r#"{"content":"ING"}"#);
    let (answered, told) = (AtomicUsize::new(0), AtomicBool::new(false));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut client = server.connect();
                loop {
                    let answer = client.send(&text).expect("no request is lost");
                    assert_eq!(answer.body, r#"{"message":"ING BANK"}"#);
                    answered.fetch_add(1, SeqCst);
                    if answer.head.contains("\r\nconnection: close\r\n") {
                        break assert!(told.load(SeqCst), "closed for no reason");
                    }
                }
            });
        }
        while answered.load(SeqCst) < 500 {
            std::thread::sleep(Duration::from_millis(1));
        }
        told.store(true, SeqCst);
        server.terminate();
    });
    let (status, lines) = server.ended();
    assert!(status.success());
    assert_eq!(lines.iter().filter(|line| line["message"] == "request").count(), answered.load(SeqCst));
    assert_eq!(lines.last().unwrap()["Requests"], answered.load(SeqCst), "the last line tells what was counted");
}

#[test]
fn a_request_that_never_ends_is_not_waited_for_for_ever() {
    use std::io::Write;
    let server = Server::start(&[("DRAIN_SECONDS", "1")]);
    let mut client = server.connect();
    let start = format!("POST /string/replace HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-length: 99\r\n\r\nx");
    client.0.write_all(start.as_bytes()).unwrap();
    server.connect().send(&request("GET /status/health", &[], "")).unwrap();
    let start = Instant::now();
    server.terminate();
    let (status, lines) = server.ended();
    assert!(status.success());
    assert!(start.elapsed() < Duration::from_secs(10));
    let aborted = |line: &&serde_json::Value| line["aborted"] == true && line["status"].is_null();
    assert_eq!(lines.iter().filter(aborted).count(), 1, "it is logged all the same");
}

#[test]
fn connections_without_a_request_are_closed() {
    let server = Server::start(&[]);
    let (mut idle, _silent) = (server.connect(), server.connect());
    idle.send(&request("GET /status/health", &[], "")).unwrap();
    let start = Instant::now();
    server.terminate();
    assert!(server.ended().0.success());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(idle.is_closed());
}
