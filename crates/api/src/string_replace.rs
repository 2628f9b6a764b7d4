//! `POST /string/replace`: text in, text with the map's rules applied out.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use http_body::Frame;
use http_body_util::BodyExt;
use mapping::Serving;
use replace::{Engine, Stream};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::{self, Message};
use crate::buffers::Buffer;
use crate::{Error, Metrics, Shared, media_type, payload};

/// Where it is served, for [`Api::answer`](crate::Api::answer).
pub(crate) const PATHS: [&str; 2] = ["/string/replace", "/api/string/replace"];

/// The request body; further members are ignored.
#[derive(Deserialize, ToSchema)]
pub(crate) struct Replace {
    /// The text to replace in.
    #[schema(example = "ABN and ING")]
    #[allow(dead_code, reason = "the schema's only: bodies are read without decoding them into this")]
    content: String,
}

/// Applies the map's rules to a text.
///
/// A body of type `text/plain` is answered with text, which is streamed on the container: it may be of any size. A body
/// of any other type, or of none, is read as JSON.
#[utoipa::path(
    post, path = "/string/replace", tag = "string", security(("api_key" = [])),
    request_body(content((Replace = "application/json"), (String = "text/plain"))),
    responses(
        (status = 200, description = "The text with the rules applied", content(
            (Message = "application/json", example = json!({"message": "ABN AMRO and ING BANK"})),
            (String = "text/plain"),
        )),
        (status = 400, description = "Not JSON, or no string `content` in it", body = Message),
        (status = 403, description = "No API key, or a wrong one", body = Message),
        (status = 413, description = "A JSON body over the limit", body = Message),
        (status = 415, description = "A charset or content encoding that is not supported", body = Message),
        (status = 503, description = "Overloaded, or no map was ever loaded", body = Message,
            headers(("retry-after" = u32, description = "Seconds; when overloaded"))),
    ),
)]
pub(crate) async fn string_replace(State(shared): State<Arc<Shared>>, request: Request<Body>) -> Response {
    answer(&shared, request).await
}

/// The same for a body of any kind.
pub(crate) async fn answer<B>(shared: &Shared, request: Request<B>) -> Response
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let answered = match media_type::is_supported_text(request.headers()) {
        Ok(true) => text(shared, request.into_body()).await,
        Ok(false) => json(shared, request).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(IntoResponse::into_response)
}

async fn json<B>(shared: &Shared, request: Request<B>) -> Result<Response, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    const BEFORE: &[u8] = br#"{"message":""#;
    const AFTER: &[u8] = br#""}"#;

    let body = collect(request, shared.config.max_body_bytes).await?;
    let content = payload::content(&body)?;
    let serving = shared.mapping.serving_now();
    let engine = serving.as_ref().ok_or(Error::NoMap)?.engine();
    let mut out = Buffer::with_capacity(BEFORE.len() + Engine::room(content.as_bytes().len()) + AFTER.len());
    out.bytes.extend_from_slice(BEFORE);
    let replacements = engine.replace_json_into(content, &mut out.bytes);
    out.bytes.extend_from_slice(AFTER);
    shared.metrics.replaced(replacements);
    Ok(answer::json(StatusCode::OK, out.into_bytes()))
}

/// More than 8 KB glibc copies by one instruction (`rep movsb`), which some processors (here Zen 4) carry out more slowly than
/// its loop over vectors: 2 % of a request of 1 MB.
const COPIED_AT_A_TIME: usize = 4096;

/// The whole body, if it is within `limit`.
async fn collect<B>(request: Request<B>, limit: usize) -> Result<Bytes, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(content_length);
    // Refused before any of it is read.
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Error::TooLarge);
    }
    let mut body = request.into_body();
    let first = next_data(&mut body).await?.unwrap_or_default();
    if first.len() <= limit && body.is_end_stream() {
        return Ok(first); // a small body is in one piece: nothing to copy
    }
    // What is announced fits a usize, as it is within the limit.
    let mut whole = Buffer::with_capacity(announced.map_or(first.len(), |length| length as usize).max(first.len()));
    let mut next = Some(first);
    while let Some(data) = next {
        if whole.bytes.len() + data.len() > limit {
            return Err(Error::TooLarge);
        }
        data.chunks(COPIED_AT_A_TIME).for_each(|part| whole.bytes.extend_from_slice(part));
        // Before more is read: so the server can read into the same memory again.
        drop(data);
        next = next_data(&mut body).await?;
    }
    Ok(whole.into_bytes())
}

fn content_length(value: &HeaderValue) -> Option<u64> {
    value.to_str().ok()?.parse().ok()
}

/// The next data frame. Trailers say nothing here and are skipped. A body that breaks off is not JSON, whatever came of
/// it; the client is usually gone.
async fn next_data<B>(body: &mut B) -> Result<Option<Bytes>, Error>
where
    B: http_body::Body<Data = Bytes> + Unpin,
{
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(|_| Error::Undecodable)?.into_data() {
            return Ok(Some(data));
        }
    }
    Ok(None)
}

async fn text<B>(shared: &Shared, mut body: B) -> Result<Response, Error>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
{
    let serving = shared.mapping.serving().ok_or(Error::NoMap)?;
    // Before the response starts, because only asking for the body tells a client that waits for `100 Continue` to send
    // it. A client that had the response already would keep it to itself.
    let first = next_data(&mut body).await?;
    let stream = Some(Stream::new(Current(serving)));
    let body = Replacing { first, body, stream, metrics: Arc::clone(&shared.metrics) };
    let mut response = Response::new(Body::new(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Ok(response)
}

/// The engine that was current when the request came. It serves the request to its end, whatever is swapped in
/// meanwhile.
struct Current(Arc<Serving>);

impl Deref for Current {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        self.0.engine()
    }
}

/// A request body on its way through the engine, as a response body.
///
/// It holds no more than what the engine cannot decide on yet: a piece is read when the client has taken the one
/// before, so a slow reader slows the writer down. When the request breaks off, so does the response, without an end
/// that would make it look complete.
struct Replacing<B> {
    /// The first piece, until it has been through.
    first: Option<Bytes>,
    body: B,
    /// `None` once the text has ended.
    stream: Option<Stream<Current>>,
    metrics: Arc<Metrics>,
}

impl<B> http_body::Body for Replacing<B>
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Unpin,
{
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        while let Some(stream) = &mut this.stream {
            let piece = match this.first.take() {
                Some(first) => Some(first),
                None => match ready!(Pin::new(&mut this.body).poll_frame(context))
                    .transpose()
                    .map_err(axum::Error::new)?
                    .map(Frame::into_data)
                {
                    Some(Err(_trailers)) => continue,
                    Some(Ok(piece)) => Some(piece),
                    None => None,
                },
            };
            let mut out = Vec::new();
            let replacements = match piece {
                Some(piece) => {
                    out.reserve(Engine::room(piece.len()));
                    stream.push(&piece, &mut out)
                }
                None => this.stream.take().map_or(0, |stream| stream.finish(&mut out)),
            };
            this.metrics.replaced(replacements);
            if !out.is_empty() {
                return Poll::Ready(Some(Ok(Frame::data(out.into()))));
            }
        }
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        self.stream.is_none()
    }
}
