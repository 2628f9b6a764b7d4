//! Lambda's limits and waits, each written down once.
//!
//! Quotas: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>

use std::time::Duration;

/// Bytes of a synchronous invocation's payload.
pub const REQUEST_BYTES: usize = 6 * 1024 * 1024;

/// Bytes of an event, an asynchronous invocation's payload: 1 MB since October 2025, 256 KB before.
pub const EVENT_BYTES: usize = 1024 * 1024;

/// Bytes of a function's answer. The 100 on top of 6 MB are in AWS's own message.
pub const RESPONSE_BYTES: usize = 6 * 1024 * 1024 + 100;

/// Of an answer that is too large, so much more is read and thrown away, so that its sender gets to read the refusal.
pub const DISCARDED_BYTES: usize = 64 * 1024 * 1024;

/// Bytes of the log that `X-Amz-Log-Result` holds.
pub const LOG_TAIL_BYTES: usize = 4 * 1024;

/// A line of a function's log is cut here, as CloudWatch Logs cuts its events.
pub const LOG_LINE_BYTES: usize = 256 * 1024;

/// How long a process may take from its start to its first `next`. After that, Lambda starts it once more as part of
/// the invocation, within the function's own time-out.
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>
pub const INIT: Duration = Duration::from_secs(10);

/// How long a process that reported an init error may take to end.
pub const INIT_ERROR_GRACE: Duration = Duration::from_millis(500);

/// What a process sent before it ended is still read for this long. Its connections are closed then, so it never takes
/// that long, unless a process that it started holds them.
pub const AFTERMATH: Duration = Duration::from_secs(1);

/// Concurrent invocations in an account and region, as of AWS's default quota.
pub const ACCOUNT_CONCURRENCY: u32 = 1000;

/// Processes of one function version. AWS has no such limit; a laptop would stand still with a thousand processes.
/// Invocations beyond it wait for a process to become free.
pub const INSTANCES_PER_VERSION: usize = 32;

/// A process that has answered asks for its next event at once, unless it has something to do first. An invocation waits
/// for it so long before another process is started instead. On AWS the network takes longer than that.
pub const RETURN: Duration = Duration::from_millis(50);

/// A process that was not used for this long is ended. AWS does not say how long it keeps them.
pub const IDLE: Duration = Duration::from_secs(300);

/// How often idle processes are looked for.
pub const IDLE_CHECK: Duration = Duration::from_millis(500);

/// A process's memory is read no more often than this, because the kernel takes longer to say it than we to invoke.
pub const MEMORY_SAMPLE: Duration = Duration::from_millis(100);

/// Reports that are kept.
pub const REPORTS: usize = 10_000;

/// Attempts after the first that an event gets.
/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>
pub const EVENT_RETRIES: usize = 2;

/// How old an event may become.
pub const EVENT_AGE: Duration = Duration::from_secs(6 * 60 * 60);

/// Waits before an event's second and third attempt. On AWS a minute and two; nobody sits before a laptop for three
/// minutes to see a dead-letter queue fill, so it is a sixtieth of that here.
pub const EVENT_RETRY_WAITS: [Duration; EVENT_RETRIES] = [Duration::from_secs(1), Duration::from_secs(2)];

/// Waits of an event that was throttled: doubled from the first to the last. On AWS from a second to five minutes; here
/// the last is a sixtieth, too.
pub const THROTTLE_WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Events that wait or run. AWS has no documented limit; here, memory has.
pub const EVENTS_IN_QUEUE: usize = 10_000;

/// How long one ReceiveMessage waits for messages: the longest that SQS allows.
pub const QUEUE_WAIT: Duration = Duration::from_secs(20);

/// Messages in one ReceiveMessage or DeleteMessageBatch.
pub const QUEUE_MESSAGES: usize = 10;

/// Batches of a mapping that are processed at once, if it does not say. Lambda begins with five pollers and scales up.
/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>
pub const MAPPING_CONCURRENCY: usize = 5;

/// After a queue could not be polled, the next attempt is made after this long.
pub const QUEUE_PAUSE: Duration = Duration::from_secs(1);
