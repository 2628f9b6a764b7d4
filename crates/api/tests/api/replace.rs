//! `POST /string/replace` with JSON.

use std::sync::Arc;
use std::time::SystemTime;

use api::{Api, Config, Metrics};
use axum::body::Body;
use http::Request;
use serde_json::Value;

use crate::support::{api, api_with, api_without_map, loaded, post, request, send};

#[tokio::test]
async fn the_rules_are_applied_on_both_paths_and_whatever_the_content_type() {
    let api = api().await;
    for path in ["/string/replace", "/api/string/replace"] {
        let answer = request(&api, "POST", path, r#"{"content":"abn and ING, not ending"}"#).await;
        answer.assert(200, r#"{"message":"ABN AMRO and ING BANK, not ending"}"#);
    }
    for content_type in ["application/json", "application/x-www-form-urlencoded", "text/html", "nonsense"] {
        let answer = post(&api, ("content-type", content_type), r#"{"content":"Rabo"}"#).await;
        answer.assert(200, r#"{"message":"Rabobank"}"#);
    }
}

#[tokio::test]
async fn escaped_text_means_what_it_says() {
    let answer =
        request(&api().await, "POST", "/string/replace", r#"{"content":"a\n\"\u0049NG\" \u00e9ING \/"}"#).await;
    assert_eq!(answer.json(), serde_json::json!({"message": "a\n\"ING BANK\" éING /"}));
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told_in_the_words_of_the_contract() {
    let api = api().await;
    for body in ["", "x", "{", r#"{"content":"\ud800"}"#] {
        let answer = request(&api, "POST", "/string/replace", body).await;
        answer.assert(400, r#"{"message":"Something went wrong in decoding Payload"}"#);
    }
    for body in ["[]", "{}", r#"{"content":1}"#] {
        request(&api, "POST", "/string/replace", body).await.assert(400, r#"{"message":"Malformed Input"}"#);
    }
}

fn json_of(length: usize) -> String {
    format!(r#"{{"content":"{}"}}"#, "x".repeat(length - r#"{"content":""}"#.len()))
}

/// A body without an announced length that comes in pieces.
fn in_pieces(text: String, size: usize) -> Body {
    let pieces: Vec<_> = text.as_bytes().chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    Body::from_stream(futures_util::stream::iter(pieces))
}

#[tokio::test]
async fn a_body_may_be_as_large_as_the_limit_and_no_larger() {
    let api = api_with(Config { max_body_bytes: 1000 }).await;
    for (length, status) in [(999, 200), (1000, 200), (1001, 413)] {
        assert_eq!(
            request(&api, "POST", "/string/replace", json_of(length)).await.status,
            status,
            "announced {length}"
        );
        for size in [7, 500, 2000] {
            let answer = request(&api, "POST", "/string/replace", in_pieces(json_of(length), size)).await;
            assert_eq!(answer.status, status, "{length} in pieces of {size}");
        }
    }
    request(&api, "POST", "/string/replace", json_of(1001)).await.assert(413, r#"{"message":"Request Too Long"}"#);
}

#[tokio::test]
async fn a_body_announced_as_too_large_is_not_read() {
    let body = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
    let request = Request::post("/string/replace").header("content-length", "10485761").body(body).unwrap();
    assert_eq!(send(&api().await, request).await.status, 413);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_not_taken_for_a_whole_one() {
    let pieces = [Ok(r#"{"content":"x"}"#), Err(std::io::Error::other("gone"))];
    let body = Body::from_stream(futures_util::stream::iter(pieces));
    assert_eq!(request(&api().await, "POST", "/string/replace", body).await.status, 400);
}

#[tokio::test]
async fn without_a_map_a_good_request_is_refused_and_a_bad_one_is_told_so() {
    let api = api_without_map();
    request(&api, "POST", "/string/replace", r#"{"content":"x"}"#).await.assert(503, r#"{"message":"No Map Loaded"}"#);
    request(&api, "POST", "/string/replace", "x")
        .await
        .assert(400, r#"{"message":"Something went wrong in decoding Payload"}"#);
}

#[tokio::test]
async fn requests_and_replacements_are_told_once() {
    let (mapping, metrics) = (loaded().await, Arc::new(Metrics::default()));
    let api = Api::new(Arc::clone(&mapping), Arc::clone(&metrics), Config::default());
    request(&api, "POST", "/string/replace", r#"{"content":"ING ABN"}"#).await;
    post(&api, ("content-type", "text/plain"), "ING").await;
    metrics.answered(http::StatusCode::OK, std::time::Duration::from_millis(2));
    metrics.answered(http::StatusCode::NOT_FOUND, std::time::Duration::from_millis(2));

    let line = || serde_json::from_str::<Value>(&metrics.take_line("test", &mapping, SystemTime::now())).unwrap();
    let told = line();
    assert_eq!((&told["Replacements"], &told["Service"]), (&3.into(), &"test".into()));
    assert_eq!((&told["Requests"], &told["ClientErrors"], &told["ServerErrors"]), (&2.into(), &1.into(), &0.into()));
    assert_eq!(told["Latency"]["Counts"], serde_json::json!([2]));
    assert_eq!((&told["MapAge"], &told["MapRefreshFailures"]), (&0.into(), &0.into()));
    for metric in told["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap() {
        assert!(told.get(metric["Name"].as_str().unwrap()).is_some(), "{metric} has no value");
    }

    let again = line();
    assert_eq!((&again["Replacements"], &again["Requests"], again.get("Latency")), (&0.into(), &0.into(), None));
}
