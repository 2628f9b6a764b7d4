//! The API with a map, and requests to it.

use std::sync::Arc;
use std::time::Duration;

use api::{Api, Config};
use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use mapping::{BuiltIn, Fetching, Mapping, Source, SourceError, Version};

/// The API with the built-in map loaded.
pub async fn api() -> Api {
    api_with(Config::default()).await
}

/// The same, with another configuration.
pub async fn api_with(config: Config) -> Api {
    Api::new(loaded().await, Arc::default(), config)
}

/// The built-in map, loaded.
pub async fn loaded() -> Arc<Mapping> {
    let mapping = Mapping::new(Box::new(BuiltIn), Duration::from_secs(60));
    mapping.refresh().await;
    mapping
}

/// A source that is down, and the API over it.
pub fn api_without_map() -> Api {
    Api::new(Mapping::new(Box::new(Down), Duration::from_secs(60)), Arc::default(), Config::default())
}

struct Down;

impl Source for Down {
    fn fetch<'a>(&'a self, _: Option<&'a Version>) -> Fetching<'a> {
        Box::pin(async { Err(SourceError::unavailable("down")) })
    }

    fn name(&self) -> &str {
        "down"
    }
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub async fn read(response: Response) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body: body.collect().await.unwrap().to_bytes() }
    }

    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> serde_json::Value {
        assert_eq!(self.headers["content-type"], "application/json");
        serde_json::from_slice(&self.body).unwrap()
    }

    #[track_caller]
    pub fn assert(&self, status: u16, json: &str) {
        assert_eq!((self.status.as_u16(), self.text()), (status, json));
        self.json();
    }
}

/// Sends `request`.
pub async fn send(api: &Api, request: Request<Body>) -> Answer {
    Answer::read(api.answer(request).await).await
}

/// Sends a request without headers.
pub async fn request(api: &Api, method: &str, path: &str, body: impl Into<Body>) -> Answer {
    send(api, Request::builder().method(method).uri(path).body(body.into()).unwrap()).await
}

/// Posts `body` with one header to `/string/replace`.
pub async fn post(api: &Api, header: (&str, &str), body: impl Into<Body>) -> Answer {
    let request = Request::post("/string/replace").header(header.0, header.1).body(body.into()).unwrap();
    send(api, request).await
}
