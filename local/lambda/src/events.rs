//! Invocations that nobody waits for: retries, age, and where events end that failed.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>. On AWS the queue survives
//! everything; here it is memory, and ends with the process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use local_aws_api::{AwsApi, Error};
use serde_json::{Value, json};
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::configuration::{EventInvokeConfig, LATEST};
use crate::dates;
use crate::invocation::{Invocation, InvokeRequest, Refusal};
use crate::limits::EVENTS_IN_QUEUE;
use crate::service::{Lambda, Settings};

/// How many characters of an error a dead-letter message has.
const ERROR_MESSAGE_CHARACTERS: usize = 1024;

/// Events that wait or run.
#[derive(Debug, Default)]
pub(crate) struct Queue(AtomicUsize);

struct Event {
    lambda: Lambda,
    function: String,
    id: Uuid,
    request: InvokeRequest,
    accepted: Instant,
}

impl Drop for Event {
    fn drop(&mut self) {
        self.lambda.shared().events.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// How an event ended, in the words of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    Success,
    RetriesExhausted,
    EventAgeExceeded,
    /// The function is switched off by a reservation of nothing. AWS does not document a word for that.
    ZeroReservedConcurrency,
}

/// Queues the event.
pub(crate) fn accept(lambda: &Lambda, function: &str, id: Uuid, request: InvokeRequest) -> Result<Arc<str>, Refusal> {
    let queue = &lambda.shared().events.0;
    let event = Event { lambda: lambda.clone(), function: function.to_owned(), id, request, accepted: Instant::now() };
    // The event counts from here on, until it is dropped.
    if queue.fetch_add(1, Ordering::AcqRel) >= EVENTS_IN_QUEUE {
        return Err(Refusal::queue_full());
    }
    lambda.shared().tasks.spawn(event.process());
    Ok(id.to_string().into())
}

impl Event {
    async fn process(self) {
        let Settings { event_retry_waits, throttle_waits, .. } = self.lambda.shared().settings;
        let id: Arc<str> = self.id.to_string().into();
        let mut attempts = 0;
        let mut throttle_wait = throttle_waits[0];
        let mut last = None;
        loop {
            // Each attempt is for what the name leads to by then.
            let target = match self.lambda.resolve(&self.function, self.request.qualifier.as_deref(), self.id) {
                Ok(target) => target,
                Err(refusal) => {
                    warn!(target: "lambda", function = self.function, request_id = %id, %refusal, "event dropped");
                    return;
                }
            };
            let config = target.entry.event_invoke(target.qualifier.as_deref());
            let dead_letter_target = target.pool.version.dead_letter_target.clone();
            let arn = match &target.qualifier {
                Some(_) => target.invoked_arn.clone(),
                None => format!("{}:{LATEST}", target.invoked_arn),
            };
            let end = Ending { event: &self, id: &id, arn: &arn, config: &config, dead_letter_target, attempts };
            if self.accepted.elapsed() > config.maximum_event_age {
                return end.finish(Condition::EventAgeExceeded, last.as_ref()).await;
            }
            if target.entry.is_stopped() {
                return end.finish(Condition::ZeroReservedConcurrency, None).await;
            }
            let wait = match self.lambda.attempt(target, Arc::clone(&id), self.request.clone()).await {
                Ok(invocation) if !invocation.function_error => {
                    let end = Ending { attempts: attempts + 1, ..end };
                    return end.finish(Condition::Success, Some(&invocation)).await;
                }
                Ok(invocation) => {
                    attempts += 1;
                    if attempts > config.maximum_retry_attempts {
                        let end = Ending { attempts, ..end };
                        return end.finish(Condition::RetriesExhausted, Some(&invocation)).await;
                    }
                    last = Some(invocation);
                    event_retry_waits[(attempts - 1).min(event_retry_waits.len() - 1)]
                }
                Err(refusal) => {
                    if !refusal.is_throttling() {
                        warn!(target: "lambda", function = self.function, request_id = %id, %refusal, "event waits");
                    }
                    let wait = throttle_wait;
                    throttle_wait = (wait * 2).min(throttle_waits[1]);
                    wait
                }
            };
            let left = config.maximum_event_age.saturating_sub(self.accepted.elapsed());
            if !self.lambda.pause(wait.min(left + Duration::from_millis(1))).await {
                return;
            }
        }
    }
}

/// The end of an event, and who is told.
struct Ending<'a> {
    event: &'a Event,
    id: &'a str,
    arn: &'a str,
    config: &'a EventInvokeConfig,
    dead_letter_target: Option<String>,
    attempts: usize,
}

impl Ending<'_> {
    async fn finish(&self, condition: Condition, last: Option<&Invocation>) {
        let lambda = &self.event.lambda;
        let function = &self.event.function;
        let destination = match condition {
            Condition::Success => &self.config.on_success,
            _ => &self.config.on_failure,
        };
        if condition != Condition::Success {
            warn!(target: "lambda", function, request_id = self.id, ?condition, attempts = self.attempts, "event failed");
        }
        if let Some(destination) = destination {
            let record = self.record(condition, last);
            let message = Message { text: record.to_string(), attributes: vec![], condition };
            self.report(destination, message.send(lambda, destination, self.arn).await);
        }
        if condition == Condition::Success {
            return;
        }
        if let Some(target) = &self.dead_letter_target {
            let text = String::from_utf8_lossy(&self.event.request.payload).into_owned();
            let message = last.map(|last| String::from_utf8_lossy(&last.payload).into_owned()).unwrap_or_default();
            let attributes = vec![
                ("RequestID", "String", self.id.to_owned()),
                ("ErrorCode", "Number", if last.is_some() { "200" } else { "429" }.to_owned()),
                ("ErrorMessage", "String", error_message(&message, condition)),
            ];
            let message = Message { text, attributes, condition };
            self.report(target, message.send(lambda, target, self.arn).await);
        }
    }

    fn report(&self, destination: &str, sent: Result<(), Undelivered>) {
        let function = &self.event.function;
        match sent {
            Ok(()) => info!(target: "lambda", function, request_id = self.id, destination, "event recorded"),
            Err(error) => error!(target: "lambda", function, request_id = self.id, destination, %error, "event lost"),
        }
    }

    /// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
    fn record(&self, condition: Condition, last: Option<&Invocation>) -> Value {
        let mut record = json!({
            "version": "1.0",
            "timestamp": dates::now(),
            "requestContext": {
                "requestId": self.id,
                "functionArn": self.arn,
                "condition": format!("{condition:?}"),
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": value(&self.event.request.payload),
        });
        if let Some(last) = last {
            record["responseContext"] = json!({"statusCode": 200, "executedVersion": *last.executed_version});
            if last.function_error {
                record["responseContext"]["functionError"] = "Unhandled".into();
            }
            record["responsePayload"] = value(&last.payload);
        }
        record
    }
}

/// The error's own message, if it has one.
fn error_message(payload: &str, condition: Condition) -> String {
    let parsed: Option<Value> = serde_json::from_str(payload).ok();
    let message = parsed.as_ref().and_then(|parsed| parsed.get("errorMessage")?.as_str()).unwrap_or(payload);
    let message = if message.is_empty() { format!("{condition:?}") } else { message.to_owned() };
    message.chars().take(ERROR_MESSAGE_CHARACTERS).collect()
}

/// As JSON; what is not, as text.
fn value(payload: &[u8]) -> Value {
    serde_json::from_slice(payload).unwrap_or_else(|_| String::from_utf8_lossy(payload).into())
}

struct Message {
    text: String,
    /// Name, data type, value.
    attributes: Vec<(&'static str, &'static str, String)>,
    condition: Condition,
}

#[derive(Debug, thiserror::Error)]
enum Undelivered {
    #[error(transparent)]
    Api(#[from] Error),
    #[error(transparent)]
    Lambda(#[from] Refusal),
    #[error("'{0}' is no destination of a kind that is served here: SQS, SNS, Lambda or EventBridge")]
    Unsupported(String),
}

impl Message {
    async fn send(&self, lambda: &Lambda, destination: &str, function_arn: &str) -> Result<(), Undelivered> {
        let aws = &lambda.shared().aws;
        let service = destination.split(':').nth(2).unwrap_or_default();
        match service {
            "sqs" => self.send_to_queue(aws, destination).await?,
            "sns" => self.publish(aws, destination).await?,
            "events" => self.put_event(aws, destination, function_arn).await?,
            "lambda" => {
                let request = InvokeRequest { payload: self.text.clone().into(), ..InvokeRequest::default() };
                lambda.invoke_event(destination, request)?;
            }
            _ => return Err(Undelivered::Unsupported(destination.to_owned())),
        }
        Ok(())
    }

    async fn send_to_queue(&self, aws: &AwsApi, arn: &str) -> Result<(), Error> {
        let url = crate::event_source::queue_url(aws, arn).await?;
        let attributes: serde_json::Map<String, Value> = self
            .attributes
            .iter()
            .map(|(name, kind, value)| ((*name).to_owned(), json!({"DataType": kind, "StringValue": value})))
            .collect();
        let body = json!({"QueueUrl": url, "MessageBody": self.text, "MessageAttributes": attributes});
        aws.json("sqs", "AmazonSQS.SendMessage", &body).await.map(|_| ())
    }

    async fn publish(&self, aws: &AwsApi, arn: &str) -> Result<(), Error> {
        let mut parameters = vec![("TopicArn".to_owned(), arn), ("Message".to_owned(), self.text.as_str())];
        for (number, (name, kind, value)) in (1..).zip(&self.attributes) {
            let entry = format!("MessageAttributes.entry.{number}");
            parameters.push((format!("{entry}.Name"), name));
            parameters.push((format!("{entry}.Value.DataType"), kind));
            parameters.push((format!("{entry}.Value.StringValue"), value));
        }
        let parameters: Vec<(&str, &str)> = parameters.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        aws.query("sns", "2010-03-31", "Publish", &parameters).await.map(|_| ())
    }

    async fn put_event(&self, aws: &AwsApi, bus: &str, function_arn: &str) -> Result<(), Error> {
        let outcome = if self.condition == Condition::Success { "Success" } else { "Failure" };
        let entry = json!({
            "Source": "lambda",
            "DetailType": format!("Lambda Function Invocation Result - {outcome}"),
            "Detail": self.text,
            "EventBusName": bus,
            "Resources": [bus, function_arn],
        });
        aws.json("events", "AWSEvents.PutEvents", &json!({"Entries": [entry]})).await.map(|_| ())
    }
}
