//! `/status/...`.

use crate::support::{api, api_without_map, request};

#[tokio::test]
async fn health_is_up_with_and_without_a_map() {
    for api in [api().await, api_without_map()] {
        request(&api, "GET", "/status/health", "").await.assert(200, r#"{"message":"UP"}"#);
    }
}

#[tokio::test]
async fn ready_tells_which_map_serves_and_none_of_it() {
    let answer = request(&api().await, "GET", "/status/ready", "").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), serde_json::json!({"source": "built-in", "version": "1", "rules": 5, "age_seconds": 0}));
}

#[tokio::test]
async fn without_a_map_it_is_not_ready() {
    let answer = request(&api_without_map(), "GET", "/status/ready", "").await;
    answer.assert(503, r#"{"message":"No Map Loaded","source":"down"}"#);
}
