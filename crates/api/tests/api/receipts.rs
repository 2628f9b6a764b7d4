//! `GET /publish/{id}`.

use std::pin::Pin;
use std::time::Duration;

use api::Principal;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::Request;
use publish::{Begun, Bodies, Id, Receipt, Receipts, Status, StoreError, Storing};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::support::Answer;

const ID: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

/// A bucket with one body, of `sender`.
#[derive(Clone, Copy)]
struct Bucket {
    sender: Result<Option<&'static str>, &'static str>,
}

/// A table with one receipt.
struct Table(Result<Option<Receipt>, &'static str>);

type Answering<T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send>>;

fn answer<T: Send + 'static>(value: Result<T, &'static str>) -> Answering<T> {
    let value = value.map_err(StoreError::new);
    Box::pin(async { value })
}

impl Bodies for Bucket {
    fn read<'a>(&'a self, _: &'a Id) -> Storing<'a, Option<publish::Body>> {
        unreachable!("a receipt needs no body")
    }

    fn write_result<'a>(&'a self, _: &'a Id, _: &'a str, _: Bytes) -> Storing<'a, ()> {
        unreachable!("asking changes nothing")
    }

    fn principal<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<String>> {
        let known = id.to_string() == ID;
        answer(self.sender.map(|sender| sender.filter(|_| known).map(str::to_owned)))
    }

    fn result_link<'a>(&'a self, id: &'a Id, valid_for: Duration) -> Storing<'a, String> {
        answer(self.sender.map(|_| format!("https://bucket/results/{id}?expires={}", valid_for.as_secs())))
    }
}

impl Receipts for Table {
    fn begin<'a>(&'a self, _: &'a Id, _: &'a str) -> Storing<'a, Begun> {
        unreachable!("asking changes nothing")
    }

    fn done<'a>(&'a self, _: &'a Id, _: u64, _: u64) -> Storing<'a, bool> {
        unreachable!("asking changes nothing")
    }

    fn failed<'a>(&'a self, _: &'a Id, _: u64, _: &'a str) -> Storing<'a, bool> {
        unreachable!("asking changes nothing")
    }

    fn find<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Receipt>> {
        let known = id.to_string() == ID;
        answer(self.0.clone().map(|receipt| receipt.filter(|_| known)))
    }
}

/// A body of alice's, with a receipt of hers in that status.
fn api(status: Option<Status>) -> Router {
    let receipt = status.map(|status| Receipt { principal: "alice".to_owned(), status, attempts: 2 });
    api::receipts(Box::new(Bucket { sender: Ok(Some("alice")) }), Box::new(Table(Ok(receipt))))
}

async fn request(api: &Router, method: &str, principal: &str, path: &str) -> Answer {
    let mut request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
    request.extensions_mut().insert(Principal(principal.to_owned()));
    let Ok(response) = api.clone().oneshot(request).await;
    Answer::read(response).await
}

async fn ask(api: &Router, principal: &str, id: &str) -> Answer {
    request(api, "GET", principal, &format!("/publish/{id}")).await
}

async fn found(status: Option<Status>) -> Value {
    let answer = ask(&api(status), "alice", ID).await;
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn without_a_receipt_a_body_is_captured() {
    assert_eq!(found(None).await, json!({"id": ID, "status": "captured"}));
}

#[tokio::test]
async fn a_body_that_is_being_processed_says_so() {
    assert_eq!(found(Some(Status::Processing)).await, json!({"id": ID, "status": "processing", "attempts": 2}));
}

#[tokio::test]
async fn a_body_that_is_done_has_a_size_and_a_link_for_a_while() {
    let expected = json!({
        "id": ID, "status": "done", "attempts": 2, "size": 10_485_760,
        "result": format!("https://bucket/results/{ID}?expires=300"), "result_expires_in_seconds": 300,
    });
    assert_eq!(found(Some(Status::Done { size: 10_485_760 })).await, expected);
}

#[tokio::test]
async fn a_body_that_failed_says_why() {
    let reason = "the content type says JSON, but the body is not".to_owned();
    let expected = json!({"id": ID, "status": "failed", "attempts": 2, "reason": reason});
    assert_eq!(found(Some(Status::Failed { reason })).await, expected);
}

#[tokio::test]
async fn what_is_unknown_or_no_id_is_not_found() {
    for status in [None, Some(Status::Processing)] {
        let api = api(status);
        for id in ["another", "a%2Fb", "..%2F..", "a.b", &"x".repeat(65)] {
            ask(&api, "alice", id).await.assert(404, r#"{"message":"Not Found"}"#);
        }
    }
}

#[tokio::test]
async fn what_is_another_s_is_not_found_either() {
    for status in [None, Some(Status::Processing), Some(Status::Done { size: 1 })] {
        let api = api(status);
        for principal in ["bob", "", "Alice"] {
            ask(&api, principal, ID).await.assert(404, r#"{"message":"Not Found"}"#);
        }
    }
}

#[tokio::test]
async fn without_an_authorizer_everybody_is_the_same() {
    let open = api::receipts(Box::new(Bucket { sender: Ok(Some("")) }), Box::new(Table(Ok(None))));
    assert_eq!(ask(&open, "", ID).await.json(), json!({"id": ID, "status": "captured"}));
}

#[tokio::test]
async fn a_store_that_fails_is_no_answer_about_the_body() {
    let done = Receipt { principal: "alice".to_owned(), status: Status::Done { size: 1 }, attempts: 1 };
    let failing = [
        (Bucket { sender: Ok(Some("alice")) }, Table(Err("the table is down"))),
        (Bucket { sender: Err("the bucket is down") }, Table(Ok(None))),
        (Bucket { sender: Err("nothing can be signed") }, Table(Ok(Some(done)))),
    ];
    for (bucket, table) in failing {
        let answer = ask(&api::receipts(Box::new(bucket), Box::new(table)), "alice", ID).await;
        answer.assert(503, r#"{"message":"Service Unavailable"}"#);
        assert_eq!(answer.headers["retry-after"], "1");
    }
}

#[tokio::test]
async fn another_method_or_path_is_not_found() {
    let api = api(None);
    for (method, path) in [
        ("POST", format!("/publish/{ID}")),
        ("DELETE", format!("/publish/{ID}")),
        ("GET", "/publish".to_owned()),
        ("GET", format!("/publish/{ID}/more")),
        ("GET", "/".to_owned()),
    ] {
        request(&api, method, "alice", &path).await.assert(404, r#"{"message":"Not Found"}"#);
    }
}
