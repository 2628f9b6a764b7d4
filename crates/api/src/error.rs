//! What goes wrong, and the one shape in which a client is told.

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};

use crate::answer;

/// Why a request was not served. Each has a stable message; causes go to the log, not to the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Error {
    /// The body is not JSON, or broke off.
    Undecodable,
    /// The body is JSON, but has no string `content`.
    Malformed,
    /// No API key, or a wrong one.
    Forbidden,
    /// No such path, or not with this method.
    NotFound,
    /// The body is over [`crate::Config::max_body_bytes`].
    TooLarge,
    /// A charset or content encoding that is not supported.
    UnsupportedMediaType,
    /// More requests at a time than this process takes on.
    Overloaded,
    /// No map was ever loaded.
    NoMap,
    /// What is needed to answer cannot be reached.
    Unavailable,
}

impl Error {
    /// The HTTP status.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Undecodable | Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Overloaded | Self::NoMap | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The response body. Where API Gateway answers the same by itself, its words are used.
    pub fn json(self) -> &'static str {
        match self {
            Self::Undecodable => r#"{"message":"Something went wrong in decoding Payload"}"#,
            Self::Malformed => r#"{"message":"Malformed Input"}"#,
            Self::Forbidden => r#"{"message":"Forbidden"}"#,
            Self::NotFound => r#"{"message":"Not Found"}"#,
            Self::TooLarge => r#"{"message":"Request Too Long"}"#,
            Self::UnsupportedMediaType => r#"{"message":"Unsupported Media Type"}"#,
            Self::Overloaded => r#"{"message":"Too Many Requests At Once"}"#,
            Self::NoMap => r#"{"message":"No Map Loaded"}"#,
            Self::Unavailable => r#"{"message":"Service Unavailable"}"#,
        }
    }

    /// The response, with whatever kind of body the server uses.
    pub fn response<B: From<Bytes>>(self) -> http::Response<B> {
        let mut response = answer::json(self.status(), self.json());
        if matches!(self, Self::Overloaded | Self::Unavailable) {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.response()
    }
}
