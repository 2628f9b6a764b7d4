//! JSON answers.

use axum::response::Response;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// What every answer has, right or wrong.
#[derive(Serialize, ToSchema)]
pub(crate) struct Message {
    /// The text asked for, or what was wrong.
    #[allow(dead_code, reason = "the schema's only: answers are written without decoding them into this")]
    message: String,
}

/// A JSON answer from text that is JSON already, with whatever kind of body the server uses.
pub(crate) fn json<B: From<Bytes>>(status: StatusCode, json: impl Into<Bytes>) -> http::Response<B> {
    let mut response = http::Response::new(json.into().into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A JSON answer from a value.
pub(crate) fn to_json(status: StatusCode, value: &impl Serialize) -> Response {
    json(status, serde_json::to_vec(value).expect("plain structs of strings and numbers are JSON"))
}
