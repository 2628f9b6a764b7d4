//! Bodies of answers.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::{Response, StatusCode, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// What the front port answers with.
pub type Answer = Response<BoxBody<Bytes, Infallible>>;

/// A whole answer.
pub fn whole(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()).boxed());
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static(content_type));
    answer
}

pub fn json(status: StatusCode, value: &Value) -> Answer {
    whole(status, "application/json", value.to_string())
}

/// A refusal, with a text for whoever asked.
pub fn refusal(status: StatusCode, message: impl Into<String>) -> Answer {
    json(status, &json!({ "message": message.into() }))
}

/// A body that goes on for as long as somebody sends.
pub struct Stream(pub mpsc::Receiver<Bytes>);

impl Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}
