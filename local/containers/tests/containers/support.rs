//! A container binary, a stand-in for the control plane, snapshots by hand, and a client.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use local_aws_api::AwsApi;
use local_containers::rule::{Action, Rule, WeightedTargetGroup};
use local_containers::snapshot::{
    Algorithm, ContainerDefinition, ForwardedFor, HealthCheck, Listener, LoadBalancer, LoadBalancerAttributes,
    LoadBalancerKind, Service, ServiceLoadBalancer, Snapshot, TargetGroup, TaskDefinition, TaskSet,
};
use local_containers::{Binaries, Config, Containers, Pace};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What should happen at once has not happened after this long: the test has failed.
pub const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(10);

/// AWS's health check settings in a hundredth of their time.
pub const PACE: Pace = Pace { health_check: 0.01, deployment_minute: Duration::from_secs(1) };

pub const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/api/1";
pub const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/api/1";
pub const DNS_NAME: &str = "api-1.eu-west-1.elb.amazonaws.com";
const SERVICE: &str = "arn:aws:ecs:eu-west-1:123456789012:service/api/api";
const DEFINITION: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/api:1";

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder that is gone with the value.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("containers-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// An executable that does what `fixture.py` says, whatever the environment.
    pub fn container_binary(&self) -> PathBuf {
        let binary = self.file("container");
        let python = root().join(".venv/bin/python").canonicalize().expect("`make setup` makes .venv");
        let script = format!("#!{} -I\n{}", python.display(), include_str!("fixture.py"));
        fs::write(&binary, script).unwrap();
        fs::set_permissions(&binary, fs::Permissions::from_mode(0o755)).unwrap();
        binary
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

/// Hears what the control plane is told, and knows one parameter and one secret.
#[derive(Clone)]
pub struct StandIn {
    told: Arc<Mutex<HashMap<String, Value>>>,
    url: String,
}

impl StandIn {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stand_in = Self { told: Arc::default(), url: format!("http://{}", listener.local_addr().unwrap()) };
        let server = stand_in.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = server.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| server.answer(request));
                    _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        stand_in
    }

    pub fn api(&self) -> AwsApi {
        AwsApi::new(&self.url, "eu-west-1").unwrap()
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// What the tasks page was told last, one task after the other.
    pub fn tasks(&self) -> Vec<Value> {
        let told = self.told.lock().unwrap();
        let page = told.get("/_control_plane/ecs/eu-west-1/api/api/tasks");
        page.map(|page| page["tasks"].as_array().unwrap().clone()).unwrap_or_default()
    }

    /// The states of the targets of [`GROUP`], as they were told last.
    pub fn states(&self) -> Vec<String> {
        let told = self.told.lock().unwrap();
        let page = told.get(&format!("/_control_plane/target_health/{}", GROUP.replace('/', "%2F")));
        let targets = page.map(|page| page["targets"].as_array().unwrap().clone()).unwrap_or_default();
        targets.iter().map(|target| target["state"].as_str().unwrap().to_owned()).collect()
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let body: Value = serde_json::from_slice(&body.collect().await.unwrap().to_bytes()).unwrap_or_default();
        let operation = parts.headers.get("x-amz-target").map(|target| target.to_str().unwrap()).unwrap_or_default();
        let answer = match operation {
            "AmazonSSM.GetParameter" if body["Name"] == "/api/key" => {
                json!({ "Parameter": { "Value": "parameter-1" } })
            }
            "secretsmanager.GetSecretValue" => json!({ "SecretString": "{\"password\": \"secret-1\"}" }),
            "" => {
                self.told.lock().unwrap().insert(parts.uri.path().to_owned(), body);
                json!({})
            }
            _ => {
                let mut refused = Response::new(Full::from(json!({ "__type": "ParameterNotFound" }).to_string()));
                *refused.status_mut() = StatusCode::BAD_REQUEST;
                return Ok(refused);
            }
        };
        Ok(Response::new(Full::from(answer.to_string())))
    }
}

/// Containers with a stand-in for the control plane, and a snapshot that a test may change.
pub struct Deployed {
    pub folder: Folder,
    pub control_plane: StandIn,
    pub containers: Containers,
    pub snapshot: Snapshot,
}

impl Deployed {
    /// Nothing is served yet: change `snapshot`, then `apply`.
    pub async fn new() -> Self {
        Self::behind(local_waf::Firewall::default()).await
    }

    pub async fn behind(firewall: local_waf::Firewall) -> Self {
        let folder = Folder::new();
        let control_plane = StandIn::start().await;
        let config = Config {
            binaries: Binaries { default: Some(folder.container_binary()), ..Binaries::default() },
            work_directory: folder.path().to_owned(),
            firewall,
            pace: PACE,
            ..Config::default()
        };
        let containers = Containers::new(control_plane.api(), config);
        Self { folder, control_plane, containers, snapshot: snapshot() }
    }

    pub async fn apply(&self) {
        self.containers.update(self.snapshot.clone()).await.unwrap();
    }

    /// Applied, and every task healthy.
    pub async fn steady(&self) {
        self.apply().await;
        within("every task healthy", self.containers.steady()).await;
    }

    pub fn environment(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.snapshot.task_definitions.get_mut(DEFINITION).unwrap().containers[0].environment
    }

    pub fn service(&mut self) -> &mut Service {
        &mut self.snapshot.services[0]
    }

    pub fn balancer(&mut self) -> &mut LoadBalancer {
        &mut self.snapshot.load_balancers[0]
    }

    pub fn container(&mut self) -> &mut ContainerDefinition {
        &mut self.snapshot.task_definitions.get_mut(DEFINITION).unwrap().containers[0]
    }

    pub fn address(&self) -> SocketAddr {
        self.containers.resolve(DNS_NAME, 80).unwrap()
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.address(), Request::get(path)).await
    }
}

/// One load balancer with one listener on port 80, one target group, and one service of one task.
pub fn snapshot() -> Snapshot {
    let container = ContainerDefinition {
        name: "api".into(),
        image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/api:1".into(),
        entry_point: Vec::new(),
        command: Vec::new(),
        is_essential: true,
        ports: vec![8080],
        environment: [("HOST", "0.0.0.0"), ("PORT", "8080")].map(|(name, value)| (name.into(), value.into())).into(),
        secrets: Vec::new(),
        stop_timeout: Duration::from_secs(10),
    };
    let task_set = TaskSet {
        key: "1".into(),
        arn: None,
        id: "ecs-svc/1".into(),
        is_primary: true,
        external_id: String::new(),
        task_definition: DEFINITION.into(),
        load_balancers: vec![ServiceLoadBalancer {
            target_group_arn: GROUP.into(),
            container_name: "api".into(),
            container_port: 8080,
        }],
        desired_count: 1,
    };
    Snapshot {
        load_balancers: vec![balancer(BALANCER, DNS_NAME, LoadBalancerKind::Application, forward(GROUP))],
        target_groups: vec![target_group(GROUP)],
        services: vec![Service {
            arn: SERVICE.into(),
            name: "api".into(),
            cluster: "api".into(),
            desired_count: 1,
            // At the pace of tests half a minute: a busy machine takes its time to start a process.
            health_check_grace_period: Duration::from_secs(3600),
            is_codedeploys: false,
            task_sets: vec![task_set],
            stopped_tasks: Default::default(),
            described: Value::Null,
        }],
        task_definitions: [(
            DEFINITION.to_owned(),
            TaskDefinition { arn: DEFINITION.into(), containers: vec![container] },
        )]
        .into(),
        deployments: Vec::new(),
    }
}

pub fn balancer(arn: &str, dns_name: &str, kind: LoadBalancerKind, default_action: Action) -> LoadBalancer {
    LoadBalancer {
        arn: arn.into(),
        name: arn.rsplit('/').nth(1).unwrap().into(),
        dns_name: dns_name.into(),
        kind,
        attributes: LoadBalancerAttributes {
            idle_timeout: Duration::from_secs(60),
            drop_invalid_header_fields: true,
            forwarded_for: ForwardedFor::Append,
            forwarded_port: false,
        },
        listeners: vec![Listener {
            arn: arn.replace(":loadbalancer/", ":listener/") + "/1",
            port: 80,
            protocol: "HTTP".into(),
            rules: Vec::new(),
            default_action,
        }],
    }
}

pub fn target_group(arn: &str) -> TargetGroup {
    TargetGroup {
        arn: arn.into(),
        name: arn.rsplit('/').nth(1).unwrap().into(),
        target_type: "ip".into(),
        algorithm: Algorithm::RoundRobin,
        deregistration_delay: Duration::from_secs(30),
        health_check: HealthCheck {
            is_http: true,
            path: "/status/ready".into(),
            port: None,
            interval: Duration::from_secs(10),
            // At the pace of tests still long enough for a machine that is busy.
            timeout: Duration::from_secs(500),
            healthy_threshold: 2,
            unhealthy_threshold: 3,
            matcher: vec![(200, 200)],
        },
        registered: Vec::new(),
    }
}

pub fn forward(group: &str) -> Action {
    Action::Forward(vec![WeightedTargetGroup { arn: group.into(), weight: 1 }])
}

pub fn rule(priority: u32, condition: local_containers::rule::Condition, action: Action) -> Rule {
    Rule { priority, conditions: vec![condition], action }
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Sends a request without a body.
pub async fn send(address: SocketAddr, request: http::request::Builder) -> Answer {
    try_send(address, request).await.unwrap()
}

pub async fn try_send(
    address: SocketAddr,
    request: http::request::Builder,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let mut request = request.body(Full::<Bytes>::default())?;
    let path = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    *request.uri_mut() = format!("http://{address}{path}").parse()?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(PATIENCE, client.request(request)).await??;
    let (parts, body) = answer.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.into())? })
}

/// Fails the test if it takes too long.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("not within {PATIENCE:?}: {what}"))
}

/// Looks until there is something.
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    within(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    })
    .await
}

/// Whether there is such a process that has not ended.
pub fn is_running(pid: &str) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // "pid (name) state ..."
    !stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z'))
}

/// The real one, as a process that ends with the value.
pub struct ControlPlane {
    process: std::process::Child,
    pub api: AwsApi,
}

impl ControlPlane {
    pub fn start() -> Self {
        use std::io::BufRead;
        let root = root();
        let mut process = std::process::Command::new(root.join(".venv/bin/python"))
            .args(["-m", "local.control_plane", "--port", "0"])
            .current_dir(&root)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        std::io::BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).expect("the line that says where it is");
        let api = AwsApi::new(ready["control_plane"].as_str().unwrap(), "eu-west-1").unwrap();
        Self { process, api }
    }

    pub async fn ecs(&self, operation: &str, body: Value) -> Value {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        self.api.json("ecs", &target, &body).await.unwrap()
    }

    pub async fn codedeploy(&self, operation: &str, body: Value) -> Value {
        self.api.json("codedeploy", &format!("CodeDeploy_20141006.{operation}"), &body).await.unwrap()
    }

    pub async fn elb(&self, action: &str, parameters: &[(&str, &str)]) -> local_aws_api::Element {
        let answer = self.api.query("elasticloadbalancing", "2015-12-01", action, parameters).await.unwrap();
        answer.child(&format!("{action}Result")).cloned().unwrap_or_default()
    }

    pub async fn ec2(&self, action: &str, parameters: &[(&str, &str)]) -> local_aws_api::Element {
        self.api.query("ec2", "2016-11-15", action, parameters).await.unwrap()
    }

    pub async fn page(&self, method: Method, path: &str) -> Value {
        self.api.own(method, path, None).await.unwrap()
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
