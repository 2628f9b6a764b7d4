//! `POST /string/replace` with text.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::Request;
use http_body_util::BodyExt;

use crate::support::{api, api_without_map, post};

const TEXT: (&str, &str) = ("content-type", "text/plain; charset=utf-8");

#[tokio::test]
async fn text_is_answered_with_text() {
    let api = api().await;
    let answer = post(&api, TEXT, "ABN, “ING” and\r\n\"x\"\u{0}").await;
    assert_eq!(answer.text(), "ABN AMRO, “ING BANK” and\r\n\"x\"\u{0}");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(post(&api, TEXT, "").await.text(), "");
}

#[tokio::test]
async fn bytes_that_are_no_text_pass_as_they_are() {
    assert_eq!(post(&api().await, TEXT, &b"\xff ING \xc3"[..]).await.body, &b"\xff ING BANK \xc3"[..]);
}

#[tokio::test]
async fn where_the_text_is_cut_makes_no_difference() {
    let (api, text) = (api().await, "ING é ABN-volksbank ing_ 中ing “rabo”");
    let whole = post(&api, TEXT, text).await.body;
    for size in 1..text.len() {
        let pieces: Vec<_> = text.as_bytes().chunks(size).map(|p| Ok::<_, std::io::Error>(p.to_vec())).collect();
        let answer = post(&api, TEXT, Body::from_stream(stream::iter(pieces))).await;
        assert_eq!(answer.body, whole, "pieces of {size}");
    }
}

#[tokio::test]
async fn the_first_bytes_are_out_before_the_last_are_in_and_no_more_is_read_than_is_taken() {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let endless = stream::repeat_with(move || {
        count.fetch_add(1, Ordering::Relaxed);
        Ok::<_, std::io::Error>(Bytes::from("some ING text. ".repeat(1000)))
    });
    let request = Request::post("/string/replace").header(TEXT.0, TEXT.1).body(Body::from_stream(endless)).unwrap();
    let mut body = api().await.answer(request).await.into_body();
    for frames in 1..=5 {
        let data = body.frame().await.unwrap().unwrap().into_data().unwrap();
        assert!(data.starts_with(b"some ING BANK text. ") || frames > 1);
        assert!(taken.load(Ordering::Relaxed) <= frames + 1);
    }
}

#[tokio::test]
async fn a_request_that_breaks_off_breaks_off_its_response() {
    let pieces = stream::iter([Ok("ABN. "), Err(std::io::Error::other("gone"))]);
    let request = Request::post("/string/replace").header(TEXT.0, TEXT.1).body(Body::from_stream(pieces)).unwrap();
    let response = api().await.answer(request).await;
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_stream_that_waits_does_not_hold_up_its_response() {
    let pieces = stream::iter([Ok::<_, std::io::Error>("ING and more. ".repeat(10))]).chain(stream::pending());
    let request = Request::post("/string/replace").header(TEXT.0, TEXT.1).body(Body::from_stream(pieces)).unwrap();
    let mut body = api().await.answer(request).await.into_body();
    let first = tokio::time::timeout(Duration::from_secs(5), body.frame()).await.unwrap().unwrap().unwrap();
    assert!(first.into_data().unwrap().starts_with(b"ING BANK and"));
}

#[tokio::test]
async fn without_a_map_text_is_refused() {
    post(&api_without_map(), TEXT, "ING").await.assert(503, r#"{"message":"No Map Loaded"}"#);
}
