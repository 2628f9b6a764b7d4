//! The stages of REST APIs, below the gateway's address and by their custom domains.

use std::collections::{BTreeMap, HashMap};

use http::Method;
use local_aws_api::{AwsApi, Error};
use local_gateway::Snapshot;
use serde_json::Value;

use super::{API_KEY, ARCHITECTURE, FrontDoor, Place, Sample};

/// What the gateway does not need to know of an API.
#[derive(Debug, Default)]
struct Labels {
    architecture: Option<String>,
    /// With a domain of its own, an API may refuse the host name that AWS gives it.
    has_default_endpoint: bool,
}

/// `gateway`: the gateway's address, without a slash at its end.
///
/// # Errors
/// When the control plane does not answer.
pub async fn front_doors(api: &AwsApi, snapshot: &Snapshot, gateway: &str) -> Result<Vec<FrontDoor>, Error> {
    let labels = labels(api).await?;
    Ok(list(snapshot, &labels, gateway))
}

fn list(snapshot: &Snapshot, labels: &HashMap<String, Labels>, gateway: &str) -> Vec<FrontDoor> {
    let mut front_doors = Vec::new();
    let mut of_stages = HashMap::new();
    for rest_api in &snapshot.rest_apis {
        let Some(labels) = labels.get(&rest_api.id) else { continue };
        let architecture = labels.architecture.as_ref().unwrap_or(&rest_api.name);
        for stage in &rest_api.stages {
            let definition = rest_api.definitions.get(&stage.deployment_id);
            let front_door = FrontDoor {
                name: format!("{architecture}-{}", stage.name),
                architecture: architecture.clone(),
                stage: Some(stage.name.clone()),
                url: format!("{gateway}/_aws/execute-api/{}/{}", rest_api.id, stage.name),
                headers: key(snapshot, &rest_api.id, &stage.name)
                    .map(|key| (API_KEY.to_owned(), key))
                    .into_iter()
                    .collect(),
                sample: definition.and_then(|definition| Sample::of(definition)),
                passes_key_on: definition.is_some_and(|definition| passes_key_on(definition)),
                place: Place::Stage { api: rest_api.id.clone(), stage: stage.name.clone() },
            };
            if labels.has_default_endpoint {
                front_doors.push(front_door.clone());
            }
            of_stages.insert((&rest_api.id, &stage.name), front_door);
        }
    }
    for domain in &snapshot.domain_names {
        for mapping in &domain.mappings {
            // Without a stage of its own, a mapping leads to all of them, each below its name.
            let stages = of_stages.iter().filter(|((api, stage), _)| {
                **api == mapping.api_id && mapping.stage.as_ref().is_none_or(|mapped| mapped == *stage)
            });
            let below = |stage: &String| if mapping.stage.is_none() { Some(stage.clone()) } else { None };
            let mut of_mapping: Vec<FrontDoor> = stages
                .map(|((_, stage), front_door)| {
                    let parts = [Some(mapping.base_path.clone()).filter(|path| !path.is_empty()), below(stage)];
                    let path: String = parts.into_iter().flatten().map(|part| format!("/{part}")).collect();
                    let mut headers = BTreeMap::from([("host".to_owned(), domain.name.clone())]);
                    headers.extend(front_door.headers.clone());
                    let name = format!("{}-domain", front_door.name);
                    FrontDoor { name, url: format!("{gateway}{path}"), headers, ..front_door.clone() }
                })
                .collect();
            of_mapping.sort_by(|one, other| one.name.cmp(&other.name));
            front_doors.extend(of_mapping);
        }
    }
    front_doors
}

/// The first key that opens the stage.
fn key(snapshot: &Snapshot, api: &str, stage: &str) -> Option<String> {
    let opens = |plan: &&local_gateway::UsagePlan| {
        plan.stages.iter().any(|opened| opened.api_id == api && opened.stage == stage)
    };
    let ids = snapshot.usage_plans.iter().filter(opens).flat_map(|plan| &plan.key_ids);
    let mut keys = ids.filter_map(|id| snapshot.api_keys.iter().find(|key| key.id == *id && key.enabled));
    keys.next().map(|key| key.value.clone())
}

/// Whether an operation maps the header of its callers to that of its integration.
fn passes_key_on(definition: &Value) -> bool {
    let paths = definition["paths"].as_object().into_iter().flatten();
    let mut operations = paths.flat_map(|(_, methods)| methods.as_object().into_iter().flatten());
    operations.any(|(_, operation)| {
        let mappings = operation["x-amazon-apigateway-integration"]["requestParameters"].as_object();
        let [to, from] = ["integration", "method"].map(|side| format!("{side}.request.header.{API_KEY}"));
        mappings.and_then(|mappings| mappings.get(&to)).is_some_and(|mapped| mapped.as_str() == Some(&from))
    })
}

async fn labels(api: &AwsApi) -> Result<HashMap<String, Labels>, Error> {
    let mut labels = HashMap::new();
    let mut position = String::new();
    loop {
        let answer = api.rest("apigateway", Method::GET, &format!("/restapis?limit=500{position}"), None).await?;
        for rest_api in answer["item"].as_array().into_iter().flatten() {
            let of_api = Labels {
                architecture: rest_api["tags"][ARCHITECTURE].as_str().map(String::from),
                has_default_endpoint: rest_api["disableExecuteApiEndpoint"] != true,
            };
            labels.insert(rest_api["id"].as_str().unwrap_or_default().to_owned(), of_api);
        }
        match answer["position"].as_str() {
            Some(next) => position = format!("&position={next}"),
            None => return Ok(labels),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use local_gateway::{ApiKey, BasePathMapping, DomainName, PlanStage, RestApi, Stage, UsagePlan};
    use serde_json::json;

    use super::*;

    const GATEWAY: &str = "http://127.0.0.1:8000";

    fn snapshot() -> Snapshot {
        let stage = |name: &str| Stage { name: name.into(), deployment_id: "d".into(), ..Stage::default() };
        let key =
            |id: &str, enabled| ApiKey { id: id.into(), value: format!("value-{id}"), enabled, ..ApiKey::default() };
        let definition = Arc::new(json!({"paths": {"/hello": {"get": {}}}}));
        let mapping = |base_path: &str, stage: Option<&str>| BasePathMapping {
            base_path: base_path.into(),
            api_id: "abc".into(),
            stage: stage.map(String::from),
        };
        Snapshot {
            rest_apis: vec![RestApi {
                id: "abc".into(),
                name: "strings".into(),
                definitions: HashMap::from([("d".to_owned(), definition)]),
                stages: vec![stage("test"), stage("prod")],
            }],
            api_keys: vec![key("off", false), key("on", true)],
            usage_plans: vec![UsagePlan {
                stages: vec![PlanStage { api_id: "abc".into(), stage: "prod".into(), ..PlanStage::default() }],
                key_ids: vec!["off".into(), "on".into()],
                ..UsagePlan::default()
            }],
            domain_names: vec![DomainName {
                name: "api.example.com".into(),
                mappings: vec![mapping("live", Some("prod")), mapping("", None)],
            }],
            ..Snapshot::default()
        }
    }

    fn listed(labels: Labels) -> Vec<FrontDoor> {
        list(&snapshot(), &HashMap::from([("abc".to_owned(), labels)]), GATEWAY)
    }

    #[test]
    fn each_stage_and_each_base_path_is_one() {
        let front_doors = listed(Labels { architecture: Some("lambda".into()), has_default_endpoint: true });
        let names: Vec<_> = front_doors.iter().map(|one| (one.name.as_str(), one.url.as_str())).collect();
        assert_eq!(
            names,
            [
                ("lambda-test", "http://127.0.0.1:8000/_aws/execute-api/abc/test"),
                ("lambda-prod", "http://127.0.0.1:8000/_aws/execute-api/abc/prod"),
                ("lambda-prod-domain", "http://127.0.0.1:8000/live"),
                ("lambda-prod-domain", "http://127.0.0.1:8000/prod"),
                ("lambda-test-domain", "http://127.0.0.1:8000/test"),
            ]
        );
        assert_eq!(front_doors[0].sample.as_ref().unwrap().path, "/hello");
    }

    #[test]
    fn a_key_is_passed_on_by_a_mapping() {
        let with = |mappings: Value| {
            let integration = json!({"type": "http_proxy", "requestParameters": mappings});
            passes_key_on(&json!({"paths": {"/a": {"post": {"x-amazon-apigateway-integration": integration}}}}))
        };
        assert!(with(json!({"integration.request.header.x-api-key": "method.request.header.x-api-key"})));
        assert!(!with(json!({"integration.request.header.x-api-key": "'fixed'"})));
        assert!(!with(Value::Null));
    }

    #[test]
    fn a_stage_has_the_first_enabled_key_of_its_usage_plans() {
        let front_doors = listed(Labels { architecture: None, has_default_endpoint: true });
        assert_eq!((front_doors[0].name.as_str(), &front_doors[0].headers), ("strings-test", &BTreeMap::new()));
        assert_eq!(front_doors[1].headers, BTreeMap::from([("x-api-key".to_owned(), "value-on".to_owned())]));
        let by_domain = BTreeMap::from([("host", "api.example.com"), ("x-api-key", "value-on")]);
        let by_domain = by_domain.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(front_doors[2].headers, by_domain);
    }

    #[test]
    fn without_a_default_endpoint_only_the_domain_leads_in() {
        let front_doors = listed(Labels { architecture: None, has_default_endpoint: false });
        assert!(front_doors.iter().all(|one| one.name.ends_with("-domain")) && front_doors.len() == 3);
    }
}
