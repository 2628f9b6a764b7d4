//! Reads what is deployed, through the AWS API.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use http::Method;
use local_aws_api::{AwsApi, Error};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::definition::of_integrations;
use crate::snapshot::{
    ApiKey, BasePathMapping, DomainName, Period, PlanStage, Quota, RestApi, Snapshot, Stage, Throttle, UsagePlan,
};

const SERVICE: &str = "apigateway";
/// The most that API Gateway gives in one page.
const PAGE: usize = 500;
/// What is encoded in a part of a path: all but RFC 3986's unreserved characters.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The base path of a mapping that has none.
const NO_BASE_PATH: &str = "(none)";

/// Everything that a [`Gateway`](crate::Gateway) serves.
///
/// # Errors
/// When a call has no answer or is refused. What was deleted while this read is no error: it is left out.
pub async fn read(api: &AwsApi) -> Result<Snapshot, Error> {
    let account = get(api, "/account").await?;
    let mut snapshot = Snapshot {
        region: api.region().to_owned(),
        account_id: account_id(api).await?,
        account_throttle: account.as_ref().and_then(|account| throttle(&account["throttleSettings"])),
        ..Snapshot::default()
    };
    for document in list(api, "/restapis").await? {
        if let Some(rest_api) = rest_api(api, &document).await? {
            snapshot.rest_apis.push(rest_api);
        }
    }
    snapshot.function_policies = function_policies(api, &snapshot).await?;
    snapshot.api_keys = list(api, "/apikeys?includeValues=true").await?.iter().map(api_key).collect();
    for document in list(api, "/usageplans").await? {
        let keys = list(api, &format!("/usageplans/{}/keys", encoded(&document["id"]))).await?;
        snapshot.usage_plans.push(usage_plan(&document, &keys));
    }
    for document in list(api, "/domainnames").await? {
        let name = text(&document["domainName"]);
        let mappings =
            list(api, &format!("/domainnames/{}/basepathmappings", encoded(&document["domainName"]))).await?;
        snapshot.domain_names.push(DomainName { name, mappings: mappings.iter().map(mapping).collect() });
    }
    Ok(snapshot)
}

async fn account_id(api: &AwsApi) -> Result<String, Error> {
    let answer = api.query("sts", "2011-06-15", "GetCallerIdentity", &[]).await?;
    let result = answer.child("GetCallerIdentityResult");
    Ok(result.and_then(|result| result.text_of("Account")).unwrap_or_default().to_owned())
}

async fn rest_api(api: &AwsApi, document: &Value) -> Result<Option<RestApi>, Error> {
    let id = text(&document["id"]);
    let Some(stages) = get(api, &format!("/restapis/{}/stages", encoded(&document["id"]))).await? else {
        return Ok(None);
    };
    let stages: Vec<Stage> = stages["item"].as_array().into_iter().flatten().map(stage).collect();
    let mut definitions = HashMap::new();
    for stage in &stages {
        if definitions.contains_key(&stage.deployment_id) {
            continue;
        }
        let page = format!("/_control_plane/apigateway/{}/{id}/deployments/{}", api.region(), stage.deployment_id);
        if let Some(definition) = found(api.own(Method::GET, &page, None).await)? {
            definitions.insert(stage.deployment_id.clone(), Arc::new(definition));
        }
    }
    Ok(Some(RestApi { id, name: text(&document["name"]), definitions, stages }))
}

/// The policies of all functions that integrations name, in the stages that they are served in.
async fn function_policies(api: &AwsApi, snapshot: &Snapshot) -> Result<HashMap<String, Option<Arc<Value>>>, Error> {
    let mut policies = HashMap::new();
    for rest_api in &snapshot.rest_apis {
        for stage in &rest_api.stages {
            let Some(definition) = rest_api.definitions.get(&stage.deployment_id) else { continue };
            for uri in of_integrations(definition) {
                // A stage variable that is missing, or a function elsewhere: there is no policy to be seen.
                let Ok(arn) = uri.arn(&stage.variables) else { continue };
                if let Some(path) = policy_path(&arn, api.region())
                    && !policies.contains_key(arn.as_ref())
                {
                    let answer = found(api.rest("lambda", Method::GET, &path, None).await)?;
                    let policy = answer.as_ref().and_then(|answer| answer["Policy"].as_str());
                    let policy = policy.and_then(|text| serde_json::from_str(text).ok());
                    policies.insert(arn.into_owned(), policy.map(Arc::new));
                }
            }
        }
    }
    Ok(policies)
}

/// GetPolicy of `arn:aws:lambda:{region}:{account}:function:{name}[:{qualifier}]`.
fn policy_path(arn: &str, region: &str) -> Option<String> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, "lambda", of, _, "function", name, qualifier @ ..] = parts.as_slice() else { return None };
    let query = match qualifier {
        [] | ["$LATEST"] => String::new(),
        [qualifier] => format!("?Qualifier={}", utf8_percent_encode(qualifier, PART)),
        _ => return None,
    };
    let name = utf8_percent_encode(name, PART);
    (*of == region).then(|| format!("/2015-03-31/functions/{name}/policy{query}"))
}

fn stage(document: &Value) -> Stage {
    let mut warnings = Vec::new();
    let mut method_throttles = HashMap::new();
    for (key, settings) in document["methodSettings"].as_object().into_iter().flatten() {
        if settings["cachingEnabled"] == Value::Bool(true) {
            warnings.push(format!("methodSettings {key}: caching has no effect: nothing is cached here"));
        }
        let limits = &serde_json::json!({
            "rateLimit": settings["throttlingRateLimit"], "burstLimit": settings["throttlingBurstLimit"] });
        if let Some(limit) = throttle(limits) {
            method_throttles.insert(method_key(key), limit);
        }
    }
    if document["cacheClusterEnabled"] == Value::Bool(true) {
        warnings.push("the cache cluster has no effect: nothing is cached here".to_owned());
    }
    if document["canarySettings"].as_object().is_some_and(|canary| !canary.is_empty()) {
        warnings.push("canarySettings have no effect: all requests go to the stage's deployment".to_owned());
    }
    if document.get("clientCertificateId").is_some_and(|id| id.is_string()) {
        warnings.push("clientCertificateId has no effect: endpoints are not shown a certificate".to_owned());
    }
    let variables: BTreeMap<String, String> = document["variables"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.clone(), text(value)))
        .collect();
    let format = document["accessLogSettings"]["format"].as_str().filter(|format| !format.is_empty());
    Stage {
        name: text(&document["stageName"]),
        deployment_id: text(&document["deploymentId"]),
        variables,
        method_throttles,
        access_log_format: format.map(str::to_owned),
        warnings,
    }
}

/// `~1pets~1{id}/GET`, `pets/{id}/GET` and `/pets/{id}/GET` are all the same method; `*/*` is all of them.
fn method_key(key: &str) -> String {
    let key = key.replace("~1", "/");
    if key.starts_with(['/', '*']) { key } else { format!("/{key}") }
}

/// A limit below zero is none.
fn throttle(document: &Value) -> Option<Throttle> {
    let number = |name: &str| match &document[name] {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let (rate, burst) = (number("rateLimit")?, number("burstLimit")?);
    (rate >= 0.0 && burst >= 0.0).then_some(Throttle { rate, burst: burst as u64 })
}

fn api_key(document: &Value) -> ApiKey {
    ApiKey {
        id: text(&document["id"]),
        name: text(&document["name"]),
        value: text(&document["value"]),
        enabled: document["enabled"] != Value::Bool(false),
    }
}

fn usage_plan(document: &Value, keys: &[Value]) -> UsagePlan {
    let stages = document["apiStages"].as_array().into_iter().flatten();
    let quota = &document["quota"];
    let period = match quota["period"].as_str() {
        Some("DAY") => Some(Period::Day),
        Some("WEEK") => Some(Period::Week),
        Some("MONTH") => Some(Period::Month),
        _ => None,
    };
    UsagePlan {
        id: text(&document["id"]),
        name: text(&document["name"]),
        throttle: throttle(&document["throttle"]),
        quota: period.zip(quota["limit"].as_u64()).map(|(period, limit)| Quota {
            limit,
            offset: quota["offset"].as_u64().unwrap_or_default(),
            period,
        }),
        stages: stages
            .map(|stage| PlanStage {
                api_id: text(&stage["apiId"]),
                stage: text(&stage["stage"]),
                method_throttles: stage["throttle"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter_map(|(key, limit)| Some((method_key(key), throttle(limit)?)))
                    .collect(),
            })
            .collect(),
        key_ids: keys.iter().map(|key| text(&key["id"])).collect(),
    }
}

fn mapping(document: &Value) -> BasePathMapping {
    let base_path = text(&document["basePath"]);
    BasePathMapping {
        base_path: if base_path == NO_BASE_PATH { String::new() } else { base_path },
        api_id: text(&document["restApiId"]),
        stage: document["stage"].as_str().filter(|stage| !stage.is_empty()).map(str::to_owned),
    }
}

/// All items of a collection, page after page. One that is gone has none.
async fn list(api: &AwsApi, path: &str) -> Result<Vec<Value>, Error> {
    let mut items = Vec::new();
    let mut position: Option<String> = None;
    loop {
        let separator = if path.contains('?') { '&' } else { '?' };
        let mut page = format!("{path}{separator}limit={PAGE}");
        if let Some(position) = &position {
            page.push_str(&format!("&position={}", utf8_percent_encode(position, PART)));
        }
        let Some(mut answer) = get(api, &page).await? else { return Ok(items) };
        if let Value::Array(found) = answer["item"].take() {
            items.extend(found);
        }
        match answer["position"].as_str() {
            Some(next) if !next.is_empty() => position = Some(next.to_owned()),
            _ => return Ok(items),
        }
    }
}

async fn get(api: &AwsApi, path: &str) -> Result<Option<Value>, Error> {
    found(api.rest(SERVICE, Method::GET, path, None).await)
}

/// What is not there may have been deleted a moment ago.
fn found(result: Result<Value, Error>) -> Result<Option<Value>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Error::Refused { status, .. }) if status == 404 => Ok(None),
        Err(error) => Err(error),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn encoded(value: &Value) -> String {
    utf8_percent_encode(value.as_str().unwrap_or_default(), PART).to_string()
}
