//! SQS queues that are polled for functions. <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>
//!
//! A message that is not deleted becomes visible again after the queue's visibility time-out, and after so many times the
//! queue itself moves it into its dead-letter queue: nothing of that is done here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use local_aws_api::{AwsApi, Error};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::configuration::EventSourceMapping;
use crate::invocation::InvokeRequest;
use crate::limits::{MAPPING_CONCURRENCY, QUEUE_MESSAGES, QUEUE_PAUSE, QUEUE_WAIT, REQUEST_BYTES};
use crate::service::Lambda;

/// `{"Records":[]}` around the records.
const ENVELOPE_BYTES: usize = 14;

/// The mappings that are polled, by UUID.
#[derive(Debug, Default)]
pub(crate) struct Mappings(HashMap<String, Polled>);

#[derive(Debug)]
struct Polled {
    mapping: EventSourceMapping,
    stop: CancellationToken,
}

impl Mappings {
    /// Starts the new, stops the old. A batch that a function has is finished in any case.
    pub(crate) fn update(&mut self, mappings: Vec<EventSourceMapping>, lambda: &Lambda) {
        let mut before = std::mem::take(&mut self.0);
        for mapping in mappings {
            let polled = match before.remove(&mapping.uuid) {
                Some(polled) if polled.mapping == mapping => polled,
                changed => {
                    if let Some(changed) = changed {
                        changed.stop.cancel();
                    }
                    start(&mapping, lambda)
                }
            };
            self.0.insert(mapping.uuid, polled);
        }
        for gone in before.into_values() {
            gone.stop.cancel();
        }
    }
}

fn start(mapping: &EventSourceMapping, lambda: &Lambda) -> Polled {
    let stop = lambda.shared().stop.child_token();
    let (uuid, queue, function) = (&mapping.uuid, &mapping.event_source_arn, &mapping.function_arn);
    if let Some(cause) = unsupported(mapping) {
        error!(target: "lambda", mapping = uuid, queue, function, "event source mapping not served: {cause}");
    } else if mapping.enabled {
        info!(target: "lambda", mapping = uuid, queue, function, "event source mapping polls");
        let poller = Poller { mapping: mapping.clone(), lambda: lambda.clone(), stop: stop.clone() };
        lambda.shared().tasks.spawn(poller.run());
    }
    Polled { mapping: mapping.clone(), stop }
}

/// Why a mapping cannot be served. To ignore a filter would hand the function messages that it must never see.
fn unsupported(mapping: &EventSourceMapping) -> Option<String> {
    if !mapping.event_source_arn.starts_with("arn:aws:sqs:") {
        Some("only SQS queues are polled".to_owned())
    } else if !mapping.filters.is_empty() {
        Some(format!("filter criteria are not evaluated here, and it has {}", mapping.filters.join(", ")))
    } else {
        None
    }
}

struct Poller {
    mapping: EventSourceMapping,
    lambda: Lambda,
    stop: CancellationToken,
}

/// A queue, as it is talked to.
#[derive(Debug, Clone)]
struct Queue {
    url: String,
    visibility_timeout: Duration,
}

/// A message, as the function gets it.
#[derive(Debug)]
struct Message {
    id: String,
    receipt_handle: String,
    record: String,
}

impl Poller {
    async fn run(self) {
        let poller = Arc::new(self);
        let stop = poller.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            () = Arc::clone(&poller).poll() => {}
        }
        let mapping = &poller.mapping;
        info!(target: "lambda", mapping = mapping.uuid, queue = mapping.event_source_arn, "event source mapping stopped");
    }

    async fn poll(self: Arc<Self>) {
        let queue = self.persist("cannot be polled", || self.queue()).await;
        // Of a FIFO queue, the messages of one group must not be overtaken; one batch at a time is the simplest way.
        let concurrency = match self.mapping.event_source_arn.ends_with(".fifo") {
            true => 1,
            false => self.mapping.maximum_concurrency.unwrap_or(MAPPING_CONCURRENCY),
        };
        let slots = Arc::new(Semaphore::new(concurrency));
        let mut surplus = Vec::new();
        // The semaphore is never closed.
        while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
            let batch = self.gather(&queue, &mut surplus).await;
            let received = Instant::now();
            let (poller, queue) = (Arc::clone(&self), queue.clone());
            self.lambda.shared().tasks.spawn(async move {
                poller.process(&queue, batch, received).await;
                drop(slot);
            });
        }
    }

    /// Until it succeeds: the control plane may be away for a while, the queue may be made later.
    async fn persist<T, F>(&self, complaint: &str, attempt: impl Fn() -> F) -> T
    where
        F: Future<Output = Result<T, Error>>,
    {
        let mut said = false;
        loop {
            match attempt().await {
                Ok(success) => {
                    if said {
                        info!(target: "lambda", queue = self.mapping.event_source_arn, "is polled again");
                    }
                    return success;
                }
                Err(error) => {
                    if !said {
                        warn!(target: "lambda", queue = self.mapping.event_source_arn, %error, "{complaint}; trying on");
                        said = true;
                    }
                    tokio::time::sleep(QUEUE_PAUSE).await;
                }
            }
        }
    }

    async fn queue(&self) -> Result<Queue, Error> {
        let aws = &self.lambda.shared().aws;
        let url = queue_url(aws, &self.mapping.event_source_arn).await?;
        let query = json!({"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]});
        let answer = aws.json("sqs", "AmazonSQS.GetQueueAttributes", &query).await?;
        let seconds = answer["Attributes"]["VisibilityTimeout"].as_str().and_then(|seconds| seconds.parse().ok());
        let seconds = seconds.ok_or_else(|| unreadable("GetQueueAttributes", "no VisibilityTimeout"))?;
        Ok(Queue { url, visibility_timeout: Duration::from_secs(seconds) })
    }

    /// The next batch: full, or as much as there is when the batching window, which begins with the first message, is
    /// over.
    async fn gather(&self, queue: &Queue, surplus: &mut Vec<Message>) -> Vec<Message> {
        let mut batch = std::mem::take(surplus);
        let mut bytes = ENVELOPE_BYTES + batch.iter().map(|message| message.record.len() + 1).sum::<usize>();
        let mut end: Option<Instant> = None;
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now())).unwrap_or_default();
            let wait = if batch.is_empty() { QUEUE_WAIT } else { left.min(QUEUE_WAIT) };
            let missing = self.mapping.batch_size - batch.len();
            for message in self.persist("cannot be polled", || self.receive(queue, missing, wait)).await {
                bytes += message.record.len() + 1;
                if bytes > REQUEST_BYTES && !batch.is_empty() {
                    surplus.push(message);
                } else {
                    batch.push(message);
                }
            }
            if batch.is_empty() {
                continue;
            }
            let end = *end.get_or_insert_with(|| Instant::now() + self.mapping.maximum_batching_window);
            let is_full = batch.len() >= self.mapping.batch_size || !surplus.is_empty();
            if is_full || Instant::now() >= end {
                return batch;
            }
        }
    }

    async fn receive(&self, queue: &Queue, missing: usize, wait: Duration) -> Result<Vec<Message>, Error> {
        let query = json!({
            "QueueUrl": queue.url,
            "MaxNumberOfMessages": missing.min(QUEUE_MESSAGES),
            // Whole seconds; up to one longer than asked for is better than asking over and over.
            "WaitTimeSeconds": wait.as_nanos().div_ceil(Duration::from_secs(1).as_nanos()),
            "AttributeNames": ["All"],
            "MessageSystemAttributeNames": ["All"],
            "MessageAttributeNames": ["All"],
        });
        let answer = self.lambda.shared().aws.json("sqs", "AmazonSQS.ReceiveMessage", &query).await?;
        let messages = answer["Messages"].as_array().map(Vec::as_slice).unwrap_or_default();
        messages.iter().map(|message| Message::new(message, &self.mapping.event_source_arn)).collect()
    }

    async fn process(&self, queue: &Queue, batch: Vec<Message>, received: Instant) {
        let records: Vec<&str> = batch.iter().map(|message| message.record.as_str()).collect();
        let payload = Bytes::from(format!(r#"{{"Records":[{}]}}"#, records.join(",")));
        let function = &self.mapping.function_arn;
        let mut pause = QUEUE_PAUSE;
        let invocation = loop {
            let request = InvokeRequest { payload: payload.clone(), ..InvokeRequest::default() };
            match self.lambda.invoke(function, request).await {
                Ok(invocation) => break invocation,
                // A throttled batch is tried again for as long as its messages are nobody else's.
                Err(refusal) if refusal.is_throttling() && received.elapsed() + pause < queue.visibility_timeout => {
                    if !self.lambda.pause(pause).await {
                        return;
                    }
                    pause *= 2;
                }
                Err(refusal) => {
                    warn!(target: "lambda", function, %refusal, messages = batch.len(), "batch returns to its queue");
                    return;
                }
            }
        };
        if invocation.function_error {
            warn!(target: "lambda", function, messages = batch.len(), "batch failed and returns to its queue");
            return;
        }
        let failed = if self.mapping.report_batch_item_failures {
            match failed_items(&invocation.payload, &batch) {
                Ok(failed) => failed,
                Err(cause) => {
                    let messages = batch.len();
                    warn!(target: "lambda", function, cause, messages, "batch failed as a whole: its answer is not valid");
                    return;
                }
            }
        } else {
            vec![]
        };
        if !failed.is_empty() {
            warn!(target: "lambda", function, failed = failed.len(), messages = batch.len(), "messages return to their queue");
        }
        let done: Vec<&Message> = batch.iter().filter(|message| !failed.contains(&message.id)).collect();
        for messages in done.chunks(QUEUE_MESSAGES) {
            if let Err(error) = self.delete(queue, messages).await {
                warn!(target: "lambda", function, %error, "processed messages could not be deleted, and will come again");
            }
        }
    }

    async fn delete(&self, queue: &Queue, messages: &[&Message]) -> Result<(), Error> {
        let entries: Vec<Value> = (0..)
            .zip(messages)
            .map(|(number, message)| json!({"Id": number.to_string(), "ReceiptHandle": message.receipt_handle}))
            .collect();
        let query = json!({"QueueUrl": queue.url, "Entries": entries});
        let answer = self.lambda.shared().aws.json("sqs", "AmazonSQS.DeleteMessageBatch", &query).await?;
        match answer["Failed"].as_array() {
            Some(failed) if !failed.is_empty() => Err(unreadable("DeleteMessageBatch", &answer["Failed"].to_string())),
            _ => Ok(()),
        }
    }
}

impl Message {
    /// <https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html#example-standard-queue-message-event>
    fn new(message: &Value, queue_arn: &str) -> Result<Self, Error> {
        let text = |name: &str| {
            let text = message[name].as_str().map(str::to_owned);
            text.ok_or_else(|| unreadable("ReceiveMessage", &format!("a message without {name}")))
        };
        let (id, receipt_handle) = (text("MessageId")?, text("ReceiptHandle")?);
        let attributes = message["MessageAttributes"].as_object();
        let mut record = json!({
            "messageId": id,
            "receiptHandle": receipt_handle,
            "body": text("Body")?,
            "attributes": message["Attributes"].as_object().cloned().unwrap_or_default(),
            "messageAttributes": attributes.map(message_attributes).unwrap_or_default(),
            "md5OfBody": text("MD5OfBody")?,
            "eventSource": "aws:sqs",
            "eventSourceARN": queue_arn,
            "awsRegion": queue_arn.split(':').nth(3),
        });
        if let Some(md5) = message["MD5OfMessageAttributes"].as_str() {
            record["md5OfMessageAttributes"] = md5.into();
        }
        Ok(Self { id, receipt_handle, record: record.to_string() })
    }
}

/// With the small first letters that events have, and the lists that SQS has reserved and never fills.
fn message_attributes(attributes: &Map<String, Value>) -> Map<String, Value> {
    let convert = |attribute: &Value| {
        let mut converted = json!({
            "stringListValues": [],
            "binaryListValues": [],
            "dataType": attribute["DataType"],
        });
        for (from, to) in [("StringValue", "stringValue"), ("BinaryValue", "binaryValue")] {
            if let Some(value) = attribute.get(from) {
                converted[to] = value.clone();
            }
        }
        converted
    };
    attributes.iter().map(|(name, attribute)| (name.clone(), convert(attribute))).collect()
}

/// The messages that the function says have failed. `Err`: the answer makes all of them fail, and why.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html#services-sqs-batchfailurereporting>
fn failed_items(answer: &[u8], batch: &[Message]) -> Result<Vec<String>, String> {
    if answer.trim_ascii().is_empty() {
        return Ok(vec![]);
    }
    let answer: Value = serde_json::from_slice(answer).map_err(|error| format!("it is not JSON: {error}"))?;
    let failures = match &answer {
        Value::Null => return Ok(vec![]),
        Value::Object(members) => members.get("batchItemFailures"),
        _ => return Err("it is no object".to_owned()),
    };
    let failures = match failures {
        None | Some(Value::Null) => return Ok(vec![]),
        Some(Value::Array(failures)) => failures,
        Some(_) => return Err("batchItemFailures is no list".to_owned()),
    };
    let ids = failures.iter().map(|failure| match failure.get("itemIdentifier") {
        Some(Value::String(id)) if batch.iter().any(|message| message.id == *id) => Ok(id.clone()),
        Some(Value::String(id)) => Err(format!("no message of the batch has the itemIdentifier '{id}'")),
        Some(other) => Err(format!("itemIdentifier is {other}, and should be a message's id")),
        None => Err(format!("{failure} has no itemIdentifier")),
    });
    ids.collect()
}

/// Of a queue's ARN.
pub(crate) async fn queue_url(aws: &AwsApi, arn: &str) -> Result<String, Error> {
    let parts: Vec<&str> = arn.split(':').collect();
    let [_, _, _, _, account, name] = parts.as_slice() else {
        return Err(unreadable("GetQueueUrl", &format!("'{arn}' is no queue's ARN")));
    };
    let query = json!({"QueueName": name, "QueueOwnerAWSAccountId": account});
    let answer = aws.json("sqs", "AmazonSQS.GetQueueUrl", &query).await?;
    answer["QueueUrl"].as_str().map(str::to_owned).ok_or_else(|| unreadable("GetQueueUrl", "no QueueUrl"))
}

fn unreadable(operation: &str, cause: &str) -> Error {
    Error::Unreadable { service: "sqs".to_owned(), operation: operation.to_owned(), cause: cause.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch() -> Vec<Message> {
        let message = |id: &str| Message { id: id.to_owned(), receipt_handle: String::new(), record: String::new() };
        vec![message("a"), message("b")]
    }

    #[test]
    fn complete_successes() {
        for answer in ["", "null", "{}", r#"{"batchItemFailures":[]}"#, r#"{"batchItemFailures":null}"#] {
            assert_eq!(failed_items(answer.as_bytes(), &batch()), Ok(vec![]), "{answer}");
        }
    }

    #[test]
    fn partial_successes() {
        let answer = br#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#;
        assert_eq!(failed_items(answer, &batch()), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn complete_failures() {
        for answer in [
            "{",
            "[]",
            r#"{"batchItemFailures":"b"}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
            r#"{"batchItemFailures":[{"identifier":"a"}]}"#,
            r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"c"}]}"#,
        ] {
            assert!(failed_items(answer.as_bytes(), &batch()).is_err(), "{answer}");
        }
    }
}
