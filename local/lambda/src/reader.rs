//! What is deployed, read from the control plane by the AWS API.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use http::Method;
use local_aws_api::{AwsApi, Error};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::error;

use crate::code;
use crate::configuration::{
    Alias, EventInvokeConfig, EventSourceMapping, Function, FunctionVersion, Functions, LATEST, TracingMode,
};
use crate::limits;

/// Why what is deployed could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The control plane did not answer, or refused.
    #[error(transparent)]
    Api(#[from] Error),
    /// Its answer is not as AWS documents it.
    #[error("lambda {path}: {cause}")]
    Answer {
        /// What was asked for.
        path: String,
        /// What is wrong.
        cause: serde_json::Error,
    },
}

/// Reads every function with its versions, aliases and settings, and every event source mapping. Code that is not in
/// `work_directory` yet is fetched and unpacked there, in a folder for each hash.
///
/// A function whose code cannot be had is served nevertheless, and fails with `Runtime.InvalidEntrypoint` when it is
/// invoked; the cause is logged here. A function that is deleted meanwhile is left out.
///
/// # Errors
/// When the control plane does not answer, or not as documented.
pub async fn read(aws: &AwsApi, work_directory: &Path) -> Result<Functions, ReadError> {
    let reader = Reader { aws, work_directory };
    let mut functions = Vec::new();
    for listed in reader.list::<Configuration>("/2015-03-31/functions/", "Functions").await? {
        match reader.function(&listed.function_name).await {
            Err(ReadError::Api(error)) if error.is_not_found() => {}
            function => functions.push(function?),
        }
    }
    let mappings = reader.list::<Mapping>("/2015-03-31/event-source-mappings/", "EventSourceMappings").await?;
    Ok(Functions { functions, event_source_mappings: mappings.into_iter().map(Mapping::into_mapping).collect() })
}

struct Reader<'a> {
    aws: &'a AwsApi,
    work_directory: &'a Path,
}

impl Reader<'_> {
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ReadError> {
        let answer = self.aws.rest("lambda", Method::GET, path, None).await?;
        serde_json::from_value(answer).map_err(|cause| ReadError::Answer { path: path.to_owned(), cause })
    }

    /// All pages of a list.
    async fn list<T: DeserializeOwned>(&self, path: &str, member: &str) -> Result<Vec<T>, ReadError> {
        let mut items = Vec::new();
        let mut page = path.to_owned();
        loop {
            let mut answer: Value = self.get(&page).await?;
            let more: Vec<T> = serde_json::from_value(answer[member].take())
                .map_err(|cause| ReadError::Answer { path: page.clone(), cause })?;
            items.extend(more);
            match answer["NextMarker"].as_str() {
                Some(marker) if !marker.is_empty() => page = format!("{path}?Marker={marker}"),
                _ => return Ok(items),
            }
        }
    }

    async fn function(&self, name: &str) -> Result<Function, ReadError> {
        let path = format!("/2015-03-31/functions/{name}");
        let function: GetFunction = self.get(&path).await?;
        let mut versions = Vec::new();
        for version in self.list::<Configuration>(&format!("{path}/versions"), "Versions").await? {
            versions.push(self.version(version).await?);
        }
        let aliases = self.list::<AliasConfiguration>(&format!("{path}/aliases"), "Aliases").await?;
        let arn = unqualified(&function.configuration.function_arn).0.to_owned();
        Ok(Function {
            event_invoke: self.event_invoke(name).await?,
            reserved_concurrency: function.concurrency.and_then(|set| set.reserved_concurrent_executions),
            aliases: aliases.into_iter().map(AliasConfiguration::into_alias).collect(),
            name: function.configuration.function_name,
            arn,
            versions,
        })
    }

    async fn version(&self, version: Configuration) -> Result<FunctionVersion, ReadError> {
        let folder = code::folder(self.work_directory, &version.code_sha256);
        if !folder.is_dir() {
            let path = format!("/2015-03-31/functions/{}?Qualifier={}", version.function_name, version.version);
            let location = self.get::<GetFunction>(&path).await?.code.location.unwrap_or_default();
            if let Err(error) = code::install(self.aws, &location, &version.code_sha256, folder.clone()).await {
                let (function, version) = (&version.function_name, &version.version);
                error!(target: "lambda", function, version, %error, "there is no code to run");
            }
        }
        let log_group = version.logging_config.and_then(|set| set.log_group);
        let tracing = version.tracing_config.and_then(|set| set.mode);
        Ok(FunctionVersion {
            task_root: folder,
            code_sha256: version.code_sha256,
            handler: version.handler.unwrap_or_default(),
            environment: version.environment.and_then(|set| set.variables).unwrap_or_default(),
            timeout: Duration::from_secs(version.timeout),
            memory_size: version.memory_size,
            tracing: if tracing.as_deref() == Some("Active") { TracingMode::Active } else { TracingMode::PassThrough },
            log_group: log_group.unwrap_or_else(|| format!("/aws/lambda/{}", version.function_name)),
            dead_letter_target: version.dead_letter_config.and_then(|set| set.target_arn),
            version: version.version,
        })
    }

    async fn event_invoke(&self, name: &str) -> Result<BTreeMap<String, EventInvokeConfig>, ReadError> {
        let path = format!("/2019-09-25/functions/{name}/event-invoke-config/list");
        let listed = match self.list::<EventInvoke>(&path, "FunctionEventInvokeConfigs").await {
            Err(ReadError::Api(error)) if error.is_not_found() => vec![],
            listed => listed?,
        };
        Ok(listed.into_iter().map(EventInvoke::into_entry).collect())
    }
}

/// The ARN of the function, and the qualifier at its end.
fn unqualified(arn: &str) -> (&str, Option<&str>) {
    match arn.match_indices(':').nth(6) {
        Some((at, _)) => (&arn[..at], Some(&arn[at + 1..])),
        None => (arn, None),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetFunction {
    configuration: Configuration,
    code: Code,
    concurrency: Option<Concurrency>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Code {
    location: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Concurrency {
    reserved_concurrent_executions: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Configuration {
    function_name: String,
    function_arn: String,
    #[serde(default = "latest")]
    version: String,
    #[serde(default)]
    code_sha256: String,
    handler: Option<String>,
    environment: Option<Environment>,
    timeout: u64,
    memory_size: u32,
    tracing_config: Option<TracingConfig>,
    logging_config: Option<LoggingConfig>,
    dead_letter_config: Option<DeadLetterConfig>,
}

fn latest() -> String {
    LATEST.to_owned()
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    variables: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TracingConfig {
    mode: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LoggingConfig {
    log_group: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetterConfig {
    target_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct AliasConfiguration {
    name: String,
    function_version: String,
    routing_config: Option<RoutingConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RoutingConfig {
    additional_version_weights: Option<BTreeMap<String, f64>>,
}

impl AliasConfiguration {
    fn into_alias(self) -> Alias {
        let weights = self.routing_config.and_then(|routing| routing.additional_version_weights);
        Alias {
            name: self.name,
            version: self.function_version,
            additional_version_weights: weights.unwrap_or_default(),
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EventInvoke {
    function_arn: String,
    maximum_retry_attempts: Option<usize>,
    maximum_event_age_in_seconds: Option<u64>,
    destination_config: Option<DestinationConfig>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationConfig {
    on_success: Option<Destination>,
    on_failure: Option<Destination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Destination {
    destination: Option<String>,
}

impl EventInvoke {
    fn into_entry(self) -> (String, EventInvokeConfig) {
        let destinations = self.destination_config.unwrap_or_default();
        let arn = |destination: Option<Destination>| destination.and_then(|destination| destination.destination);
        let config = EventInvokeConfig {
            maximum_retry_attempts: self.maximum_retry_attempts.unwrap_or(limits::EVENT_RETRIES),
            maximum_event_age: self.maximum_event_age_in_seconds.map_or(limits::EVENT_AGE, Duration::from_secs),
            on_success: arn(destinations.on_success),
            on_failure: arn(destinations.on_failure),
        };
        (unqualified(&self.function_arn).1.unwrap_or(LATEST).to_owned(), config)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Mapping {
    #[serde(rename = "UUID")]
    uuid: String,
    event_source_arn: Option<String>,
    function_arn: String,
    batch_size: Option<usize>,
    maximum_batching_window_in_seconds: Option<u64>,
    scaling_config: Option<ScalingConfig>,
    function_response_types: Option<Vec<String>>,
    filter_criteria: Option<FilterCriteria>,
    state: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ScalingConfig {
    maximum_concurrency: Option<usize>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct FilterCriteria {
    filters: Option<Vec<Filter>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    pattern: Option<String>,
}

impl Mapping {
    fn into_mapping(self) -> EventSourceMapping {
        let filters = self.filter_criteria.and_then(|criteria| criteria.filters).unwrap_or_default();
        let response_types = self.function_response_types.unwrap_or_default();
        EventSourceMapping {
            uuid: self.uuid,
            event_source_arn: self.event_source_arn.unwrap_or_default(),
            function_arn: self.function_arn,
            batch_size: self.batch_size.unwrap_or(limits::QUEUE_MESSAGES),
            maximum_batching_window: Duration::from_secs(self.maximum_batching_window_in_seconds.unwrap_or_default()),
            maximum_concurrency: self.scaling_config.and_then(|scaling| scaling.maximum_concurrency),
            report_batch_item_failures: response_types.iter().any(|kind| kind == "ReportBatchItemFailures"),
            filters: filters.into_iter().map(|filter| filter.pattern.unwrap_or_default()).collect(),
            // Anything but these is on its way to one of them.
            enabled: !matches!(self.state.as_deref(), Some("Disabled" | "Disabling" | "Deleting")),
        }
    }
}
