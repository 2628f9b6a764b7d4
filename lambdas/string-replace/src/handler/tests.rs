//! Replays events as API Gateway sends them.

use std::sync::Mutex;

use http::Response;
use lambda_http::request::from_str;
use lambda_http::{Body, IntoResponse};
use mapping::{BuiltIn, Fetched, Fetching, Source, SourceError, Version};
use replace::{Rule, Rules};

use super::*;

async fn replay_with(source: impl Source, event: &str) -> Response<Body> {
    let mapping = Mapping::new(Box::new(source), Duration::from_secs(60));
    let metrics = Arc::default();
    let api = Api::new(Arc::clone(&mapping), Arc::clone(&metrics), api::Config::default());
    let answer = Handler::new(api, mapping, metrics).call(from_str(event).unwrap()).await.unwrap();
    answer.into_response().await
}

async fn replay(event: &str) -> (u16, Body) {
    let response = replay_with(BuiltIn, event).await;
    (response.status().as_u16(), response.into_body())
}

fn text(text: &str) -> Body {
    Body::Text(text.to_owned())
}

macro_rules! event {
    ($name:literal) => {
        include_str!(concat!("../../events/", $name, ".json"))
    };
}

#[tokio::test]
async fn json_is_replaced_wherever_the_api_is_mounted() {
    for event in [
        event!("json"),
        event!("repeated_headers"),
        event!("custom_domain"),
        event!("custom_domain_with_base_path"),
        event!("base_path_that_is_a_path_of_the_api"),
        event!("stage_in_path"),
        event!("greedy_proxy"),
        event!("console_test"),
        event!("made_by_hand"),
    ] {
        assert_eq!(replay(event).await, (200, text(r#"{"message":"ABN AMRO and ING BANK"}"#)), "{event}");
    }
}

#[tokio::test]
async fn text_is_answered_as_text() {
    assert_eq!(replay(event!("text")).await, (200, text("Größe: ABN AMRO")));
}

#[tokio::test]
async fn a_body_in_base64_is_what_it_encodes() {
    assert_eq!(replay(event!("text_in_base64")).await, (200, text("Größe: ABN AMRO")));
    assert_eq!(replay(event!("json_in_base64")).await, (200, text(r#"{"message":"ABN AMRO"}"#)));
}

#[tokio::test]
async fn a_body_that_is_missing_or_not_json_is_told_so() {
    let told = (400, text(r#"{"message":"Something went wrong in decoding Payload"}"#));
    assert_eq!(replay(event!("no_body")).await, told);
    assert_eq!(replay(event!("not_json")).await, told);
}

#[tokio::test]
async fn an_unknown_path_is_not_found() {
    assert_eq!(replay(event!("unknown_path")).await, (404, text(r#"{"message":"Not Found"}"#)));
}

#[tokio::test]
async fn a_byte_order_mark_comes_back() {
    let mut event: serde_json::Value = serde_json::from_str(event!("text")).unwrap();
    event["body"] = "\u{feff}abn".into();
    assert_eq!(replay(&event.to_string()).await, (200, text("\u{feff}ABN AMRO")));
}

#[tokio::test]
async fn bytes_that_are_not_text_come_back_as_bytes() {
    let mut event: serde_json::Value = serde_json::from_str(event!("text_in_base64")).unwrap();
    event["body"] = "/2FibiBhYm4=".into(); // FF, then `abn abn`
    let (status, body) = replay(&event.to_string()).await;
    assert_eq!((status, body), (200, Body::Binary(b"\xffABN AMRO ABN AMRO".to_vec())));
}

/// Fails as often as it is told, then holds a map.
struct Failing(Mutex<u32>);

impl Source for Failing {
    fn fetch<'a>(&'a self, _: Option<&'a Version>) -> Fetching<'a> {
        Box::pin(async {
            let mut left = self.0.lock().unwrap();
            if *left > 0 {
                *left -= 1;
                return Err(SourceError::unavailable("down"));
            }
            let rules = Rules::from_iter([Rule::literal("abn", "recovered")]);
            Ok(Fetched::Changed { version: Version::new(1), rules })
        })
    }

    fn name(&self) -> &str {
        "failing"
    }
}

#[tokio::test]
async fn without_a_map_the_client_is_told_so() {
    let response = replay_with(Failing(Mutex::new(u32::MAX)), event!("json")).await;
    assert_eq!(response.status(), 503);
    assert!(matches!(response.into_body(), Body::Text(told) if told.starts_with(r#"{"message":"#)));
}

#[tokio::test]
async fn a_source_that_has_recovered_is_read_by_the_next_request() {
    let response = replay_with(Failing(Mutex::new(0)), event!("json")).await;
    assert_eq!(response.into_body(), text(r#"{"message":"recovered and ing"}"#));
}
