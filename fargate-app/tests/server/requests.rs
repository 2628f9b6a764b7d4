//! What a request passes on its way, and the line that it leaves.

use crate::support::{KEY, Server, request};

#[test]
fn the_key_comes_first_and_what_is_open_needs_none() {
    let server = Server::start(&[]);
    let mut client = server.connect();
    for (line, key, status) in [
        ("POST /string/replace", None, 403),
        ("POST /string/replace", Some("wrong"), 403),
        ("POST /string/replace", Some(KEY), 400),
        ("GET /nowhere", None, 403),
        ("GET /nowhere", Some(KEY), 404),
        ("DELETE /string/replace", Some(KEY), 404),
        ("GET /status/health", None, 200),
        ("GET /status/ready", None, 200),
        ("GET /openapi.json", None, 200),
        ("GET /docs", None, 200),
        ("GET /docs/swagger-ui.css", None, 404),
        ("POST /status/health", None, 404),
    ] {
        // The style sheet is compressed, so not text that this client reads.
        let line = line.replace("swagger-ui.css", "nothing.css");
        let headers: Vec<_> = key.iter().map(|key| ("x-api-key", *key)).collect();
        let answer = client.send(&request(&line, &headers, "")).unwrap();
        assert_eq!(answer.status, status, "{line} with key {key:?}: {answer:?}");
    }
}

#[test]
fn a_request_leaves_a_line_without_its_body_query_or_key() {
    let server = Server::start(&[("TRUSTED_PROXIES", "127.0.0.0/8")]);
    let headers = [
        ("x-api-key", KEY),
        ("x-forwarded-for", "1.1.1.1, 203.0.113.7"),
        ("x-amzn-requestid", "id-1"),
        ("x-amzn-trace-id", "Root=1-2-\"3"),
    ];
    let answer =
        server.connect().send(&request("POST /string/replace?q=hidden", &headers, r#"{"content":"hidden"}"#)).unwrap();
    assert!(answer.head.contains("\r\nx-request-id: id-1\r\n"), "{}", answer.head);
    let lines = server.requests();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for (member, value) in [
        ("method", "POST"),
        ("path", "/string/replace"),
        ("client_ip", "203.0.113.7"),
        ("request_id", "id-1"),
        ("trace_id", "Root=1-2-\"3"),
    ] {
        assert_eq!(line[member], value);
    }
    assert_eq!((&line["status"], &line["bytes_in"], &line["bytes_out"]), (&200.into(), &20.into(), &20.into()));
    assert!(!line.to_string().contains("hidden") && !line.to_string().contains(KEY));
}

#[test]
fn pages_of_listed_origins_may_read_every_answer() {
    let server = Server::start(&[("CORS_ORIGINS", "https://app.example.com")]);
    for (key, status) in [(KEY, 200), ("wrong", 403)] {
        let headers = [("x-api-key", key), ("origin", "https://app.example.com")];
        let answer = server.connect().send(&request("POST /string/replace", &headers, r#"{"content":"a"}"#)).unwrap();
        assert_eq!(answer.status, status);
        assert!(
            answer.head.contains("\r\naccess-control-allow-origin: https://app.example.com\r\n"),
            "{}",
            answer.head
        );
    }
}

#[test]
fn who_is_answered_before_having_sent_everything_gets_the_answer() {
    let server = Server::start(&[("MAX_BODY_BYTES", "1000")]);
    let body = "x".repeat(20_000_000);
    for (key, status) in [(KEY, 413), ("wrong", 403)] {
        let answer = server.connect().send(&request("POST /string/replace", &[("x-api-key", key)], &body)).unwrap();
        assert_eq!(answer.status, status);
    }
}

#[test]
fn a_text_that_breaks_off_leaves_a_line_that_says_so() {
    use std::io::Write;
    let server = Server::start(&[]);
    let mut client = server.connect();
    let headers = format!("host: x\r\nx-api-key: {KEY}\r\ncontent-type: text/plain\r\ncontent-length: 99");
    client.0.write_all(format!("POST /string/replace HTTP/1.1\r\n{headers}\r\n\r\nING").as_bytes()).unwrap();
    client.0.shutdown(std::net::Shutdown::Write).unwrap();
    while !client.is_closed() {}
    let lines = server.requests();
    let [line] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((&line["aborted"], &line["bytes_in"], &line["status"]), (&true.into(), &3.into(), &200.into()));
}

/// Once a response had started, hyper no longer told the client to go on: curl, which asks for anything over a
/// megabyte, kept its text to itself.
#[test]
fn a_client_that_asks_before_it_sends_a_text_is_told_to_go_on() {
    use std::io::{Read, Write};
    let server = Server::start(&[]);
    let mut client = server.connect();
    let headers = [("x-api-key", KEY), ("content-type", "text/plain"), ("expect", "100-continue")];
    let text = request("POST /string/replace", &headers, "ING");
    let (head, body) = text.split_at(text.len() - 3);
    client.0.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    client.0.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    client.0.write_all(body.as_bytes()).unwrap();
    let mut answer = [0; 15];
    client.0.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200 OK");
}
