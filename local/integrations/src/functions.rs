//! Lambda, as API Gateway sees it.

use bytes::Bytes;

use crate::BoxFuture;

/// Invokes functions.
pub trait Functions: Send + Sync {
    /// `arn`: the function's ARN as it stands in an integration's URI; it may end in a qualifier. `trace_id`: the value of
    /// `X-Amzn-Trace-Id`. `event_invocation`: the invocation type is `Event`, nobody waits for the function.
    ///
    /// # Errors
    /// Lambda's own refusal: no such function, too many requests, a payload that is too large.
    fn invoke<'a>(
        &'a self,
        arn: &'a str,
        payload: Bytes,
        trace_id: &'a str,
        event_invocation: bool,
    ) -> BoxFuture<'a, Result<Invocation, Refusal>>;
}

/// What an invocation gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function answered; with an error, `{"errorMessage", "errorType", ...}`. Empty for an event invocation.
    pub payload: Bytes,
    /// Whether Lambda sent `X-Amz-Function-Error`: the function failed.
    pub function_error: bool,
}

/// Lambda did not invoke the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Lambda answered {status} {code}: {message}")]
pub struct Refusal {
    /// The HTTP status of Lambda's answer.
    pub status: u16,
    /// Lambda's error, such as `ResourceNotFoundException`.
    pub code: String,
    /// Its text.
    pub message: String,
}
