//! Clients that take more than their share.

use std::io::Write;

use crate::support::{KEY, Server, request};

#[test]
fn clients_that_say_nothing_keep_out_nobody() {
    let server = Server::start(&[("MAX_CONNECTIONS", "10")]);
    let mut crowd: Vec<_> = (0..30).map(|_| server.connect()).collect();
    for client in &mut crowd {
        // Those that had to make room already are closed.
        _ = client.0.write_all(b"POST /string/replace HTTP/1.1\r\nhost: ");
    }
    for _ in 0..5 {
        assert_eq!(server.post(r#"{"content":"ING"}"#).body, r#"{"message":"ING BANK"}"#);
    }
}

#[test]
fn a_head_has_to_be_complete_in_time_however_slowly_it_comes() {
    let server = Server::start(&[("HEADER_READ_TIMEOUT_SECONDS", "1")]);
    let mut client = server.connect();
    let mut bytes = 0;
    while client.0.write_all(b"G").is_ok() {
        bytes += 1;
        assert!(bytes < 100, "still open after 10 s");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert!(client.is_closed());
}

#[test]
fn a_body_that_stalls_and_a_connection_without_requests_are_given_up() {
    let server = Server::start(&[("BODY_STALL_TIMEOUT_SECONDS", "1"), ("IDLE_TIMEOUT_SECONDS", "1")]);
    let mut stalled = server.connect();
    let start = format!("POST /string/replace HTTP/1.1\r\nhost: x\r\nx-api-key: {KEY}\r\ncontent-length: 99\r\n\r\nx");
    stalled.0.write_all(start.as_bytes()).unwrap();
    let mut idle = server.connect();
    assert_eq!(idle.send(&request("GET /status/health", &[], "")).unwrap().status, 200);
    assert!(stalled.is_closed());
    assert!(idle.is_closed());
}

#[test]
fn one_request_too_many_is_turned_away_and_health_is_not() {
    let server = Server::start(&[("MAX_CONCURRENT_REQUESTS", "1")]);
    let body = r#"{"content":"ING"}"#;
    let whole = request("POST /string/replace", &[("x-api-key", KEY), ("expect", "100-continue")], body);
    let (start, rest) = whole.split_at(whole.len() - body.len());
    let mut first = server.connect();
    first.0.write_all(start.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    std::io::Read::read_exact(&mut first.0, &mut go_on).unwrap(); // it has been taken on

    let turned_away = server.post(body);
    assert_eq!(turned_away.status, 503);
    assert!(turned_away.head.contains("\r\nretry-after: 1\r\n"));
    assert_eq!(server.connect().send(&request("GET /status/health", &[], "")).unwrap().status, 200);

    assert_eq!(first.send(rest).unwrap().status, 200);
    assert_eq!(server.post(body).status, 200);
}
