//! Explanations, the journal and access logs.

use serde_json::{Value, json};

use crate::fixture::{Fixture, KEY, echo, proxied, proxy_api, with_plan};

fn keyed() -> Value {
    let mut post = proxied("backend");
    post["security"] = json!([{ "api_key": [] }]);
    json!({
        "paths": { "/pets/{id}": { "post": post } },
        "components": { "securitySchemes": { "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" } } },
    })
}

#[tokio::test]
async fn a_request_can_be_explained_in_place_of_being_answered() {
    let fixture = Fixture::with(with_plan(keyed(), Default::default()), Default::default(), false, echo);
    let headers = [("x-local-explain", "true"), ("x-api-key", KEY), ("authorization", "Bearer secret-token")];
    let answer = fixture.send("POST", "/pets/7?a=b", &headers, "{}").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; charset=utf-8"));
    let log = answer.text();
    assert!(log.starts_with("Execution log for request "), "{log}");
    let mut rest = log;
    for expected in [
        "API Key: k1e2y3 API Stage: a1b2c3d4e5/test",
        "Usage Plan check succeeded for API Key k1e2y3",
        "Starting execution for request: ",
        "HTTP Method: POST, Resource Path: /pets/{id}",
        "Method request path: {id=7}",
        "Method request query string: {a=b}",
        "Method request headers: {",
        "Method request body before transformations: {}",
        "Endpoint request URI: https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:backend/invocations",
        "Endpoint request body after transformations: {\"resource\":\"/pets/{id}\"",
        "Received response. Status: 200, Integration latency: ",
        "Endpoint response body before transformations: {",
        "Method response body after transformations: {",
        "Method response headers: {",
        "Successfully completed execution",
        "Method completed with status: 200",
    ] {
        let at = rest.find(expected).unwrap_or_else(|| panic!("no '{expected}' in what follows of\n{log}"));
        rest = &rest[at..];
    }
    assert!(!log.contains(KEY) && !log.contains("secret-token"), "{log}");
    assert!(!log.contains("x-local-explain"), "{log}");
    assert!(fixture.lambda.last_event()["headers"].get("x-local-explain").is_none());
}

#[tokio::test]
async fn a_refusal_is_explained_too() {
    let fixture = Fixture::new(keyed(), echo);
    let answer = fixture.send("POST", "/pets/7", &[("x-local-explain", "true"), ("x-api-key", "wrong")], "").await;
    for expected in [
        "API Key not found",
        "Gateway response type: INVALID_API_KEY with status code: 403",
        "Method completed with status: 403",
    ] {
        assert!(answer.text().contains(expected), "no '{expected}' in {}", answer.text());
    }
}

#[tokio::test]
async fn finished_requests_are_data() {
    let fixture = Fixture::with(with_plan(keyed(), Default::default()), Default::default(), false, echo);
    let mut listener = fixture.gateway.subscribe();
    fixture.send("POST", "/pets/7", &[("x-api-key", KEY)], "").await;
    fixture.get("/nothing").await;
    let first = listener.recv().await.unwrap();
    assert_eq!(listener.recv().await.unwrap().gateway_response, Some("MISSING_AUTHENTICATION_TOKEN"));
    let request = serde_json::to_value(&*first).unwrap();
    for (name, expected) in [
        ("apiId", json!("a1b2c3d4e5")),
        ("apiName", json!("strings")),
        ("stage", json!("test")),
        ("method", json!("POST")),
        ("path", json!("/test/pets/7")),
        ("resourcePath", json!("/pets/{id}")),
        ("status", json!(200)),
        ("apiKeyId", json!("k1e2y3")),
        ("gatewayResponse", Value::Null),
    ] {
        assert_eq!(request[name], expected, "{name}");
    }
    assert!(!request.to_string().contains(KEY));
    let recent: Vec<u16> = fixture.gateway.recent().iter().map(|request| request.status).collect();
    assert_eq!(recent, [200, 403]);
}

#[tokio::test]
async fn the_journal_keeps_the_start_of_a_long_body_only() {
    let fixture = Fixture::new(proxy_api(), echo);
    fixture.send("POST", "/", &[], vec![b'a'; 1_000_000]).await;
    let request = fixture.gateway.recent().pop().unwrap();
    let length: usize = request.log.iter().map(String::len).sum();
    assert!(length < 10_000, "{length}");
}
