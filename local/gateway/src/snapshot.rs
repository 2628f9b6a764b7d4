//! What is deployed, as data. [`read`](crate::read) gets it from the account; tests write it down.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

/// Everything that the gateway serves: all REST APIs of one region, with their keys and domain names.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Such as `eu-west-1`.
    pub region: String,
    /// Twelve digits.
    pub account_id: String,
    /// What all APIs of the account may take together.
    pub account_throttle: Option<Throttle>,
    /// All REST APIs.
    pub rest_apis: Vec<RestApi>,
    /// All API keys, with their values.
    pub api_keys: Vec<ApiKey>,
    /// All usage plans.
    pub usage_plans: Vec<UsagePlan>,
    /// All custom domain names.
    pub domain_names: Vec<DomainName>,
    /// The resource-based policies of functions, by the ARN that an integration names (with its qualifier); `None` where
    /// the function has none. A function that is not in the map is invoked without a look at its policy.
    pub function_policies: HashMap<String, Option<Arc<Value>>>,
}

/// One REST API.
#[derive(Debug, Clone, Default)]
pub struct RestApi {
    /// Such as `a1b2c3d4e5`.
    pub id: String,
    /// As its author named it.
    pub name: String,
    /// Deployment → its definition: OpenAPI 3 with every extension. Those that a stage serves.
    pub definitions: HashMap<String, Arc<Value>>,
    /// All stages.
    pub stages: Vec<Stage>,
}

/// A stage: one deployment, and how it is served.
#[derive(Debug, Clone, Default)]
pub struct Stage {
    /// The first part of its URLs.
    pub name: String,
    /// Which definition it serves.
    pub deployment_id: String,
    /// Stage variables.
    pub variables: BTreeMap<String, String>,
    /// `*/*` or `{path}/{verb}`, such as `/pets/GET` → what it may take.
    pub method_throttles: HashMap<String, Throttle>,
    /// The format of its access log, where it has one.
    pub access_log_format: Option<String>,
    /// Settings that have no effect here, in words.
    pub warnings: Vec<String>,
}

/// A token bucket's size and how fast it fills.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Throttle {
    /// Requests per second.
    pub rate: f64,
    /// Requests at once.
    pub burst: u64,
}

/// An API key.
#[derive(Clone, Default)]
pub struct ApiKey {
    /// `$context.identity.apiKeyId`.
    pub id: String,
    /// As its author named it.
    pub name: String,
    /// The secret.
    pub value: String,
    /// Whether it opens anything.
    pub enabled: bool,
}

/// A usage plan.
#[derive(Debug, Clone, Default)]
pub struct UsagePlan {
    /// Such as `p1a2b3`.
    pub id: String,
    /// As its author named it.
    pub name: String,
    /// What each of its keys may take.
    pub throttle: Option<Throttle>,
    /// How much each of its keys may take in a period.
    pub quota: Option<Quota>,
    /// The stages that it opens.
    pub stages: Vec<PlanStage>,
    /// Its keys.
    pub key_ids: Vec<String>,
}

/// A stage in a usage plan.
#[derive(Debug, Clone, Default)]
pub struct PlanStage {
    /// The REST API.
    pub api_id: String,
    /// The stage's name.
    pub stage: String,
    /// `{path}/{verb}`, such as `/pets/GET` → what each key may take of it.
    pub method_throttles: HashMap<String, Throttle>,
}

/// How many requests a key may make in a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Requests in a period.
    pub limit: u64,
    /// What is taken from the limit in the first period.
    pub offset: u64,
    /// After which the count begins again.
    pub period: Period,
}

/// Days, weeks and months begin at 00:00 UTC, weeks on Sundays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// `DAY`
    Day,
    /// `WEEK`
    Week,
    /// `MONTH`
    Month,
}

/// A custom domain name.
#[derive(Debug, Clone, Default)]
pub struct DomainName {
    /// The host.
    pub name: String,
    /// Where its paths lead.
    pub mappings: Vec<BasePathMapping>,
}

/// Where a base path of a custom domain name leads.
#[derive(Debug, Clone, Default)]
pub struct BasePathMapping {
    /// Without slashes around it; empty for all paths that no other mapping takes.
    pub base_path: String,
    /// The REST API.
    pub api_id: String,
    /// The stage; without one, the next part of the path names it.
    pub stage: Option<String>,
}

impl std::fmt::Debug for ApiKey {
    /// Without the value: keys do not belong in logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, name, enabled, .. } = self;
        formatter.debug_struct("ApiKey").field("id", id).field("name", name).field("enabled", enabled).finish()
    }
}
