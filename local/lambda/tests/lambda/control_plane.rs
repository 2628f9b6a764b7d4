//! A stand-in for the control plane: SQS queues with visibility time-outs, SNS topics that keep what is published, and
//! whatever pages a test puts there.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

const PAUSE: Duration = Duration::from_millis(5);

pub const QUEUE_ARN: &str = "arn:aws:sqs:eu-west-1:123456789012";

#[derive(Clone)]
pub struct ControlPlane {
    pub endpoint: String,
    state: Arc<Mutex<State>>,
    server: Arc<Server>,
}

struct Server(JoinHandle<()>);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[derive(Default)]
struct State {
    queues: HashMap<String, Queue>,
    published: Vec<String>,
    pages: HashMap<String, Bytes>,
    receives: usize,
    /// Everything is answered with an error.
    broken: bool,
}

#[derive(Default)]
struct Queue {
    visibility_timeout: u64,
    messages: Vec<Message>,
    sent: usize,
}

#[derive(Clone)]
struct Message {
    id: String,
    body: String,
    attributes: Value,
    received: usize,
    visible: Instant,
}

impl ControlPlane {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State::default()));
        let served = Arc::clone(&state);
        let server = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&served);
                let service = service_fn(move |request| answer(Arc::clone(&state), request));
                // A client that is gone is none of our business.
                tokio::spawn(
                    async move { http1::Builder::new().serve_connection(TokioIo::new(stream), service).await },
                );
            }
        });
        Self { endpoint, state, server: Arc::new(Server(server)) }
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        assert!(!self.server.0.is_finished(), "the control plane has ended");
        act(&mut self.state.lock().unwrap())
    }

    pub fn add_queue(&self, name: &str, visibility_timeout: u64) -> String {
        self.with(|state| state.queues.insert(name.to_owned(), Queue { visibility_timeout, ..Queue::default() }));
        format!("{QUEUE_ARN}:{name}")
    }

    pub fn send(&self, queue: &str, body: &str, attributes: Value) -> String {
        self.with(|state| state.send(queue, body, attributes))
    }

    /// Bodies of the messages, visible or not, with the number of times that they were received.
    pub fn messages(&self, queue: &str) -> Vec<(String, usize)> {
        self.with(|state| {
            state.queues[queue].messages.iter().map(|message| (message.body.clone(), message.received)).collect()
        })
    }

    pub fn attributes(&self, queue: &str) -> Vec<Value> {
        self.with(|state| state.queues[queue].messages.iter().map(|message| message.attributes.clone()).collect())
    }

    /// Forms of Publish, as they came.
    pub fn published(&self) -> Vec<String> {
        self.with(|state| state.published.clone())
    }

    /// How often a queue was asked for messages.
    pub fn receives(&self) -> usize {
        self.with(|state| state.receives)
    }

    pub fn break_down(&self, broken: bool) {
        self.with(|state| state.broken = broken);
    }

    pub fn put_page(&self, path: &str, body: impl Into<Bytes>) {
        self.with(|state| state.pages.insert(path.to_owned(), body.into()));
    }
}

impl State {
    fn send(&mut self, queue: &str, body: &str, attributes: Value) -> String {
        let queue = self.queues.get_mut(queue).expect("the queue was added");
        queue.sent += 1;
        let id = format!("message-{}", queue.sent);
        let body = body.to_owned();
        queue.messages.push(Message { id: id.clone(), body, attributes, received: 0, visible: Instant::now() });
        id
    }

    fn receive(&mut self, queue: &str, most: usize) -> Vec<Value> {
        let queue = self.queues.get_mut(queue).expect("the queue was added");
        let timeout = Duration::from_secs(queue.visibility_timeout);
        let now = Instant::now();
        let visible = queue.messages.iter_mut().filter(|message| message.visible <= now).take(most);
        let received = visible.map(|message| {
            message.received += 1;
            message.visible = now + timeout;
            let mut answer = json!({
                "MessageId": message.id,
                "ReceiptHandle": format!("receipt-of-{}", message.id),
                "Body": message.body,
                "MD5OfBody": "md5",
                "Attributes": {"ApproximateReceiveCount": message.received.to_string(), "SenderId": "AIDA"},
            });
            if message.attributes.as_object().is_some_and(|attributes| !attributes.is_empty()) {
                answer["MessageAttributes"] = message.attributes.clone();
                answer["MD5OfMessageAttributes"] = "md5-of-attributes".into();
            }
            answer
        });
        received.collect()
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    if state.lock().unwrap().broken {
        return Ok(respond(StatusCode::SERVICE_UNAVAILABLE, r#"{"message":"broken"}"#.into()));
    }
    let path = parts.uri.path_and_query().unwrap().as_str();
    if let Some(page) = state.lock().unwrap().pages.get(path) {
        return Ok(respond(StatusCode::OK, page.clone()));
    }
    let Some(target) = parts.headers.get("x-amz-target") else {
        let form = String::from_utf8(body.to_vec()).unwrap();
        if !form.starts_with("Action=Publish") {
            return Ok(respond(StatusCode::NOT_FOUND, format!(r#"{{"message":"no page {path}"}}"#).into()));
        }
        state.lock().unwrap().published.push(form);
        return Ok(respond(StatusCode::OK, "<PublishResponse/>".into()));
    };
    let query: Value = serde_json::from_slice(&body).unwrap();
    let queue = query["QueueUrl"].as_str().and_then(|url| url.rsplit('/').next()).unwrap_or_default();
    let answer = match target.to_str().unwrap().strip_prefix("AmazonSQS.").unwrap() {
        "GetQueueUrl" => {
            let name = query["QueueName"].as_str().unwrap();
            if !state.lock().unwrap().queues.contains_key(name) {
                let error = json!({"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no such queue"});
                return Ok(respond(StatusCode::BAD_REQUEST, error.to_string().into()));
            }
            json!({"QueueUrl": format!("http://sqs/{}/{name}", query["QueueOwnerAWSAccountId"].as_str().unwrap())})
        }
        "GetQueueAttributes" => {
            let timeout = state.lock().unwrap().queues[queue].visibility_timeout;
            json!({"Attributes": {"VisibilityTimeout": timeout.to_string()}})
        }
        "ReceiveMessage" => {
            state.lock().unwrap().receives += 1;
            let number = |name: &str| query[name].as_u64().unwrap();
            let most = usize::try_from(number("MaxNumberOfMessages")).unwrap();
            assert!((1..=10).contains(&most), "MaxNumberOfMessages: {most}");
            let end = Instant::now() + Duration::from_secs(number("WaitTimeSeconds"));
            loop {
                let messages = state.lock().unwrap().receive(queue, most);
                if !messages.is_empty() {
                    break json!({"Messages": messages});
                }
                if Instant::now() >= end {
                    break json!({});
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
        "DeleteMessageBatch" => {
            let entries = query["Entries"].as_array().unwrap();
            let handles: Vec<&str> = entries.iter().map(|entry| entry["ReceiptHandle"].as_str().unwrap()).collect();
            let mut state = state.lock().unwrap();
            let messages = &mut state.queues.get_mut(queue).unwrap().messages;
            messages.retain(|message| !handles.contains(&format!("receipt-of-{}", message.id).as_str()));
            json!({"Successful": entries})
        }
        "SendMessage" => {
            let id = state.lock().unwrap().send(
                queue,
                query["MessageBody"].as_str().unwrap(),
                query["MessageAttributes"].clone(),
            );
            json!({"MessageId": id})
        }
        other => panic!("{other}?"),
    };
    Ok(respond(StatusCode::OK, answer.to_string().into()))
}

fn respond(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
