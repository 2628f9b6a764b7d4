//! What is deployed, as plain data: functions, their versions and aliases, and what is set for them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

/// The version that code and configuration are written to; published versions are copies of it.
pub const LATEST: &str = "$LATEST";

/// Everything that Lambda runs, as it is at one moment. [`crate::read`] makes it from the AWS API.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Functions {
    /// The functions of the account and region.
    pub functions: Vec<Function>,
    /// What is polled, and for which function.
    pub event_source_mappings: Vec<EventSourceMapping>,
}

/// A function: its versions, and what is set for all of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// Its name, unique in the account and region.
    pub name: String,
    /// Its ARN, without a qualifier.
    pub arn: String,
    /// `$LATEST` and the published ones.
    pub versions: Vec<FunctionVersion>,
    /// Names for versions.
    pub aliases: Vec<Alias>,
    /// How many invocations may run at once, and how many nobody else may take away. 0 stops the function; `None`: it
    /// shares what the account has left.
    pub reserved_concurrency: Option<u32>,
    /// What PutFunctionEventInvokeConfig set, by qualifier (`$LATEST` is the one for invocations without a qualifier).
    pub event_invoke: BTreeMap<String, EventInvokeConfig>,
}

/// A version's code and configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionVersion {
    /// `$LATEST`, or a number.
    pub version: String,
    /// SHA-256 of the zip in base64, as AWS gives it. With another hash the version gets new processes.
    pub code_sha256: String,
    /// The unpacked zip: `LAMBDA_TASK_ROOT`, with an executable `bootstrap` in it.
    pub task_root: PathBuf,
    /// `_HANDLER`. An OS-only runtime may do with it what it likes.
    pub handler: String,
    /// The variables that the function's owner set.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take.
    pub timeout: Duration,
    /// In MB. Given to the function and to the report; nothing limits the process to it.
    pub memory_size: u32,
    /// Whether the function traces actively, or passes on what it was given.
    pub tracing: TracingMode,
    /// The log group that the function is told.
    pub log_group: String,
    /// The queue or topic for events that failed, by ARN.
    pub dead_letter_target: Option<String>,
}

/// AWS X-Ray's mode of a function. <https://docs.aws.amazon.com/lambda/latest/api/API_TracingConfig.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TracingMode {
    /// A trace id that Lambda makes says that it is sampled.
    Active,
    /// A trace id that Lambda makes says that it is not.
    #[default]
    PassThrough,
}

/// A name for a version, or for two of them by weight.
#[derive(Debug, Clone, PartialEq)]
pub struct Alias {
    /// Such as `prod`.
    pub name: String,
    /// What it leads to, but for the shares below.
    pub version: String,
    /// Other versions, each with its share of the invocations, between 0 and 1.
    pub additional_version_weights: BTreeMap<String, f64>,
}

/// How events, which nobody waits for, are retried, and where they end.
/// <https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventInvokeConfig {
    /// Attempts after the first, 0 to 2.
    pub maximum_retry_attempts: usize,
    /// How old an event may get; after that it is no longer tried.
    pub maximum_event_age: Duration,
    /// Gets a record of each event that succeeded, by ARN.
    pub on_success: Option<String>,
    /// Gets a record of each event that failed or became too old, by ARN.
    pub on_failure: Option<String>,
}

impl Default for EventInvokeConfig {
    fn default() -> Self {
        Self {
            maximum_retry_attempts: crate::limits::EVENT_RETRIES,
            maximum_event_age: crate::limits::EVENT_AGE,
            on_success: None,
            on_failure: None,
        }
    }
}

/// A queue that is polled for a function. <https://docs.aws.amazon.com/lambda/latest/api/API_EventSourceMappingConfiguration.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSourceMapping {
    /// Its UUID.
    pub uuid: String,
    /// The queue.
    pub event_source_arn: String,
    /// The function; with a version or an alias at its end, or none.
    pub function_arn: String,
    /// Messages per invocation at most.
    pub batch_size: usize,
    /// How long messages are gathered for a batch.
    pub maximum_batching_window: Duration,
    /// How many batches the function gets at once.
    pub maximum_concurrency: Option<usize>,
    /// `ReportBatchItemFailures`: the function's answer says which messages failed.
    pub report_batch_item_failures: bool,
    /// Filter patterns. There is no evaluation of them here: a mapping with any is refused.
    pub filters: Vec<String>,
    /// A disabled mapping polls nothing.
    pub enabled: bool,
}
