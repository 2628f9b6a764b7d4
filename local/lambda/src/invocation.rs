//! One invocation: what is asked for, what comes of it, and why it may be refused.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::StatusCode;
use serde::de::IgnoredAny;
use tokio::time::timeout_at;
use tracing::Level;
use uuid::Uuid;

use crate::catalog::{Slot, Target};
use crate::configuration::TracingMode;
use crate::dates;
use crate::failure::{self, Failure};
use crate::instance::{Answer, Event, Instance};
use crate::limits::{EVENT_BYTES, REQUEST_BYTES};
use crate::pool::Pool;
use crate::report::{Report, Status};

/// What a caller of Invoke gives.
#[derive(Debug, Clone, Default)]
pub struct InvokeRequest {
    /// JSON. Nothing at all is taken for `{}`.
    pub payload: Bytes,
    /// A version or an alias, unless the function's name has one at its end.
    pub qualifier: Option<String>,
    /// `X-Amzn-Trace-Id`. Without one, Lambda makes it.
    pub trace_id: Option<String>,
    /// `X-Amz-Client-Context`: JSON in base64, passed on as it is.
    pub client_context: Option<String>,
    /// Whether the end of the log is wanted.
    pub log_tail: bool,
}

/// What came of a synchronous invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// What the function sent, whatever it is; with an error, `{"errorType": ..., "errorMessage": ...}`.
    pub payload: Bytes,
    /// The payload is an error: `X-Amz-Function-Error: Unhandled`.
    pub function_error: bool,
    /// `X-Amz-Executed-Version`.
    pub executed_version: Arc<str>,
    /// `x-amzn-RequestId`.
    pub request_id: Arc<str>,
    /// `X-Amzn-Trace-Id`, as the function got it.
    pub trace_id: String,
    /// The last 4 KB of the log, if they were asked for.
    pub log_tail: Option<Vec<u8>>,
}

/// Lambda did not invoke the function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {code}: {message}")]
pub struct Refusal {
    /// The status of Lambda's answer.
    pub status: StatusCode,
    /// The error's name, in `x-amzn-errortype`.
    pub code: &'static str,
    /// Its text.
    pub message: String,
    /// Of a throttled invocation: which limit it was.
    pub reason: Option<&'static str>,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), reason: None }
    }

    pub(crate) fn not_found(arn: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Function not found: {arn}"))
    }

    pub(crate) fn invalid_name(name: &str) -> Self {
        let message = format!("'{name}' at 'functionName' names no function: give {}", crate::name::NotAName);
        Self::new(StatusCode::BAD_REQUEST, "ValidationException", message)
    }

    pub(crate) fn contradicting_qualifiers() -> Self {
        let message = "The derived qualifier from the function name does not match the specified qualifier.";
        Self::invalid_parameter(message)
    }

    pub(crate) fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
    }

    fn not_json(cause: &serde_json::Error) -> Self {
        let message = format!("Could not parse request body into json: {cause}");
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestContentException", message)
    }

    /// `length`: of as much of the payload as was read.
    pub(crate) fn too_large(length: usize, kind: InvocationType) -> Self {
        let message = format!(
            "{length} byte payload is too large for the {} invocation type (limit {} bytes)",
            kind.name(),
            kind.limit()
        );
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestTooLargeException", message)
    }

    fn throttled(reason: &'static str) -> Self {
        let code = "TooManyRequestsException";
        Self { reason: Some(reason), ..Self::new(StatusCode::TOO_MANY_REQUESTS, code, "Rate Exceeded.") }
    }

    pub(crate) fn reserved_concurrency() -> Self {
        Self::throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
    }

    pub(crate) fn account_concurrency() -> Self {
        Self::throttled("ConcurrentInvocationLimitExceeded")
    }

    pub(crate) fn queue_full() -> Self {
        Self::throttled("FunctionInvocationRateLimitExceeded")
    }

    pub(crate) fn service(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "ServiceException", message)
    }

    /// Whether Lambda would try an event again, that was refused so.
    pub(crate) fn is_throttling(&self) -> bool {
        self.status == StatusCode::TOO_MANY_REQUESTS
    }
}

/// `X-Amz-Invocation-Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvocationType {
    RequestResponse,
    Event,
    DryRun,
}

impl InvocationType {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::RequestResponse, Self::Event, Self::DryRun].into_iter().find(|kind| kind.name() == text)
    }

    fn name(self) -> &'static str {
        match self {
            Self::RequestResponse => "RequestResponse",
            Self::Event => "Event",
            Self::DryRun => "DryRun",
        }
    }

    /// Bytes of the payload.
    fn limit(self) -> usize {
        if self == Self::Event { EVENT_BYTES } else { REQUEST_BYTES }
    }

    /// The payload as the function gets it.
    pub(crate) fn check(self, payload: Bytes) -> Result<Bytes, Refusal> {
        if payload.len() > self.limit() {
            return Err(Refusal::too_large(payload.len(), self));
        }
        if payload.is_empty() {
            return Ok(Bytes::from_static(b"{}"));
        }
        match serde_json::from_slice::<IgnoredAny>(&payload) {
            Ok(_) => Ok(payload),
            Err(cause) => Err(Refusal::not_json(&cause)),
        }
    }
}

/// Runs an invocation to its end; `slot` is given back then. It belongs in a task of its own: a caller who hangs up
/// does not stop the function.
pub(crate) async fn run(target: Target, slot: Slot, request_id: Arc<str>, request: InvokeRequest) -> Invocation {
    let pool = &target.pool;
    let trace_id = trace_id(request.trace_id, pool.version.tracing);
    // Neither the lines nor their text are made when nobody reads them.
    let logged = request.log_tail || tracing::enabled!(target: "lambda", Level::INFO);
    let mut payload = request.payload;
    let asked = Instant::now();

    let (ran, began, answer) = loop {
        let lease = match pool.lease().await {
            Ok(lease) => lease,
            Err(failure) => break (None, asked, Answer::Failed(failure)),
        };
        let instance = lease.instance;
        let first = instance.is_first_use();
        // A repeated initialisation is part of the invocation, and of its time.
        let began = if first && instance.start.repeated { instance.start.at } else { Instant::now() };
        let deadline = began + pool.version.timeout;
        if logged {
            instance.logs.drain();
            instance.logs.begin();
            instance.logs.platform(&format!("START RequestId: {request_id} Version: {}", pool.version_name));
        }
        let answered = instance.begin(&request_id);
        let event = Event {
            request_id: Arc::clone(&request_id),
            payload,
            deadline_ms: unix_milliseconds(deadline),
            function_arn: target.invoked_arn.clone(),
            trace_id: trace_id.clone(),
            client_context: request.client_context.clone(),
        };
        if let Err(event) = lease.poll.send(event) {
            // The process ended while it was idle; nobody has seen the event.
            instance.abandon();
            payload = event.payload;
            continue;
        }
        let answer = match timeout_at(deadline.into(), answered).await {
            Ok(answer) => answer.unwrap_or(Answer::Failed(Failure::ShutDown)),
            Err(_) => {
                instance.end.cancel();
                Answer::Failed(Failure::Timeout(pool.version.timeout))
            }
        };
        break (Some((instance, first)), began, answer);
    };

    let duration = began.elapsed();
    let (payload, status) = match answer {
        Answer::Response(payload) => (payload, Status::Success),
        Answer::FunctionError { payload, error_type } => (payload, Status::FunctionError(error_type)),
        Answer::Failed(failure) => {
            let status = match failure {
                Failure::Timeout(_) => Status::Timeout,
                _ => Status::Error(failure.error_type().to_owned()),
            };
            (failure.payload(&request_id), status)
        }
    };
    let function_error = status != Status::Success;
    let log_tail = report(pool, ran, &request_id, duration, status, logged);
    drop(slot);
    Invocation {
        payload,
        function_error,
        executed_version: Arc::clone(&pool.version_name),
        request_id,
        trace_id,
        log_tail: log_tail.filter(|_| request.log_tail),
    }
}

/// Writes the invocation's end into the log, and keeps its measurements. `ran`: the instance, and whether this was its
/// first invocation.
fn report(
    pool: &Pool,
    ran: Option<(Arc<Instance>, bool)>,
    request_id: &Arc<str>,
    duration: Duration,
    status: Status,
    logged: bool,
) -> Option<Vec<u8>> {
    let (instance, first) = ran.map_or((None, false), |(instance, first)| (Some(instance), first));
    let init_duration = instance.as_ref().filter(|instance| first && !instance.start.repeated);
    let init_duration = init_duration.and_then(|instance| instance.init_duration());
    let report = Report {
        request_id: request_id.to_string(),
        function: Arc::clone(&pool.function),
        version: Arc::clone(&pool.version_name),
        ended: SystemTime::now(),
        duration,
        billed_duration: Report::billed(duration, init_duration),
        memory_size: pool.version.memory_size,
        max_memory_used: instance.as_ref().map(|instance| instance.max_memory()).unwrap_or_default(),
        init_duration,
        status,
    };
    let mut tail = None;
    if logged {
        let mut lines = Vec::with_capacity(3);
        if report.status == Status::Timeout {
            lines.push(format!("{} {request_id} {}", dates::now(), failure::timed_out(pool.version.timeout)));
        }
        lines.push(format!("END RequestId: {request_id}"));
        lines.push(report.to_string());
        match &instance {
            Some(instance) => {
                instance.logs.drain();
                lines.iter().for_each(|line| instance.logs.platform(line));
                tail = Some(instance.logs.tail());
            }
            // There was no process whose log it could stand in.
            None => {
                lines.insert(0, format!("START RequestId: {request_id} Version: {}", pool.version_name));
                for line in &lines {
                    tracing::info!(target: "lambda", function = %pool.function, "{line}");
                }
                tail = Some((lines.join("\n") + "\n").into_bytes());
            }
        }
    }
    pool.shared.reports.push(report);
    tail
}

/// The caller's trace id, completed, or one of our own.
/// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
fn trace_id(given: Option<String>, tracing: TracingMode) -> String {
    let sampled = u8::from(tracing == TracingMode::Active);
    let random = Uuid::new_v4().simple().to_string();
    let parent = &random[16..];
    match given {
        Some(given) if given.contains("Parent=") || !given.contains("Root=") => given,
        Some(given) if given.contains("Sampled=") => format!("{given};Parent={parent}"),
        Some(given) => format!("{given};Parent={parent};Sampled={sampled}"),
        None => {
            let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let root = Uuid::new_v4().simple().to_string();
            format!("Root=1-{seconds:08x}-{};Parent={parent};Sampled={sampled}", &root[8..])
        }
    }
}

fn unix_milliseconds(deadline: Instant) -> u128 {
    let left = deadline.saturating_duration_since(Instant::now());
    (SystemTime::now() + left).duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_kept_completed_or_made() {
        let whole = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        assert_eq!(trace_id(Some(whole.to_owned()), TracingMode::PassThrough), whole);
        let root = "Root=1-5759e988-bd862e3fe1be46a994272793";
        let completed = trace_id(Some(root.to_owned()), TracingMode::PassThrough);
        assert!(completed.starts_with(&format!("{root};Parent=")) && completed.ends_with(";Sampled=0"), "{completed}");
        let made = trace_id(None, TracingMode::Active);
        assert_eq!(made.len(), whole.len(), "{made}");
        assert!(made.starts_with("Root=1-") && made.ends_with(";Sampled=1"), "{made}");
    }

    #[test]
    fn payloads() {
        let check = |kind: InvocationType, payload: Vec<u8>| kind.check(payload.into()).map_err(|refusal| refusal.code);
        let string = |length: usize| [b"\"", vec![b'x'; length - 2].as_slice(), b"\""].concat();
        let sync = InvocationType::RequestResponse;
        assert_eq!(check(sync, vec![]).unwrap(), "{}");
        assert_eq!(check(sync, b"[1]".to_vec()).unwrap(), "[1]");
        assert_eq!(check(sync, b"{\"a\"".to_vec()), Err("InvalidRequestContentException"));
        assert!(check(sync, string(REQUEST_BYTES)).is_ok());
        assert_eq!(check(sync, string(REQUEST_BYTES + 1)), Err("RequestTooLargeException"));
        assert!(check(InvocationType::Event, string(EVENT_BYTES)).is_ok());
        assert_eq!(check(InvocationType::Event, string(EVENT_BYTES + 1)), Err("RequestTooLargeException"));
    }
}
