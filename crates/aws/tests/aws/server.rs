//! An HTTP server that answers each request with the next step of its script.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use env::Env;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub enum Step {
    /// A status and a JSON body.
    Answer(u16, String),
    /// Takes the request and never answers.
    Hang,
    /// Closes the connection in the middle of an answer.
    Break,
}

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    /// `x-amz-target`.
    pub target: String,
    pub body: serde_json::Value,
}

pub struct Server {
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
    serving: JoinHandle<()>,
}

impl Server {
    /// What comes after the last step is answered by 418.
    pub async fn play(script: impl Into<VecDeque<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(script.into()));
        let asked = Arc::default();
        let serving = tokio::spawn({
            let asked = Arc::clone(&asked);
            async move {
                loop {
                    let (connection, _) = listener.accept().await.unwrap();
                    tokio::spawn(answer(connection, Arc::clone(&script), Arc::clone(&asked)));
                }
            }
        });
        Self { url, asked, serving }
    }

    pub fn asked(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }

    /// The environment of a service that has this for AWS.
    pub fn env(&self) -> Env {
        env_for(&self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The environment of a service that has `url` for AWS.
pub fn env_for(url: &str) -> Env {
    Env::from_iter([
        ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "the-secret-key"),
        ("AWS_SESSION_TOKEN", "the-session-token"),
    ])
}

/// Reads one request from a connection and plays the next step on it.
pub async fn answer<C: AsyncRead + AsyncWrite + Unpin>(
    mut connection: C,
    script: Arc<Mutex<VecDeque<Step>>>,
    asked: Arc<Mutex<Vec<Request>>>,
) {
    let Some(request) = read(&mut connection).await else { return };
    asked.lock().unwrap().push(request);
    let step = script.lock().unwrap().pop_front().unwrap_or(Step::Answer(418, "{}".to_owned()));
    // A client that has given up meanwhile is none of the server's business.
    let _ = match step {
        Step::Answer(status, body) => {
            let head = format!(
                "HTTP/1.1 {status} Scripted\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\
                 x-amzn-RequestId: the-request-id\r\nConnection: close\r\n\r\n",
                body.len()
            );
            connection.write_all((head + &body).as_bytes()).await
        }
        Step::Break => connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{").await,
        Step::Hang => std::future::pending().await,
    };
    let _ = connection.shutdown().await;
}

async fn read<C: AsyncRead + Unpin>(connection: &mut C) -> Option<Request> {
    let mut bytes = Vec::new();
    let head_ends = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..head_ends].to_vec()).unwrap();
    let header = |name: &str| {
        head.lines()
            .find_map(|line| line.split_once(": ").filter(|(key, _)| key.eq_ignore_ascii_case(name)))
            .map(|h| h.1)
    };
    let length: usize = header("content-length").unwrap_or("0").parse().unwrap();
    while bytes.len() < head_ends + 4 + length {
        if connection.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request {
        target: header("x-amz-target").unwrap_or_default().to_owned(),
        body: serde_json::from_slice(&bytes[head_ends + 4..]).unwrap(),
    })
}
