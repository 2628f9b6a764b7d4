//! What happens to a request before and after the API: the key, the limit on concurrent requests, the log line, the
//! metrics.
//!
//! In place of a stack of middleware: each layer would box and clone for every request, and the order of the checks,
//! which is part of the contract, is plain to see here.

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll, ready};
use std::time::Instant;

use api::{Api, ApiKey, Error, Metrics};
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, header};
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;

use crate::access_log::{self, Record};
use crate::client_ip::TrustedProxies;
use crate::connections::Connection;
use crate::cors::Cors;
use crate::log::Log;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all requests share.
pub struct Front {
    pub api: Api,
    pub key: ApiKey,
    pub metrics: Arc<Metrics>,
    pub log: Log,
    pub trusted_proxies: TrustedProxies,
    pub cors: Cors,
    pub concurrent_requests: usize,
    pub under_way: OwnLine<AtomicUsize>,
    pub draining: AtomicBool,
}

/// What each request changes, on a cache line of its own: all that stands on the same line would travel from processor to
/// processor with it. (Processors fetch pairs of lines of 64 bytes.)
#[derive(Default)]
#[repr(align(128))]
pub struct OwnLine<T>(pub T);

/// What all requests of a connection share.
pub struct Client {
    pub front: Arc<Front>,
    pub connection: Arc<Connection>,
    pub ip: IpAddr,
}

impl Client {
    /// Answers a request. What is dropped before it is answered, because the client went away, is logged as well.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Answer>, Infallible> {
        let has_body = !request.body().is_end_stream();
        self.connection.request_starts(has_body);
        let request_id = access_log::request_id(request.headers());
        let mut exchange = Exchange::new(Arc::clone(&self), &request, &request_id);
        let front = &*self.front;
        let origin = front.cors.allowed(request.headers());
        let is_open = api::is_open(request.uri().path());
        let mut response = if !is_open && !front.key.is_in(request.headers()) {
            Error::Forbidden.response()
        } else if !is_open && !exchange.takes_on() {
            Error::Overloaded.response()
        } else {
            let counted = request.map(|body| Counted { body, connection: Arc::clone(&self.connection) });
            front.api.answer(counted).await
        };
        exchange.record.status = Some(response.status());
        response.headers_mut().insert(REQUEST_ID, request_id);
        front.cors.mark(origin, response.headers_mut());
        if front.draining.load(Relaxed) {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(response.map(|body| Answer { body, exchange }))
    }
}

/// A request from its head to the last byte of its response. Dropping it ends it.
pub struct Exchange {
    client: Arc<Client>,
    started: Instant,
    is_counted: bool,
    record: Record,
}

impl Exchange {
    fn new(client: Arc<Client>, request: &Request<Incoming>, request_id: &HeaderValue) -> Self {
        let ip = client.front.trusted_proxies.client_ip(request.headers(), client.ip);
        Self { client, started: Instant::now(), is_counted: false, record: Record::new(request, ip, request_id) }
    }

    /// Counts it among the requests under way, if there is room.
    fn takes_on(&mut self) -> bool {
        let front = &self.client.front;
        self.is_counted = true;
        front.under_way.0.fetch_add(1, Relaxed) < front.concurrent_requests
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let Client { front, connection, .. } = &*self.client;
        if self.is_counted {
            front.under_way.0.fetch_sub(1, Relaxed);
        }
        let took = self.started.elapsed();
        if let Some(status) = self.record.status {
            front.metrics.answered(status, took);
        }
        self.record.bytes_in = connection.body_bytes();
        access_log::write(&front.log, &mut self.record, took);
        connection.request_ends();
    }
}

/// A request's body, counted.
struct Counted {
    body: Incoming,
    connection: Arc<Connection>,
}

impl http_body::Body for Counted {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?;
        let bytes = frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        self.connection.body_read(bytes, frame.is_none() || self.body.is_end_stream());
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A response's body, counted; when it ends, or is given up, the request is over.
pub struct Answer {
    body: Body,
    exchange: Exchange,
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context)).transpose()?;
        let bytes = frame.as_ref().and_then(Frame::data_ref).map_or(0, Bytes::len);
        let is_whole = frame.is_none() || self.body.is_end_stream();
        let record = &mut self.exchange.record;
        record.bytes_out += bytes as u64;
        record.is_whole |= is_whole;
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
