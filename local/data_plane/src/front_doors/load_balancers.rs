//! Load balancers that forward to containers, and the containers themselves.

use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use http::Uri;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use local_aws_api::{AwsApi, Error};
use local_containers::{
    Containers,
    rule::Action,
    snapshot::{LoadBalancer, LoadBalancerKind, Snapshot},
};
use serde_json::{Value, json};
use tokio::time::timeout;
use tracing::warn;

use super::{API_KEY, ARCHITECTURE, FrontDoor, Place, Sample};

const LOAD_BALANCING: (&str, &str) = ("elasticloadbalancing", "2015-12-01");
const CODEDEPLOY: &str = "CodeDeploy_20141006";
/// DescribeTags takes no more ARNs at once.
const TAGS_PER_CALL: usize = 20;

/// The variable or secret of a task definition that says which key its containers ask for.
const API_KEY_VARIABLE: &str = "API_KEY";
/// Where a service says what it can be asked, and how long it may take to, and how much it may say.
const OPENAPI: &str = "/openapi.json";
const OPENAPI_PATIENCE: Duration = Duration::from_secs(2);
const OPENAPI_BYTES: usize = 4 * 1024 * 1024;

/// What there is to be known of load balancers beside what is served.
#[derive(Debug)]
pub struct Balancers {
    deployed: Arc<Snapshot>,
    /// The tag, by the load balancer's ARN.
    architectures: HashMap<String, String>,
    /// ARNs of the listeners by which CodeDeploy shows a release before it gets the traffic. Most of the time there is
    /// nothing behind one.
    test_listeners: HashSet<String>,
    /// By the ARN of the task definition.
    keys: HashMap<String, String>,
}

/// # Errors
/// When the control plane does not answer.
pub async fn read(api: &AwsApi, deployed: Arc<Snapshot>) -> Result<Balancers, Error> {
    Ok(Balancers {
        architectures: architectures(api, &deployed.load_balancers).await?,
        test_listeners: test_listeners(api).await?,
        keys: keys(api, &deployed).await,
        deployed,
    })
}

impl Balancers {
    /// A front door for each listener of an application load balancer that forwards to a service, and one for a container
    /// behind it.
    pub fn front_doors(&self, containers: &Containers, samples: &Samples) -> Vec<FrontDoor> {
        let mut front_doors = Vec::new();
        let open = containers.listeners();
        let is_application = |balancer: &&LoadBalancer| balancer.kind == LoadBalancerKind::Application;
        for balancer in self.deployed.load_balancers.iter().filter(is_application) {
            let architecture = self.architectures.get(&balancer.arn).unwrap_or(&balancer.name);
            for listener in balancer.listeners.iter().filter(|listener| !self.test_listeners.contains(&listener.arn)) {
                let Action::Forward(groups) = &listener.default_action else { continue };
                let Some(entry) = open.iter().find(|entry| entry.listener == listener.arn) else { continue };
                let groups: Vec<_> =
                    groups.iter().filter(|group| group.weight > 0).map(|group| group.arn.as_str()).collect();
                let container = groups.iter().find_map(|group| healthy_target(containers, group));
                let front_door = FrontDoor {
                    name: format!("{architecture}-alb"),
                    architecture: architecture.clone(),
                    stage: None,
                    url: format!("http://{}", entry.address),
                    headers: self.key(&groups).into_iter().collect(),
                    sample: container.and_then(|address| samples.get(address)),
                    passes_key_on: false,
                    place: Place::Listener { load_balancer: balancer.name.clone(), port: listener.port },
                };
                let direct = container.map(|address| FrontDoor {
                    name: format!("{architecture}-container"),
                    url: format!("http://{address}"),
                    place: Place::Container,
                    ..front_door.clone()
                });
                front_doors.push(front_door);
                front_doors.extend(direct);
            }
        }
        front_doors
    }

    /// The header that the service behind one of the target groups asks for.
    fn key(&self, groups: &[&str]) -> Option<(String, String)> {
        let sets = self.deployed.services.iter().flat_map(|service| &service.task_sets);
        let mut behind = sets.filter(|set| {
            set.load_balancers.iter().any(|balancer| groups.contains(&balancer.target_group_arn.as_str()))
        });
        let key = behind.find_map(|set| self.keys.get(&set.task_definition))?;
        Some((API_KEY.into(), key.clone()))
    }
}

fn healthy_target(containers: &Containers, target_group: &str) -> Option<SocketAddr> {
    let targets = containers.targets(target_group);
    let mut healthy = targets.iter().filter(|target| target["state"] == "healthy");
    healthy.find_map(|target| {
        let port = u16::try_from(target["port"].as_u64()?).ok()?;
        Some(SocketAddr::new(target["id"].as_str()?.parse().ok()?, port))
    })
}

async fn architectures(api: &AwsApi, balancers: &[LoadBalancer]) -> Result<HashMap<String, String>, Error> {
    let mut architectures = HashMap::new();
    for some in balancers.chunks(TAGS_PER_CALL) {
        let names: Vec<String> = (1..=some.len()).map(|number| format!("ResourceArns.member.{number}")).collect();
        let parameters: Vec<(&str, &str)> =
            names.iter().zip(some).map(|(name, balancer)| (name.as_str(), balancer.arn.as_str())).collect();
        let (service, version) = LOAD_BALANCING;
        let answer = api.query(service, version, "DescribeTags", &parameters).await?;
        let Some(result) = answer.child("DescribeTagsResult") else { continue };
        for description in result.members("TagDescriptions") {
            let mut tags = description.members("Tags");
            let tag = tags.find(|tag| tag.text_of("Key") == Some(ARCHITECTURE));
            if let (Some(arn), Some(value)) =
                (description.text_of("ResourceArn"), tag.and_then(|tag| tag.text_of("Value")))
            {
                architectures.insert(arn.to_owned(), value.to_owned());
            }
        }
    }
    Ok(architectures)
}

async fn test_listeners(api: &AwsApi) -> Result<HashSet<String>, Error> {
    let call =
        async |operation: &str, body: Value| api.json("codedeploy", &format!("{CODEDEPLOY}.{operation}"), &body).await;
    let mut listeners = HashSet::new();
    let applications = call("ListApplications", json!({})).await?;
    for application in strings(&applications["applications"]) {
        let groups = call("ListDeploymentGroups", json!({ "applicationName": application })).await?;
        for group in strings(&groups["deploymentGroups"]) {
            let asked = json!({ "applicationName": application, "deploymentGroupName": group });
            let answer = call("GetDeploymentGroup", asked).await?;
            let pairs = &answer["deploymentGroupInfo"]["loadBalancerInfo"]["targetGroupPairInfoList"];
            for pair in pairs.as_array().into_iter().flatten() {
                listeners.extend(strings(&pair["testTrafficRoute"]["listenerArns"]).map(String::from));
            }
        }
    }
    Ok(listeners)
}

fn strings(list: &Value) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str)
}

/// What the containers of each task definition ask for, if they do.
async fn keys(api: &AwsApi, deployed: &Snapshot) -> HashMap<String, String> {
    let mut keys = HashMap::new();
    for definition in deployed.task_definitions.values() {
        for container in &definition.containers {
            if let Some(key) = container.environment.get(API_KEY_VARIABLE) {
                keys.insert(definition.arn.clone(), key.clone());
            }
            let secret = container.secrets.iter().find(|(variable, _)| variable == API_KEY_VARIABLE);
            let Some((_, value_from)) = secret else { continue };
            match local_containers::fetch_secret(api, value_from).await {
                Ok(key) => drop(keys.insert(definition.arn.clone(), key)),
                // Nor can its tasks start, which is said where they do not.
                Err(error) => warn!(target: "data_plane", "the key of {} is not known: {error}", definition.arn),
            }
        }
    }
    keys
}

/// Requests that containers say they take.
#[derive(Debug, Default)]
pub struct Samples(std::sync::Mutex<HashMap<SocketAddr, Option<Sample>>>);

impl Samples {
    fn get(&self, address: SocketAddr) -> Option<Sample> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&address).cloned().flatten()
    }

    /// Asks each container that serves now once.
    pub async fn read(&self, balancers: &Balancers, containers: &Containers) {
        let groups = balancers.deployed.target_groups.iter();
        let serving: HashSet<SocketAddr> = groups.filter_map(|group| healthy_target(containers, &group.arn)).collect();
        let unknown: Vec<SocketAddr> = {
            let mut known = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            known.retain(|address, _| serving.contains(address));
            serving.into_iter().filter(|address| !known.contains_key(address)).collect()
        };
        for address in unknown {
            let sample = openapi(address).await.and_then(|document| Sample::of(&document));
            self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(address, sample);
        }
    }
}

/// The service's description of itself. Most services have none.
async fn openapi(address: SocketAddr) -> Option<Value> {
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
    let uri: Uri = format!("http://{address}{OPENAPI}").parse().ok()?;
    let fetched = timeout(OPENAPI_PATIENCE, async {
        let answer = client.get(uri).await.ok()?;
        let body = Limited::new(answer.into_body(), OPENAPI_BYTES).collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    });
    fetched.await.ok().flatten()
}
