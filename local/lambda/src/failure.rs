//! How a function's runtime fails, in the words that Lambda has for it.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::limits::{DISCARDED_BYTES, RESPONSE_BYTES};

/// Why an invocation has no answer of the function's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The code has no `bootstrap`, or it cannot be executed.
    InvalidEntrypoint(String),
    /// The process ended.
    Exit(ExitStatus),
    /// The runtime reported that it could not initialise itself: what it said.
    Init { payload: Bytes, error_type: String },
    /// The time was over.
    Timeout(Duration),
    /// Everything is being ended.
    ShutDown,
}

impl Failure {
    /// AWS's name for it.
    pub(crate) fn error_type(&self) -> &str {
        match self {
            Self::InvalidEntrypoint(_) => "Runtime.InvalidEntrypoint",
            Self::Exit(_) => "Runtime.ExitError",
            Self::Init { error_type, .. } => error_type,
            Self::Timeout(_) => "Sandbox.Timedout",
            Self::ShutDown => "Sandbox.Failure",
        }
    }

    /// What the invoker gets, together with `X-Amz-Function-Error: Unhandled`.
    pub(crate) fn payload(&self, request_id: &str) -> Bytes {
        let message = match self {
            Self::Init { payload, .. } => return payload.clone(),
            Self::InvalidEntrypoint(cause) => cause.clone(),
            Self::Exit(status) => describe(*status),
            Self::Timeout(timeout) => timed_out(*timeout),
            Self::ShutDown => "Lambda is being shut down".to_owned(),
        };
        error(self.error_type(), &format!("RequestId: {request_id} Error: {message}"))
    }
}

/// The message of a time-out, in payload and log.
pub(crate) fn timed_out(timeout: Duration) -> String {
    format!("Task timed out after {:.2} seconds", timeout.as_secs_f64())
}

/// How Lambda, which is written in Go, describes the end of a process.
fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(0), _) => "Runtime exited without providing a reason".to_owned(),
        (Some(code), _) => format!("Runtime exited with error: exit status {code}"),
        (None, Some(signal)) => format!("Runtime exited with error: signal: {}", signal_name(signal)),
        (None, None) => "Runtime exited with error".to_owned(),
    }
}

/// As Go's `syscall.Signal` has it, for those that end a process of themselves.
fn signal_name(number: i32) -> String {
    use rustix::process::Signal;
    let name = match Signal::from_named_raw(number) {
        Some(Signal::ABORT) => "aborted",
        Some(Signal::ALARM) => "alarm clock",
        Some(Signal::BUS) => "bus error",
        Some(Signal::FPE) => "floating point exception",
        Some(Signal::HUP) => "hangup",
        Some(Signal::ILL) => "illegal instruction",
        Some(Signal::INT) => "interrupt",
        Some(Signal::KILL) => "killed",
        Some(Signal::PIPE) => "broken pipe",
        Some(Signal::QUIT) => "quit",
        Some(Signal::SEGV) => "segmentation fault",
        Some(Signal::TERM) => "terminated",
        _ => return format!("signal {number}"),
    };
    name.to_owned()
}

/// Of an answer that is over the limit.
pub(crate) const RESPONSE_TOO_LARGE: &str = "Function.ResponseSizeTooLarge";

/// `length`: what came of it; nobody counts beyond what is thrown away.
pub(crate) fn response_too_large(length: usize) -> Bytes {
    let size = if length > DISCARDED_BYTES { String::new() } else { format!(" ({length} bytes)") };
    let message =
        format!("Response payload size{size} exceeded maximum allowed payload size ({RESPONSE_BYTES} bytes).");
    error(RESPONSE_TOO_LARGE, &message)
}

/// Lambda's form of an error.
pub(crate) fn error(error_type: &str, message: &str) -> Bytes {
    let body: Value = json!({"errorType": error_type, "errorMessage": message});
    Bytes::from(body.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(failure: &Failure) -> String {
        let payload: Value = serde_json::from_slice(&failure.payload("id")).unwrap();
        payload["errorMessage"].as_str().unwrap().to_owned()
    }

    #[test]
    fn in_lambdas_words() {
        let exit = |raw| message(&Failure::Exit(ExitStatus::from_raw(raw)));
        assert_eq!(exit(0), "RequestId: id Error: Runtime exited without providing a reason");
        assert_eq!(exit(1 << 8), "RequestId: id Error: Runtime exited with error: exit status 1");
        assert_eq!(exit(9), "RequestId: id Error: Runtime exited with error: signal: killed");
        assert_eq!(exit(11), "RequestId: id Error: Runtime exited with error: signal: segmentation fault");
        let timeout = Failure::Timeout(Duration::from_secs(3));
        assert_eq!(message(&timeout), "RequestId: id Error: Task timed out after 3.00 seconds");
    }
}
