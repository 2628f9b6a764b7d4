//! A batch of messages from SQS, and which of them have to come back.
//! <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>

use serde::{Deserialize, Serialize};

/// What Lambda hands over.
#[derive(Deserialize)]
pub struct Batch {
    /// The messages.
    #[serde(rename = "Records")]
    pub records: Vec<Message>,
}

/// A message.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its id.
    pub message_id: String,
    /// What it says.
    pub body: String,
    attributes: Attributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attributes {
    approximate_receive_count: String,
}

impl Message {
    /// How often it was received, this time included.
    pub fn receives(&self) -> &str {
        &self.attributes.approximate_receive_count
    }
}

/// The messages that failed; Lambda deletes the others.
#[derive(Serialize, Default, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Failures {
    batch_item_failures: Vec<Failed>,
}

#[derive(Serialize, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
struct Failed {
    item_identifier: String,
}

impl Failures {
    /// Lets a message come back.
    pub fn push(&mut self, message_id: &str) {
        self.batch_item_failures.push(Failed { item_identifier: message_id.to_owned() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_and_failures_are_named() {
        let batch: Batch = serde_json::from_str(include_str!("event/sqs.json")).unwrap();
        let message = &batch.records[0];
        assert_eq!((message.message_id.as_str(), message.receives()), ("059f36b4-87a3-44ab-83d2-661975830a7d", "1"));
        let mut failures = Failures::default();
        assert_eq!(serde_json::to_string(&failures).unwrap(), r#"{"batchItemFailures":[]}"#);
        failures.push(&message.message_id);
        let expected = r#"{"batchItemFailures":[{"itemIdentifier":"059f36b4-87a3-44ab-83d2-661975830a7d"}]}"#;
        assert_eq!(serde_json::to_string(&failures).unwrap(), expected);
    }
}
