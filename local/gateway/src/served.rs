//! What is served now: a snapshot, ready to look things up in.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::definition::{Api, Method, Resource};
use crate::policy::Policy;
use crate::snapshot::{DomainName, Snapshot, Stage, Throttle};
use crate::usage_plan::KeyRing;

/// API Gateway's own limit per account and region, unless the account says otherwise.
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
const ACCOUNT_THROTTLE: Throttle = Throttle { rate: 10_000.0, burst: 5_000 };

/// All stages of all APIs, and the ways to them.
#[derive(Debug)]
pub(crate) struct Served {
    /// API → stage.
    pub apis: HashMap<String, HashMap<String, Arc<ServedStage>>>,
    /// Host in lower case → where its base paths lead.
    pub domains: HashMap<String, DomainName>,
    pub keys: KeyRing,
    pub account_throttle: Throttle,
    /// Function, with its qualifier → its policy, read, or what is wrong with it. `None`: it has none.
    pub function_policies: HashMap<String, Option<Result<Policy, String>>>,
}

/// One stage, with the deployment that it serves.
#[derive(Debug)]
pub(crate) struct ServedStage {
    pub region: String,
    pub account_id: String,
    pub api_id: String,
    pub api_name: String,
    pub stage: Stage,
    pub api: Arc<Api>,
    /// `arn:aws:apigateway:{region}::/restapis/{api}/stages/{stage}`: what a web ACL protects.
    pub arn: String,
}

/// Definitions that have been read, by API and deployment: a deployment never changes.
pub(crate) type ReadDefinitions = HashMap<(String, String), Arc<Api>>;

impl Served {
    /// Reads the definitions of `snapshot` that are not in `known` yet, and leaves exactly those in it that are served.
    pub fn new(snapshot: Snapshot, known: &mut ReadDefinitions) -> Self {
        let mut read = ReadDefinitions::new();
        let mut apis = HashMap::new();
        for rest_api in snapshot.rest_apis {
            let mut stages = HashMap::new();
            for stage in rest_api.stages {
                let key = (rest_api.id.clone(), stage.deployment_id.clone());
                let Some(definition) = rest_api.definitions.get(&stage.deployment_id) else {
                    tracing::warn!(target: "gateway", api = rest_api.id, stage = stage.name,
                        "deployment {} has no definition: the stage is not served", stage.deployment_id);
                    continue;
                };
                let api = read.entry(key.clone()).or_insert_with(|| {
                    known.get(&key).cloned().unwrap_or_else(|| parse(&rest_api.name, &key, definition))
                });
                for warning in &stage.warnings {
                    tracing::warn!(target: "gateway", api = rest_api.name, stage = stage.name, "{warning}");
                }
                let served = ServedStage {
                    region: snapshot.region.clone(),
                    account_id: snapshot.account_id.clone(),
                    api_id: rest_api.id.clone(),
                    api_name: rest_api.name.clone(),
                    arn: format!(
                        "arn:aws:apigateway:{}::/restapis/{}/stages/{}",
                        snapshot.region, rest_api.id, stage.name
                    ),
                    api: Arc::clone(api),
                    stage,
                };
                stages.insert(served.stage.name.clone(), Arc::new(served));
            }
            apis.insert(rest_api.id, stages);
        }
        *known = read;
        Self {
            apis,
            domains: snapshot
                .domain_names
                .into_iter()
                .map(|domain| (domain.name.to_ascii_lowercase(), domain))
                .collect(),
            keys: KeyRing::new(&snapshot.api_keys, &snapshot.usage_plans),
            account_throttle: snapshot.account_throttle.unwrap_or(ACCOUNT_THROTTLE),
            function_policies: snapshot
                .function_policies
                .into_iter()
                .map(|(arn, policy)| (arn, policy.map(|policy| Policy::parse(&policy))))
                .collect(),
        }
    }

    pub fn stage(&self, api_id: &str, stage: &str) -> Option<&Arc<ServedStage>> {
        self.apis.get(api_id)?.get(stage)
    }
}

fn parse(name: &str, (api_id, deployment): &(String, String), definition: &Value) -> Arc<Api> {
    let api = Api::parse(definition);
    for warning in api.warnings() {
        tracing::warn!(target: "gateway", api = name, api_id, deployment, "{warning}");
    }
    Arc::new(api)
}

impl ServedStage {
    /// `arn:aws:execute-api:{region}:{account}:{api}/{stage}/{verb}/{path}`: what an authorizer's policy is about.
    pub fn method_arn(&self, verb: &str, path: &str) -> String {
        let Self { region, account_id, api_id, stage, .. } = self;
        format!(
            "arn:aws:execute-api:{region}:{account_id}:{api_id}/{}/{verb}/{}",
            stage.name,
            path.trim_start_matches('/')
        )
    }

    /// What the stage allows a method: its own setting, or that for all.
    pub fn method_throttle(&self, resource: &Resource, method: &Method) -> Option<(&str, Throttle)> {
        let own = format!("{}/{}", resource.path, method.verb);
        let found = self.stage.method_throttles.get_key_value(&own);
        found.or_else(|| self.stage.method_throttles.get_key_value("*/*")).map(|(name, limit)| (name.as_str(), *limit))
    }
}
