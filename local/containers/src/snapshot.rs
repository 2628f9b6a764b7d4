//! What is deployed, read through the AWS API: load balancers, services, and deployments that are under way.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use http::Method;
use local_aws_api::{AwsApi, Element};
use serde_json::{Value, json};

use crate::rule::{Action, Condition, Redirect, Rule, WeightedTargetGroup};

const ELB_VERSION: &str = "2015-12-01";
const ECS: &str = "AmazonEC2ContainerServiceV20141113";
const CODEDEPLOY: &str = "CodeDeploy_20141006";

/// What ECS gives a container between SIGTERM and SIGKILL if its definition does not say.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>
const DEFAULT_STOP_TIMEOUT: Duration = Duration::from_secs(30);
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>
const DEFAULT_IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
const DEFAULT_DEREGISTRATION_DELAY: Duration = Duration::from_secs(300);
/// DescribeServices takes no more names at once.
const SERVICES_PER_CALL: usize = 10;

/// Everything that this crate serves, as it was when it was read.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "named for what they hold")]
pub struct Snapshot {
    pub load_balancers: Vec<LoadBalancer>,
    pub target_groups: Vec<TargetGroup>,
    pub services: Vec<Service>,
    /// By ARN: those that a task set or a deployment names.
    pub task_definitions: HashMap<String, TaskDefinition>,
    /// Those that have not ended.
    pub deployments: Vec<Deployment>,
}

/// A load balancer with its listeners.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct LoadBalancer {
    pub arn: String,
    pub name: String,
    pub dns_name: String,
    pub kind: LoadBalancerKind,
    pub attributes: LoadBalancerAttributes,
    pub listeners: Vec<Listener>,
}

/// What kind of load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadBalancerKind {
    /// HTTP.
    Application,
    /// TCP.
    Network,
    /// A gateway load balancer, which is not served here.
    Other,
}

/// Attributes of an Application Load Balancer that are heeded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadBalancerAttributes {
    /// `idle_timeout.timeout_seconds`
    pub idle_timeout: Duration,
    /// `routing.http.drop_invalid_header_fields.enabled`
    pub drop_invalid_header_fields: bool,
    /// `routing.http.xff_header_processing.mode`
    pub forwarded_for: ForwardedFor,
    /// `routing.http.xff_client_port.enabled`
    pub forwarded_port: bool,
}

/// What becomes of X-Forwarded-For.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForwardedFor {
    /// The client's address is appended.
    Append,
    /// It stays as it is.
    Preserve,
    /// It is taken out.
    Remove,
}

/// A listener: its address is made here, its port is only what it is known by.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct Listener {
    pub arn: String,
    pub port: u16,
    pub protocol: String,
    pub rules: Vec<Rule>,
    pub default_action: Action,
}

/// A target group.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct TargetGroup {
    pub arn: String,
    pub name: String,
    pub target_type: String,
    pub algorithm: Algorithm,
    pub deregistration_delay: Duration,
    pub health_check: HealthCheck,
    /// By RegisterTargets: id (an address, a load balancer's ARN) and port. Tasks of services are not among them.
    pub registered: Vec<(String, u16)>,
}

/// `load_balancing.algorithm.type`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub enum Algorithm {
    RoundRobin,
    LeastOutstandingRequests,
}

/// How a target group asks whether a target is healthy. Times are AWS's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct HealthCheck {
    /// TCP: connecting is enough.
    pub is_http: bool,
    pub path: String,
    /// None: the port that gets the traffic.
    pub port: Option<u16>,
    pub interval: Duration,
    pub timeout: Duration,
    pub healthy_threshold: u32,
    pub unhealthy_threshold: u32,
    /// Inclusive ranges of status codes.
    pub matcher: Vec<(u16, u16)>,
}

/// An ECS service.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct Service {
    pub arn: String,
    pub name: String,
    pub cluster: String,
    pub desired_count: usize,
    pub health_check_grace_period: Duration,
    /// Does CodeDeploy move it from blue to green?
    pub is_codedeploys: bool,
    /// More than one only while a deployment is under way.
    pub task_sets: Vec<TaskSet>,
    /// Tasks, by id, for which somebody called StopTask.
    pub stopped_tasks: BTreeSet<String>,
    /// As DescribeServices gave it: CodeDeploy makes task sets of the same settings.
    pub described: Value,
}

/// Tasks of a service that run the same task definition.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskSet {
    /// Changes with whatever makes other tasks necessary.
    pub key: String,
    /// Of a CodeDeploy service's task set. A rolling service has none.
    pub arn: Option<String>,
    /// `startedBy` of its tasks.
    pub id: String,
    /// Serves the production traffic.
    pub is_primary: bool,
    /// The deployment that made it, if one did.
    pub external_id: String,
    /// ARN.
    pub task_definition: String,
    /// Where its tasks are registered.
    pub load_balancers: Vec<ServiceLoadBalancer>,
    /// How many tasks.
    pub desired_count: usize,
}

/// Which container's port is a target of which group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct ServiceLoadBalancer {
    pub target_group_arn: String,
    pub container_name: String,
    pub container_port: u16,
}

/// A task definition, as far as a process can be one.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct TaskDefinition {
    pub arn: String,
    pub containers: Vec<ContainerDefinition>,
}

/// A container of a task definition.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "AWS's own names")]
pub struct ContainerDefinition {
    pub name: String,
    pub image: String,
    pub entry_point: Vec<String>,
    pub command: Vec<String>,
    pub is_essential: bool,
    pub ports: Vec<u16>,
    pub environment: BTreeMap<String, String>,
    /// Variable and ARN.
    pub secrets: Vec<(String, String)>,
    pub stop_timeout: Duration,
}

/// A CodeDeploy deployment that has not ended.
#[derive(Debug, Clone)]
pub struct Deployment {
    /// `d-...`
    pub id: String,
    /// What it is to do, or why that cannot be said.
    pub work: Result<Work, String>,
    /// What somebody wants of it meanwhile.
    pub wishes: Wishes,
}

/// What StopDeployment and ContinueDeployment ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wishes {
    /// Some: stop; whether to go back to blue.
    pub stop: Option<bool>,
    /// Do not wait any longer before the traffic goes over.
    pub ready: bool,
    /// Do not wait any longer before blue is ended.
    pub terminate: bool,
}

/// A blue/green deployment.
#[derive(Debug, Clone)]
pub struct Work {
    /// The service that is released to, by its cluster's and its own name.
    pub service: (String, String),
    /// From the AppSpec.
    pub task_definition: String,
    /// From the AppSpec.
    pub container: (String, u16),
    /// Members of CreateTaskSet that the AppSpec says: capacity provider strategy, network configuration, platform version.
    pub task_set: serde_json::Map<String, Value>,
    /// Lifecycle events for which the AppSpec names a function.
    pub hooks: Vec<(String, String)>,
    /// ARN.
    pub production_listener: String,
    /// ARN.
    pub test_listener: Option<String>,
    /// The names of the two.
    pub target_groups: [String; 2],
    /// How the traffic goes over.
    pub traffic: Traffic,
    /// Some: it waits for ContinueDeployment, so many minutes at most, before the traffic goes over.
    pub ready_wait_minutes: Option<u32>,
    /// None: blue is kept.
    pub keep_blue_minutes: Option<u32>,
    /// Events of the auto-rollback configuration, if it is enabled.
    pub rolls_back_on: Vec<String>,
    /// Alarms that stop it.
    pub alarms: Vec<String>,
}

/// How the production traffic goes over.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "AWS's own names")]
pub enum Traffic {
    AllAtOnce,
    Canary { percentage: u32, minutes: u32 },
    Linear { percentage: u32, minutes: u32 },
}

impl Traffic {
    /// Green's shares one after the other, each with the minutes until the next. The last is 100.
    #[must_use]
    pub fn steps(self) -> Vec<(u32, u32)> {
        match self {
            Self::AllAtOnce => vec![(100, 0)],
            Self::Canary { percentage, minutes } => vec![(percentage, minutes), (100, 0)],
            Self::Linear { percentage, minutes } => (1..)
                .map(|step| (step * percentage.max(1)).min(100))
                .take_while(|share| *share < 100)
                .map(|share| (share, minutes))
                .chain([(100, 0)])
                .collect(),
        }
    }
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A call failed.
    #[error(transparent)]
    Api(#[from] local_aws_api::Error),
    /// An answer has not what AWS's answers have.
    #[error("{of} has no usable {member}")]
    Incomplete {
        /// What was described.
        of: String,
        /// What is missing in it.
        member: &'static str,
    },
}

/// Reads everything.
///
/// # Errors
/// When a call fails, or an answer lacks what AWS always says. What is deployed may change meanwhile, so that something
/// is gone between being listed and being described: read again.
pub async fn read(api: &AwsApi) -> Result<Snapshot, Error> {
    let mut snapshot = Snapshot {
        load_balancers: load_balancers(api).await?,
        target_groups: target_groups(api).await?,
        services: services(api).await?,
        deployments: deployments(api).await?,
        task_definitions: HashMap::new(),
    };
    let of_services = snapshot.services.iter().flat_map(|service| &service.task_sets).map(|set| &set.task_definition);
    let of_deployments = snapshot.deployments.iter().filter_map(|deployment| deployment.work.as_ref().ok());
    let arns: BTreeSet<_> = of_services.chain(of_deployments.map(|work| &work.task_definition)).cloned().collect();
    for arn in arns {
        match task_definition(api, &arn).await {
            Ok(definition) => _ = snapshot.task_definitions.insert(arn, definition),
            // A service stays when its task definition goes; it only cannot start tasks any more.
            Err(Error::Api(refused @ local_aws_api::Error::Refused { .. })) => {
                tracing::warn!(target: "containers", "task definition {arn}: {refused}");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(snapshot)
}

async fn load_balancers(api: &AwsApi) -> Result<Vec<LoadBalancer>, Error> {
    let mut read = Vec::new();
    for element in elb(api, "DescribeLoadBalancers", "LoadBalancers", &[]).await? {
        let arn = required(&element, "LoadBalancerArn")?;
        let attributes = attributes(api, "DescribeLoadBalancerAttributes", ("LoadBalancerArn", &arn)).await?;
        let mut listeners = Vec::new();
        for listener in elb(api, "DescribeListeners", "Listeners", &[("LoadBalancerArn", &arn)]).await? {
            let listener_arn = required(&listener, "ListenerArn")?;
            let rules = elb(api, "DescribeRules", "Rules", &[("ListenerArn", &listener_arn)]).await?;
            listeners.push(Listener {
                port: number(&listener, "Port")?,
                protocol: required(&listener, "Protocol")?,
                // The default rule is among them, without a number for its priority.
                rules: rules
                    .iter()
                    .filter_map(|rule| Some((rule, rule.text_of("Priority")?.parse().ok()?)))
                    .map(|(rule, priority)| Rule {
                        priority,
                        conditions: rule.members("Conditions").map(condition).collect(),
                        action: action(rule, "Actions"),
                    })
                    .collect(),
                default_action: action(&listener, "DefaultActions"),
                arn: listener_arn,
            });
        }
        let attribute = |name: &str| attributes.get(name).map(String::as_str);
        read.push(LoadBalancer {
            name: required(&element, "LoadBalancerName")?,
            dns_name: required(&element, "DNSName")?,
            kind: match element.text_of("Type") {
                Some("application") => LoadBalancerKind::Application,
                Some("network") => LoadBalancerKind::Network,
                _ => LoadBalancerKind::Other,
            },
            attributes: LoadBalancerAttributes {
                idle_timeout: seconds(attribute("idle_timeout.timeout_seconds")).unwrap_or(DEFAULT_IDLE_TIMEOUT),
                drop_invalid_header_fields: attribute("routing.http.drop_invalid_header_fields.enabled")
                    == Some("true"),
                forwarded_for: match attribute("routing.http.xff_header_processing.mode") {
                    Some("preserve") => ForwardedFor::Preserve,
                    Some("remove") => ForwardedFor::Remove,
                    _ => ForwardedFor::Append,
                },
                forwarded_port: attribute("routing.http.xff_client_port.enabled") == Some("true"),
            },
            listeners,
            arn,
        });
    }
    Ok(read)
}

fn condition(element: &Element) -> Condition {
    let field = element.text_of("Field").unwrap_or_default();
    // `Values` beside the field is how the first two were given before each had a structure of its own.
    let values = |structure: &str| {
        let of = element.child(structure).unwrap_or(element);
        of.members("Values").map(|value| value.text().to_owned()).collect::<Vec<_>>()
    };
    match field {
        "host-header" => Condition::HostHeader(values("HostHeaderConfig")),
        "path-pattern" => Condition::PathPattern(values("PathPatternConfig")),
        "http-request-method" => Condition::HttpRequestMethod(values("HttpRequestMethodConfig")),
        "http-header" => Condition::HttpHeader {
            name: element
                .child("HttpHeaderConfig")
                .and_then(|config| config.text_of("HttpHeaderName"))
                .unwrap_or_default()
                .to_owned(),
            values: values("HttpHeaderConfig"),
        },
        "query-string" => Condition::QueryString(
            element
                .child("QueryStringConfig")
                .into_iter()
                .flat_map(|config| config.members("Values"))
                .map(|pair| {
                    (pair.text_of("Key").map(str::to_owned), pair.text_of("Value").unwrap_or_default().to_owned())
                })
                .collect(),
        ),
        "source-ip" => values("SourceIpConfig")
            .iter()
            .map(|range| range.parse())
            .collect::<Result<_, _>>()
            .map_or_else(|_| Condition::Unknown(field.to_owned()), Condition::SourceIp),
        other => Condition::Unknown(other.to_owned()),
    }
}

/// The action that answers. One that authenticates may stand before it, and is then what is found.
fn action(element: &Element, list: &str) -> Action {
    let mut actions: Vec<_> = element.members(list).collect();
    actions.sort_by_key(|action| action.text_of("Order").and_then(|order| order.parse::<u32>().ok()).unwrap_or(1));
    let Some(action) = actions.first() else { return Action::Unsupported("no action".into()) };
    let of = |structure: &str, name: &str| {
        action.child(structure).and_then(|config| config.text_of(name)).map(str::to_owned)
    };
    match action.text_of("Type") {
        Some("forward") => {
            let weighted = action.child("ForwardConfig").into_iter().flat_map(|config| config.members("TargetGroups"));
            let mut groups: Vec<_> = weighted
                .filter_map(|group| {
                    let weight = group.text_of("Weight").and_then(|weight| weight.parse().ok()).unwrap_or(1);
                    Some(WeightedTargetGroup { arn: group.text_of("TargetGroupArn")?.to_owned(), weight })
                })
                .collect();
            if let (true, Some(arn)) = (groups.is_empty(), action.text_of("TargetGroupArn")) {
                groups.push(WeightedTargetGroup { arn: arn.to_owned(), weight: 1 });
            }
            Action::Forward(groups)
        }
        Some("redirect") => {
            let part = |name: &str, default: &str| of("RedirectConfig", name).unwrap_or_else(|| default.to_owned());
            Action::Redirect(Redirect {
                protocol: part("Protocol", "#{protocol}"),
                host: part("Host", "#{host}"),
                port: part("Port", "#{port}"),
                path: part("Path", "/#{path}"),
                query: part("Query", "#{query}"),
                status: if part("StatusCode", "HTTP_302") == "HTTP_301" { 301 } else { 302 },
            })
        }
        Some("fixed-response") => Action::FixedResponse {
            status: of("FixedResponseConfig", "StatusCode").and_then(|status| status.parse().ok()).unwrap_or(503),
            content_type: of("FixedResponseConfig", "ContentType"),
            body: of("FixedResponseConfig", "MessageBody").unwrap_or_default(),
        },
        other => Action::Unsupported(other.unwrap_or("no type").to_owned()),
    }
}

async fn target_groups(api: &AwsApi) -> Result<Vec<TargetGroup>, Error> {
    let mut read = Vec::new();
    for element in elb(api, "DescribeTargetGroups", "TargetGroups", &[]).await? {
        let arn = required(&element, "TargetGroupArn")?;
        let attributes = attributes(api, "DescribeTargetGroupAttributes", ("TargetGroupArn", &arn)).await?;
        // DescribeTargetHealth would also tell of the tasks that this crate itself looks after.
        let page = api.own(Method::GET, &target_health_page(&arn), None).await?;
        let registered = list(&page, "registered").iter().map(|target| {
            let port = target["port"].as_u64().and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
            (text(target, "id").to_owned(), port)
        });
        let attribute = |name: &str| attributes.get(name).map(String::as_str);
        read.push(TargetGroup {
            name: required(&element, "TargetGroupName")?,
            target_type: element.text_of("TargetType").unwrap_or("instance").to_owned(),
            algorithm: match attribute("load_balancing.algorithm.type") {
                Some("least_outstanding_requests") => Algorithm::LeastOutstandingRequests,
                _ => Algorithm::RoundRobin,
            },
            deregistration_delay: seconds(attribute("deregistration_delay.timeout_seconds"))
                .unwrap_or(DEFAULT_DEREGISTRATION_DELAY),
            health_check: health_check(&element)?,
            registered: registered.collect(),
            arn,
        });
    }
    Ok(read)
}

fn health_check(element: &Element) -> Result<HealthCheck, Error> {
    let codes = element.child("Matcher").and_then(|matcher| matcher.text_of("HttpCode")).unwrap_or("200");
    let matcher = codes.split(',').filter_map(|code| {
        let (first, last) = code.split_once('-').unwrap_or((code, code));
        Some((first.trim().parse().ok()?, last.trim().parse().ok()?))
    });
    Ok(HealthCheck {
        is_http: element.text_of("HealthCheckProtocol").is_some_and(|protocol| protocol.starts_with("HTTP")),
        path: element.text_of("HealthCheckPath").unwrap_or("/").to_owned(),
        port: element.text_of("HealthCheckPort").and_then(|port| port.parse().ok()),
        interval: Duration::from_secs(number(element, "HealthCheckIntervalSeconds")?),
        timeout: Duration::from_secs(number(element, "HealthCheckTimeoutSeconds")?),
        healthy_threshold: number(element, "HealthyThresholdCount")?,
        unhealthy_threshold: number(element, "UnhealthyThresholdCount")?,
        matcher: matcher.collect(),
    })
}

async fn services(api: &AwsApi) -> Result<Vec<Service>, Error> {
    let mut read = Vec::new();
    for cluster in ecs_list(api, "ListClusters", "clusterArns", json!({})).await? {
        let arns = ecs_list(api, "ListServices", "serviceArns", json!({ "cluster": cluster })).await?;
        for some in arns.chunks(SERVICES_PER_CALL) {
            let described = ecs(api, "DescribeServices", json!({ "cluster": cluster, "services": some })).await?;
            for service in list(&described, "services") {
                if text(service, "status") == "ACTIVE" {
                    read.push(self::service(api, &cluster, service).await?);
                }
            }
        }
    }
    Ok(read)
}

async fn service(api: &AwsApi, cluster: &str, described: &Value) -> Result<Service, Error> {
    let name = text(described, "serviceName").to_owned();
    let of_service = json!({ "cluster": cluster, "serviceName": name, "desiredStatus": "STOPPED" });
    let stopped = ecs_list(api, "ListTasks", "taskArns", of_service).await?;
    let desired_count = count(described, "desiredCount");
    let is_codedeploys = text(&described["deploymentController"], "type") == "CODE_DEPLOY";
    let task_sets = if is_codedeploys {
        list(described, "taskSets").iter().map(|set| task_set(set, desired_count)).collect()
    } else {
        let id = list(described, "deployments").first().map(|deployment| text(deployment, "id")).unwrap_or_default();
        let task_definition = text(described, "taskDefinition");
        let load_balancers = service_load_balancers(described);
        let groups: Vec<_> = load_balancers.iter().map(|one| one.target_group_arn.as_str()).collect();
        let primary = TaskSet {
            key: format!("{id} {task_definition} {}", groups.join(" ")),
            arn: None,
            id: id.to_owned(),
            is_primary: true,
            external_id: String::new(),
            task_definition: task_definition.to_owned(),
            load_balancers,
            desired_count,
        };
        // A service of another controller (EXTERNAL) may be without one.
        Some(primary).filter(|set| !set.task_definition.is_empty()).into_iter().collect()
    };
    Ok(Service {
        arn: text(described, "serviceArn").to_owned(),
        name,
        cluster: last_part(cluster).to_owned(),
        desired_count,
        health_check_grace_period: Duration::from_secs(
            described["healthCheckGracePeriodSeconds"].as_u64().unwrap_or_default(),
        ),
        is_codedeploys,
        task_sets,
        stopped_tasks: stopped.iter().map(|arn| last_part(arn).to_owned()).collect(),
        described: described.clone(),
    })
}

fn task_set(set: &Value, desired_count: usize) -> TaskSet {
    let percent = set["scale"]["value"].as_f64().unwrap_or(100.0);
    TaskSet {
        key: text(set, "taskSetArn").to_owned(),
        arn: Some(text(set, "taskSetArn").to_owned()),
        id: text(set, "id").to_owned(),
        is_primary: text(set, "status") == "PRIMARY",
        external_id: text(set, "externalId").to_owned(),
        task_definition: text(set, "taskDefinition").to_owned(),
        load_balancers: service_load_balancers(set),
        // AWS rounds up: a task set of one percent of one task still has one.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "small"
        )]
        desired_count: (desired_count as f64 * percent / 100.0).ceil() as usize,
    }
}

fn service_load_balancers(described: &Value) -> Vec<ServiceLoadBalancer> {
    let with_group = list(described, "loadBalancers").iter().filter(|one| !text(one, "targetGroupArn").is_empty());
    with_group
        .map(|one| ServiceLoadBalancer {
            target_group_arn: text(one, "targetGroupArn").to_owned(),
            container_name: text(one, "containerName").to_owned(),
            container_port: port(one, "containerPort"),
        })
        .collect()
}

async fn task_definition(api: &AwsApi, arn: &str) -> Result<TaskDefinition, Error> {
    let answer = ecs(api, "DescribeTaskDefinition", json!({ "taskDefinition": arn })).await?;
    let containers = list(&answer["taskDefinition"], "containerDefinitions").iter().map(|container| {
        let pairs = |member, value| {
            let all = list(container, member).iter();
            all.map(move |one| (text(one, "name").to_owned(), text(one, value).to_owned()))
        };
        ContainerDefinition {
            name: text(container, "name").to_owned(),
            image: text(container, "image").to_owned(),
            entry_point: strings(container, "entryPoint"),
            command: strings(container, "command"),
            is_essential: container["essential"].as_bool().unwrap_or(true),
            ports: list(container, "portMappings").iter().map(|mapping| port(mapping, "containerPort")).collect(),
            environment: pairs("environment", "value").collect(),
            secrets: pairs("secrets", "valueFrom").collect(),
            stop_timeout: container["stopTimeout"].as_u64().map_or(DEFAULT_STOP_TIMEOUT, Duration::from_secs),
        }
    });
    Ok(TaskDefinition { arn: arn.to_owned(), containers: containers.collect() })
}

async fn deployments(api: &AwsApi) -> Result<Vec<Deployment>, Error> {
    let under_way = json!({ "includeOnlyStatuses": ["Created", "Queued", "InProgress", "Ready"] });
    let ids = codedeploy(api, "ListDeployments", under_way).await?;
    let mut read = Vec::new();
    for id in list(&ids, "deployments").iter().filter_map(Value::as_str) {
        let info = codedeploy(api, "GetDeployment", json!({ "deploymentId": id })).await?;
        let info = &info["deploymentInfo"];
        // What goes back is part of the deployment that it undoes, and carried out with it.
        if text(info, "computePlatform") != "ECS" || text(info, "creator") == "codeDeployRollback" {
            continue;
        }
        let group = json!({
            "applicationName": info["applicationName"], "deploymentGroupName": info["deploymentGroupName"],
        });
        let group = codedeploy(api, "GetDeploymentGroup", group).await?;
        let configuration = json!({ "deploymentConfigName": info["deploymentConfigName"] });
        let configuration = codedeploy(api, "GetDeploymentConfig", configuration).await?;
        let page = api.own(Method::GET, &deployment_page(api, id), None).await?;
        read.push(Deployment {
            id: id.to_owned(),
            work: work(info, &group["deploymentGroupInfo"], &configuration["deploymentConfigInfo"], &page["appSpec"]),
            wishes: wishes(&page),
        });
    }
    Ok(read)
}

/// What the control plane's page of a deployment says of StopDeployment and ContinueDeployment.
pub(crate) fn wishes(page: &Value) -> Wishes {
    let continued = |wait: &str| list(page, "continued").iter().any(|one| one.as_str() == Some(wait));
    Wishes {
        stop: page["stop"]["autoRollback"].as_bool(),
        ready: continued("READY_WAIT"),
        terminate: continued("TERMINATION_WAIT"),
    }
}

fn work(info: &Value, group: &Value, configuration: &Value, app_spec: &Value) -> Result<Work, String> {
    let named = |of: &str, member: &str| format!("{of} has no usable {member}");
    let required = |value: &Value, of: &str, member: &str| {
        let text = text(value, member);
        if text.is_empty() { Err(named(of, member)) } else { Ok(text.to_owned()) }
    };
    let resource = list(app_spec, "Resources").iter().filter_map(Value::as_object).flat_map(|named| named.values());
    let service = resource.into_iter().find(|resource| text(resource, "Type") == "AWS::ECS::Service");
    let properties = &service.ok_or("The AppSpec names no resource of type AWS::ECS::Service")?["Properties"];
    let container = &properties["LoadBalancerInfo"];
    let Some(container_port) = Some(port(container, "ContainerPort")).filter(|port| *port != 0) else {
        return Err(named("The AppSpec's LoadBalancerInfo", "ContainerPort"));
    };
    let mut task_set = serde_json::Map::new();
    for (member, name) in [
        ("CapacityProviderStrategy", "capacityProviderStrategy"),
        ("NetworkConfiguration", "networkConfiguration"),
        ("PlatformVersion", "platformVersion"),
    ] {
        if let Some(value) = properties.get(member) {
            task_set.insert(name.to_owned(), in_lower_camel_case(value));
        }
    }
    let hooks = list(app_spec, "Hooks").iter().filter_map(Value::as_object).flatten();
    let pair = &group["loadBalancerInfo"]["targetGroupPairInfoList"][0];
    let listener = |route: &str| pair[route]["listenerArns"][0].as_str().map(str::to_owned);
    let groups: Vec<_> = list(pair, "targetGroups").iter().map(|group| text(group, "name").to_owned()).collect();
    let target_groups = groups.try_into().map_err(|_| named("The deployment group", "pair of target groups"))?;
    let options = &group["blueGreenDeploymentConfiguration"];
    let rollback = if info["autoRollbackConfiguration"].is_object() {
        &info["autoRollbackConfiguration"]
    } else {
        &group["autoRollbackConfiguration"]
    };
    let enabled = |configuration: &Value| configuration["enabled"].as_bool() == Some(true);
    let alarms = &group["alarmConfiguration"];
    let ecs_service = &group["ecsServices"][0];
    Ok(Work {
        service: (
            required(ecs_service, "The deployment group's service", "clusterName")?,
            required(ecs_service, "The deployment group's service", "serviceName")?,
        ),
        task_definition: required(properties, "The AppSpec", "TaskDefinition")?,
        container: (required(container, "The AppSpec's LoadBalancerInfo", "ContainerName")?, container_port),
        task_set,
        hooks: hooks.map(|(event, function)| (event.clone(), function.as_str().unwrap_or_default().into())).collect(),
        production_listener: listener("prodTrafficRoute")
            .ok_or_else(|| named("The deployment group", "production listener"))?,
        test_listener: listener("testTrafficRoute"),
        target_groups,
        traffic: traffic(&configuration["trafficRoutingConfig"])?,
        ready_wait_minutes: (text(&options["deploymentReadyOption"], "actionOnTimeout") == "STOP_DEPLOYMENT")
            .then(|| minutes(&options["deploymentReadyOption"], "waitTimeInMinutes")),
        keep_blue_minutes: (text(&options["terminateBlueInstancesOnDeploymentSuccess"], "action") != "KEEP_ALIVE")
            .then(|| minutes(&options["terminateBlueInstancesOnDeploymentSuccess"], "terminationWaitTimeInMinutes")),
        rolls_back_on: if enabled(rollback) { strings(rollback, "events") } else { Vec::new() },
        alarms: if enabled(alarms) {
            list(alarms, "alarms").iter().map(|alarm| text(alarm, "name").to_owned()).collect()
        } else {
            Vec::new()
        },
    })
}

fn traffic(routing: &Value) -> Result<Traffic, String> {
    match text(routing, "type") {
        "AllAtOnce" => Ok(Traffic::AllAtOnce),
        "TimeBasedCanary" => Ok(Traffic::Canary {
            percentage: minutes(&routing["timeBasedCanary"], "canaryPercentage"),
            minutes: minutes(&routing["timeBasedCanary"], "canaryInterval"),
        }),
        "TimeBasedLinear" => Ok(Traffic::Linear {
            percentage: minutes(&routing["timeBasedLinear"], "linearPercentage"),
            minutes: minutes(&routing["timeBasedLinear"], "linearInterval"),
        }),
        other => Err(format!("The deployment configuration's traffic routing is '{other}', which is none of ECS's")),
    }
}

/// An AppSpec writes `AwsvpcConfiguration`, the API `awsvpcConfiguration`.
fn in_lower_camel_case(value: &Value) -> Value {
    match value {
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let mut name = name.clone();
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                (name, in_lower_camel_case(value))
            })
            .collect(),
        Value::Array(items) => items.iter().map(in_lower_camel_case).collect(),
        other => other.clone(),
    }
}

/// The control plane's page of a deployment.
pub(crate) fn deployment_page(api: &AwsApi, id: &str) -> String {
    format!("/_control_plane/codedeploy/{}/deployments/{id}", api.region())
}

/// The control plane's page of a target group's targets.
pub(crate) fn target_health_page(arn: &str) -> String {
    format!("/_control_plane/target_health/{}", arn.replace('/', "%2F"))
}

/// Calls an operation of ECS.
pub(crate) async fn ecs(api: &AwsApi, operation: &str, body: Value) -> Result<Value, local_aws_api::Error> {
    api.json("ecs", &format!("{ECS}.{operation}"), &body).await
}

async fn codedeploy(api: &AwsApi, operation: &str, body: Value) -> Result<Value, local_aws_api::Error> {
    api.json("codedeploy", &format!("{CODEDEPLOY}.{operation}"), &body).await
}

/// Every page of a list of ECS's.
async fn ecs_list(api: &AwsApi, operation: &str, member: &str, mut body: Value) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    loop {
        let answer = ecs(api, operation, body.clone()).await?;
        all.extend(strings(&answer, member));
        match answer["nextToken"].as_str() {
            Some(token) => body["nextToken"] = token.into(),
            None => return Ok(all),
        }
    }
}

/// Every page of a list of Elastic Load Balancing's.
async fn elb(api: &AwsApi, action: &str, list: &str, parameters: &[(&str, &str)]) -> Result<Vec<Element>, Error> {
    let mut all = Vec::new();
    let mut marker = None::<String>;
    loop {
        let mut parameters = parameters.to_vec();
        parameters.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let answer = api.query("elasticloadbalancing", ELB_VERSION, action, &parameters).await?;
        let result = answer.child(&format!("{action}Result"));
        all.extend(result.into_iter().flat_map(|result| result.members(list)).cloned());
        marker = result.and_then(|result| result.text_of("NextMarker")).map(str::to_owned);
        if marker.is_none() {
            return Ok(all);
        }
    }
}

/// Makes forward to these groups, by their weights, the default action of a listener.
pub(crate) async fn turn_listener(
    api: &AwsApi,
    listener: &str,
    groups: &[WeightedTargetGroup],
) -> Result<(), local_aws_api::Error> {
    let mut parameters = vec![
        ("ListenerArn".to_owned(), listener.to_owned()),
        ("DefaultActions.member.1.Type".to_owned(), "forward".to_owned()),
    ];
    match groups {
        [only] => parameters.push(("DefaultActions.member.1.TargetGroupArn".to_owned(), only.arn.clone())),
        several => {
            for (number, group) in (1..).zip(several) {
                let name = format!("DefaultActions.member.1.ForwardConfig.TargetGroups.member.{number}");
                parameters.push((format!("{name}.TargetGroupArn"), group.arn.clone()));
                parameters.push((format!("{name}.Weight"), group.weight.to_string()));
            }
        }
    }
    let parameters: Vec<_> = parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    api.query("elasticloadbalancing", ELB_VERSION, "ModifyListener", &parameters).await.map(drop)
}

async fn attributes(api: &AwsApi, action: &str, of: (&str, &str)) -> Result<HashMap<String, String>, Error> {
    let pairs = elb(api, action, "Attributes", &[of]).await?;
    let pairs =
        pairs.iter().filter_map(|pair| Some((pair.text_of("Key")?.to_owned(), pair.text_of("Value")?.to_owned())));
    Ok(pairs.collect())
}

fn required(element: &Element, member: &'static str) -> Result<String, Error> {
    let missing = || Error::Incomplete { of: element.name().to_owned(), member };
    element.text_of(member).map(str::to_owned).ok_or_else(missing)
}

fn number<T: std::str::FromStr>(element: &Element, member: &'static str) -> Result<T, Error> {
    let missing = || Error::Incomplete { of: element.name().to_owned(), member };
    element.text_of(member).and_then(|text| text.parse().ok()).ok_or_else(missing)
}

fn seconds(text: Option<&str>) -> Option<Duration> {
    text?.parse().ok().map(Duration::from_secs)
}

fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value[member].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, member: &str) -> &'a [Value] {
    value[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn strings(value: &Value, member: &str) -> Vec<String> {
    list(value, member).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn count(value: &Value, member: &str) -> usize {
    value[member].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or_default()
}

fn port(value: &Value, member: &str) -> u16 {
    // An AppSpec's YAML may quote it.
    let given = &value[member];
    let number = given.as_u64().or_else(|| given.as_str()?.parse().ok());
    number.and_then(|port| u16::try_from(port).ok()).unwrap_or_default()
}

fn minutes(value: &Value, member: &str) -> u32 {
    value[member].as_u64().and_then(|minutes| u32::try_from(minutes).ok()).unwrap_or_default()
}

fn last_part(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traffic_goes_over_in_steps_that_end_with_all() {
        assert_eq!(Traffic::AllAtOnce.steps(), [(100, 0)]);
        assert_eq!(Traffic::Canary { percentage: 10, minutes: 5 }.steps(), [(10, 5), (100, 0)]);
        assert_eq!(Traffic::Linear { percentage: 40, minutes: 3 }.steps(), [(40, 3), (80, 3), (100, 0)]);
        assert_eq!(Traffic::Linear { percentage: 50, minutes: 1 }.steps(), [(50, 1), (100, 0)]);
    }

    #[test]
    fn an_app_spec_without_a_service_says_so() {
        let none = work(&json!({}), &json!({}), &json!({}), &json!({"Resources": [{"a": {"Type": "AWS::Lambda"}}]}));
        assert_eq!(none.unwrap_err(), "The AppSpec names no resource of type AWS::ECS::Service");
    }

    #[test]
    fn the_case_of_an_app_spec_becomes_that_of_the_api() {
        let given = json!({"AwsvpcConfiguration": {"Subnets": ["subnet-A"], "AssignPublicIp": "DISABLED"}});
        let expected = json!({"awsvpcConfiguration": {"subnets": ["subnet-A"], "assignPublicIp": "DISABLED"}});
        assert_eq!(in_lower_camel_case(&given), expected);
    }
}
