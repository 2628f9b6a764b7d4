//! JSON answers.

use axum::response::{IntoResponse, Response};
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

/// A JSON answer from text that is JSON already.
pub(crate) fn json(status: StatusCode, json: impl Into<Bytes>) -> Response {
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], json.into()).into_response()
}

/// A JSON answer from a value.
pub(crate) fn to_json(status: StatusCode, value: &impl Serialize) -> Response {
    json(status, serde_json::to_vec(value).expect("plain structs of strings and numbers are JSON"))
}
