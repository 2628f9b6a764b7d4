//! The page about everything that is served, and what it asks for. Its keys and request log are for this machine alone.

use std::{net::IpAddr, sync::Arc};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode, Uri,
    header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, X_CONTENT_TYPE_OPTIONS},
};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use serde::Serialize;
use tokio::sync::{broadcast::error::RecvError, mpsc};

use crate::{
    body::{self, Answer, Stream},
    requests::Record,
    serving::Serving,
    trial::Trial,
};

const HTML: &str = include_str!("page/index.html");
const STYLE: &str = include_str!("page/style.css");
const SCRIPT: &str = include_str!("page/page.js");

/// Nothing but its own files, and nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// A trial's body may be as long as API Gateway's: 10 MB, and then escaped.
const LONGEST_TRIAL: usize = 24 * 1024 * 1024;
/// Events that may wait for a slow browser.
const UNSENT: usize = 64;

/// Whether the request is for the page or for what it asks for.
pub fn is_for(uri: &Uri) -> bool {
    uri.path() == "/" || uri.path().starts_with("/_local/")
}

pub async fn answer(serving: &Arc<Serving>, request: Request<Incoming>) -> Answer {
    if let Err(message) = of_this_machine(request.headers()) {
        return body::refusal(StatusCode::FORBIDDEN, message);
    }
    let method = request.method().clone();
    let mut answer = match (&method, request.uri().path()) {
        (&Method::GET, "/") => body::whole(StatusCode::OK, "text/html; charset=utf-8", HTML),
        (&Method::GET, "/_local/style.css") => body::whole(StatusCode::OK, "text/css; charset=utf-8", STYLE),
        (&Method::GET, "/_local/page.js") => body::whole(StatusCode::OK, "text/javascript; charset=utf-8", SCRIPT),
        (&Method::GET, "/_local/state") => body::whole(StatusCode::OK, "application/json", serving.state().to_string()),
        (&Method::GET, "/_local/requests") => events(serving),
        (&Method::POST, "/_local/try") => try_out(serving, request).await,
        (_, path @ ("/" | "/_local/style.css" | "/_local/page.js" | "/_local/state" | "/_local/requests")) => {
            body::refusal(StatusCode::METHOD_NOT_ALLOWED, format!("{path} takes GET, not {method}"))
        }
        (_, "/_local/try") => {
            body::refusal(StatusCode::METHOD_NOT_ALLOWED, format!("/_local/try takes POST, not {method}"))
        }
        (_, path) => body::refusal(StatusCode::NOT_FOUND, format!("there is no {path}")),
    };
    let headers = answer.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A web site may let its own host name lead to 127.0.0.1, and then read in a browser what is answered here (DNS
/// rebinding); it cannot make the browser send another Host. Nor may another site's page send what this one sends.
fn of_this_machine(headers: &HeaderMap) -> Result<(), String> {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    if !is_this_machine(host) {
        return Err(format!("this page is for localhost and 127.0.0.1, not for '{host}'"));
    }
    match headers.get(ORIGIN).map(|origin| origin.to_str().unwrap_or_default()) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Err(format!("a page of '{origin}' may not ask this one"))
        }
        _ => Ok(()),
    }
}

fn is_this_machine(host: &str) -> bool {
    let Ok(authority) = host.parse::<http::uri::Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn try_out(serving: &Arc<Serving>, request: Request<Incoming>) -> Answer {
    // A form of another site can send text, but not this type without asking first.
    if request.headers().get(CONTENT_TYPE).is_none_or(|value| value != "application/json") {
        return body::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "send application/json");
    }
    let Ok(received) = Limited::new(request.into_body(), LONGEST_TRIAL).collect().await else {
        return body::refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("send at most {LONGEST_TRIAL} bytes"));
    };
    let trial: Trial = match serde_json::from_slice(&received.to_bytes()) {
        Ok(trial) => trial,
        Err(error) => return body::refusal(StatusCode::BAD_REQUEST, format!("this is no request to try: {error}")),
    };
    let front_doors = serving.front_doors();
    let Some(front_door) = front_doors.iter().find(|front_door| front_door.name == trial.front_door) else {
        return body::refusal(StatusCode::NOT_FOUND, format!("there is no front door '{}'", trial.front_door));
    };
    match serving.trials.make(front_door, trial).await {
        Ok(answer) => body::json(StatusCode::OK, &answer),
        Err((status, message)) => body::refusal(status, message),
    }
}

/// Server-sent events: `request` for each request, `state` whenever anything else changed.
fn events(serving: &Arc<Serving>) -> Answer {
    let (sender, receiver) = mpsc::channel(UNSENT);
    tokio::spawn(send_events(serving.clone(), sender));
    let mut answer = http::Response::new(Stream(receiver).boxed());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    answer
}

/// Ends when nobody reads any more, or when the page is closed.
async fn send_events(serving: Arc<Serving>, sender: mpsc::Sender<Bytes>) {
    let Some(mut state) = serving.watch() else { return };
    // Whatever comes between the two appears twice, and the page shows it once.
    let mut of_gateway = serving.gateway.subscribe();
    let (of_balancers, mut from_balancers) = serving.balancer_requests.watch();
    let of_stages = serving.gateway.recent();
    let mut latest: Vec<Record> =
        of_stages.iter().map(|request| Record::of_gateway(request, serving.front_door_of(request))).collect();
    latest.extend(of_balancers.iter().map(|record| record.named(|place| serving.front_door_at(place))));
    latest.sort_by_key(|record| record.at);
    for record in latest {
        if sender.send(event("request", &record)).await.is_err() {
            return;
        }
    }
    loop {
        let next = tokio::select! {
            () = sender.closed() => return,
            changed = state.changed() => match changed {
                Ok(()) => Ok(Bytes::from(format!("event: state\ndata: {}\n\n", &*state.borrow_and_update()))),
                Err(_) => return,
            },
            request = of_gateway.recv() => request.map(|request| {
                event("request", &Record::of_gateway(&request, serving.front_door_of(&request)))
            }),
            record = from_balancers.recv() => record.map(|record| {
                event("request", &record.named(|place| serving.front_door_at(place)))
            }),
        };
        let next = match next {
            Ok(next) => next,
            Err(RecvError::Lagged(missed)) => event("missed", &missed),
            Err(RecvError::Closed) => return,
        };
        if sender.send(next).await.is_err() {
            return;
        }
    }
}

/// JSON has no line breaks, so that it fits into one field of an event.
fn event(name: &str, data: &impl Serialize) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_else(|error| format!("\"{error}\""));
    Bytes::from(format!("event: {name}\ndata: {data}\n\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(headers: &[(http::HeaderName, &'static str)]) -> bool {
        let headers = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        of_this_machine(&headers).is_err()
    }

    #[test]
    fn only_this_machines_names_are_answered() {
        for host in ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
            assert!(!refused(&[(HOST, host)]), "{host}");
        }
        for host in
            ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", ""]
        {
            assert!(refused(&[(HOST, host)]), "{host}");
        }
        assert!(refused(&[]));
    }

    #[test]
    fn no_other_sites_page_may_ask() {
        assert!(!refused(&[(HOST, "localhost:8000"), (ORIGIN, "http://localhost:8000")]));
        for origin in ["http://evil.example", "http://localhost:9000", "null", "https://localhost:8000"] {
            assert!(refused(&[(HOST, "localhost:8000"), (ORIGIN, origin)]), "{origin}");
        }
    }
}
