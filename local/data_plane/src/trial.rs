//! A request that somebody makes from the page: the data plane makes it in the browser's place, so that no API has to allow
//! the page's origin.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::front_doors::FrontDoor;

/// More than a front door takes to give up on what is behind it: a load balancer waits a minute.
const PATIENCE: Duration = Duration::from_secs(90);
/// API Gateway's limit for an answer.
const LONGEST_ANSWER: usize = 10 * 1024 * 1024;

/// `{"front_door": "lambda-prod", "method": "POST", "path": "/publish", "headers": {}, "body": "..."}`
#[derive(Debug, Deserialize)]
pub struct Trial {
    pub front_door: String,
    method: String,
    path: String,
    #[serde(default)]
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    body: String,
}

/// Makes requests.
#[derive(Debug, Clone)]
pub struct Trials(Client<HttpConnector, Full<Bytes>>);

impl Default for Trials {
    fn default() -> Self {
        Self(Client::builder(TokioExecutor::new()).build(HttpConnector::new()))
    }
}

impl Trials {
    /// Sends the request and describes the answer: `{"status", "headers": [[name, value]], "body", "milliseconds"}`.
    ///
    /// # Errors
    /// A status and a text: the request cannot be made, or nobody answered it.
    pub async fn make(&self, front_door: &FrontDoor, trial: Trial) -> Result<Value, (StatusCode, String)> {
        let request = request(front_door, trial).map_err(|message| (StatusCode::BAD_REQUEST, message))?;
        let gateway_failed = |message: String| (StatusCode::BAD_GATEWAY, message);
        let began = Instant::now();
        let answer = timeout(PATIENCE, async {
            let (head, body) = self.0.request(request).await.map_err(|error| explain(&error))?.into_parts();
            let body = Limited::new(body, LONGEST_ANSWER).collect().await.map_err(|error| {
                match error.downcast_ref::<LengthLimitError>() {
                    Some(_) => format!("the answer is longer than {LONGEST_ANSWER} bytes"),
                    None => format!("the answer broke off: {error}"),
                }
            })?;
            Ok::<_, String>((head, body.to_bytes()))
        });
        let (head, body) = answer
            .await
            .map_err(|_| gateway_failed(format!("no answer within {} seconds", PATIENCE.as_secs())))?
            .map_err(gateway_failed)?;
        let headers: Vec<_> = head
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        Ok(json!({
            "status": head.status.as_u16(),
            "headers": headers,
            "body": String::from_utf8_lossy(&body),
            "milliseconds": began.elapsed().as_secs_f64() * 1e3,
        }))
    }
}

fn request(front_door: &FrontDoor, trial: Trial) -> Result<Request<Full<Bytes>>, String> {
    let method = Method::from_bytes(trial.method.as_bytes()).map_err(|_| format!("'{}' is no method", trial.method))?;
    if !trial.path.starts_with('/') {
        return Err(format!("the path '{}' should begin with a slash", trial.path));
    }
    let mut request = Request::builder().method(method).uri(format!("{}{}", front_door.url, trial.path));
    // What is typed takes the place of what the front door asks for.
    let typed = |name: &str| trial.headers.keys().any(|other| other.eq_ignore_ascii_case(name));
    for (name, value) in front_door.headers.iter().filter(|(name, _)| !typed(name)).chain(&trial.headers) {
        request = request.header(name, value);
    }
    request.body(Full::new(trial.body.into())).map_err(|error| format!("this is no request: {error}"))
}

fn explain(error: &hyper_util::client::legacy::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
