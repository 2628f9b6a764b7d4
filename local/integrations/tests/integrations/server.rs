//! A server that answers what a test wants, and remembers what it was asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Either, Full};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// What a server does with a request.
pub enum Answer {
    Response(Response<Bytes>),
    /// A body of unknown length: chunks, the last of which may be missing.
    Chunks(Vec<Bytes>, End),
    /// Nothing, ever.
    Silence,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Proper,
    Broken,
}

pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request<Bytes>>>>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub async fn start(answer: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with(answer, None).await
    }

    /// With TLS, by `acceptor`.
    pub async fn start_with(
        answer: impl Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static,
        acceptor: Option<tokio_rustls::TlsAcceptor>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, remembered) = (Arc::new(answer), Arc::clone(&seen));
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answer, remembered, acceptor) = (Arc::clone(&answer), Arc::clone(&remembered), acceptor.clone());
                tokio::spawn(async move {
                    match acceptor {
                        None => serve(stream, answer, remembered).await,
                        // A client that does not trust the certificate goes away.
                        Some(acceptor) => {
                            if let Ok(stream) = acceptor.accept(stream).await {
                                serve(stream, answer, remembered).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, seen, task }
    }

    /// A server that gives everybody the same.
    pub async fn always(response: Response<Bytes>) -> Self {
        Self::start(move |_| Answer::Response(response.clone())).await
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far, oldest first.
    pub fn seen(&self) -> Vec<Request<Bytes>> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The only request so far.
    pub fn only(&self) -> Request<Bytes> {
        let seen = self.seen();
        assert_eq!(seen.len(), 1, "requests: {seen:?}");
        seen.into_iter().next().expect("one")
    }
}

async fn serve<S, F>(stream: S, answer: Arc<F>, seen: Arc<Mutex<Vec<Request<Bytes>>>>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Fn(&Request<Bytes>) -> Answer + Send + Sync + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let (answer, seen) = (Arc::clone(&answer), Arc::clone(&seen));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
            let request = Request::from_parts(parts, body);
            let answer = answer(&request);
            seen.lock().expect("no panic").push(request);
            let response = match answer {
                Answer::Response(response) => response.map(|body| Either::Left(Full::new(body))),
                Answer::Chunks(mut chunks, end) => {
                    chunks.reverse();
                    Response::new(Either::Right(Chunks(chunks, end)))
                }
                Answer::Silence => std::future::pending().await,
            };
            Ok::<_, Infallible>(response)
        }
    });
    // A client that goes away is what some tests are about.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// A body of these chunks, the last one first.
struct Chunks(Vec<Bytes>, End);

impl Body for Chunks {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        match (self.0.pop(), self.1) {
            (Some(chunk), _) => Poll::Ready(Some(Ok(Frame::data(chunk)))),
            (None, End::Proper) => Poll::Ready(None),
            (None, End::Broken) => Poll::Ready(Some(Err(std::io::Error::other("broken on purpose")))),
        }
    }
}

/// A response with this status, these headers and this body.
pub fn response(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(body.into()).expect("a response")
}
