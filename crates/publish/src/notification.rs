//! What S3 says in a message of the queue.
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>

use percent_encoding::percent_decode_str;
use serde::Deserialize;

use crate::Id;

/// The message is none of S3's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the message is not a notification of S3 about a captured body: {0}")]
pub struct NotANotification(String);

#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Event")]
    event: Option<String>,
    #[serde(rename = "Records")]
    records: Option<Vec<Record>>,
}

#[derive(Deserialize)]
struct Record {
    s3: Entity,
}

#[derive(Deserialize)]
struct Entity {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    key: String,
}

/// The bodies that a message tells of, by what follows `prefix` in their keys. None for the message that S3 sends when
/// notifications are switched on.
///
/// # Errors
/// When it is another kind of message, or about something else: it is for a person to look at.
pub fn captured(message: &str, prefix: &str) -> Result<Vec<Id>, NotANotification> {
    let wrong = |why: String| NotANotification(why);
    let notification: Notification = serde_json::from_str(message).map_err(|error| wrong(error.to_string()))?;
    if notification.event.as_deref() == Some("s3:TestEvent") {
        return Ok(Vec::new());
    }
    let records = notification.records.ok_or_else(|| wrong("it has no Records".to_owned()))?;
    records
        .iter()
        .map(|record| {
            // A key is encoded as in a form: a space is a plus sign.
            let key = record.s3.object.key.replace('+', " ");
            let key = percent_decode_str(&key).decode_utf8().map_err(|error| wrong(error.to_string()))?;
            let id = key.strip_prefix(prefix).ok_or_else(|| wrong(format!("'{key}' is not below '{prefix}'")))?;
            id.parse().map_err(|error| wrong(format!("'{key}': {error}")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(key: &str) -> String {
        format!(
            r#"{{"Records":[{{"eventName":"ObjectCreated:Put","s3":{{"bucket":{{"name":"b"}},"object":{{"key":"{key}","size":1}}}}}}]}}"#
        )
    }

    fn ids(message: &str) -> Result<Vec<String>, String> {
        let found = captured(message, "captured/").map_err(|error| error.to_string())?;
        Ok(found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_key_is_decoded() {
        let expected = Ok(vec!["c6af9ac6-7b61-11e6-9a41-93e8deadbeef".to_owned()]);
        assert_eq!(ids(&message("captured/c6af9ac6-7b61-11e6-9a41-93e8deadbeef")), expected);
        assert_eq!(ids(&message("captured%2Fc6af9ac6-7b61-11e6-9a41-93e8deadbeef")), expected);
    }

    #[test]
    fn the_test_event_tells_of_nothing() {
        assert_eq!(ids(r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"}"#), Ok(vec![]));
    }

    #[test]
    fn anything_else_is_for_a_person() {
        for message in [
            "",
            "[]",
            "{}",
            r#"{"Records":[{}]}"#,
            &message("results/x"),
            &message("captured/a%20b"),
            &message("captured/%ff"),
        ] {
            assert!(ids(message).is_err(), "{message}");
        }
    }
}
