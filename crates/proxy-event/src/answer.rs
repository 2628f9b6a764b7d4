//! A router's response as an answer.

use std::pin::Pin;

use http::{Response, StatusCode};
use http_body_util::BodyExt;
use lambda_http::{Body, IntoResponse};

/// A response with its body read: text as text, anything else in base64.
///
/// `lambda_http` would do that too, but by decoding the text from its charset, which drops a byte order mark: text
/// must come back as it came.
pub struct Answer(Response<Body>);

impl Answer {
    /// Reads the body to its end.
    pub async fn of(response: Response<axum::body::Body>) -> Self {
        let (head, body) = response.into_parts();
        let body = match body.collect().await {
            Ok(body) => match String::from_utf8(body.to_bytes().into()) {
                Ok(text) => Body::Text(text),
                Err(other) => Body::Binary(other.into_bytes()),
            },
            Err(error) => {
                // Only a body that is made while it is read can fail, and then the status has been decided on.
                tracing::error!("the response ended early: {error}");
                Body::Empty
            }
        };
        Self(Response::from_parts(head, body))
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status()
    }

    /// Bytes of the body.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.body().len()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Pin<Box<dyn Future<Output = Response<Body>> + Send>> {
        Box::pin(std::future::ready(self.0))
    }
}
