//! Whatever the body and its type: the API does not panic, never answers 5xx, and answers in its own shape.
//!
//! An input is three parts, divided by the first two line feeds: the lengths of the pieces that the body comes in (a byte
//! each, counted from `0`; what is left comes last), the content type, the body.

use std::convert::Infallible;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::body::Body;
use futures_util::stream;
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt;
use mapping::{BuiltIn, Mapping};
use replace::{Engine, Rules};
use serde_json::Value;
use tokio::runtime::{Builder, Runtime};

/// Low, so that short inputs reach it.
const MAX_BODY_BYTES: usize = 1000;

struct Subject {
    runtime: Runtime,
    api: api::Api,
    engine: Engine,
}

static SUBJECT: LazyLock<Subject> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mapping = Mapping::new(Box::new(BuiltIn), Duration::from_secs(3600));
    runtime.block_on(mapping.refresh());
    let api = api::Api::new(mapping, Arc::default(), api::Config { max_body_bytes: MAX_BODY_BYTES });
    Subject { runtime, api, engine: Engine::new(&Rules::built_in()).expect("valid rules") }
});

pub fn check(input: &[u8]) {
    let mut parts = input.splitn(3, |byte| *byte == b'\n');
    let (Some(cuts), Some(content_type), Some(body)) = (parts.next(), parts.next(), parts.next()) else { return };
    let Ok(content_type) = HeaderValue::from_bytes(content_type) else { return };

    let (mut pieces, mut rest) = (Vec::new(), body);
    for length in cuts.iter().map(|byte| usize::from(byte.wrapping_sub(b'0'))) {
        let (piece, after) = rest.split_at(length.min(rest.len()));
        pieces.push(Ok::<_, Infallible>(piece.to_vec()));
        rest = after;
    }
    pieces.push(Ok(rest.to_vec()));
    let request = Request::post("/string/replace")
        .header(header::CONTENT_TYPE, content_type)
        .body(Body::from_stream(stream::iter(pieces)))
        .expect("a valid request");
    let (head, answer) = SUBJECT.runtime.block_on(async {
        let (head, body) = SUBJECT.api.answer(request).await.into_parts();
        (head, body.collect().await.expect("the whole answer").to_bytes())
    });

    let replaced = |text: &[u8]| {
        let mut out = Vec::new();
        SUBJECT.engine.replace_into(text, &mut out);
        out
    };
    let status = head.status.as_u16();
    if head.headers[header::CONTENT_TYPE] == "text/plain; charset=utf-8" {
        assert_eq!((status, &answer[..]), (200, &replaced(body)[..]));
        return;
    }
    assert_eq!(head.headers[header::CONTENT_TYPE], "application/json");
    let answer: Value = serde_json::from_slice(&answer).expect("JSON");
    let members = answer.as_object().expect("an object");
    let message = members["message"].as_str().expect("a text");
    assert_eq!(members.len(), 1, "{answer}");

    if status == 415 {
        return;
    }
    // The same question, put to serde_json; a number or a lone surrogate that is not looked at is refused by it alone.
    match serde_json::from_slice::<Value>(body) {
        _ if body.len() > MAX_BODY_BYTES => assert_eq!(status, 413),
        Ok(Value::Object(members)) if members.get("content").is_some_and(Value::is_string) => {
            let content = members["content"].as_str().unwrap_or_default();
            assert_eq!((status, message.as_bytes()), (200, &replaced(content.as_bytes())[..]));
        }
        Ok(_) => assert_eq!((status, message), (400, "Malformed Input")),
        Err(_) => assert!(status == 400 || status == 200, "{status}"),
    }
}
