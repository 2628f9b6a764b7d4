//! What AWS answered when it did not do as it was asked.

use std::error::Error;
use std::fmt;

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_types::request_id::RequestId;

/// A request to AWS that failed, in one line: the operation, AWS's error code, message and request id, or why no answer
/// came. Never credentials and never a response's body, which may hold the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError(String);

impl AwsError {
    pub(crate) fn new<E>(operation: &str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let why = match error.as_service_error().and_then(|service| Some((service.code()?, service.message()))) {
            // The first line: the message for a wrong signature goes on to quote the request, session token included.
            Some((code, message)) => {
                let message = message.and_then(|text| text.lines().next()).unwrap_or("no message");
                let request = error.request_id().map(|id| format!(" (request id {id})")).unwrap_or_default();
                format!("{code}: {message}{request}")
            }
            None => {
                let status = error.raw_response().map(|response| format!("HTTP {}: ", response.status().as_u16()));
                status.unwrap_or_default() + &chain(error)
            }
        };
        Self(format!("{operation}: {why}"))
    }
}

impl fmt::Display for AwsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for AwsError {}

/// The messages of `error` and its causes. Their `Debug` form, which the SDK's own formatter prints as well, holds the
/// whole response.
fn chain(error: &dyn Error) -> String {
    let mut messages = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !messages.last().is_some_and(|last| last.contains(&message)) {
            messages.push(message);
        }
        cause = error.source();
    }
    messages.join(": ")
}
