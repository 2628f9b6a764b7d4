//! A Lambda service with functions for a test.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use local_aws_api::AwsApi;
use local_lambda::{
    EventSourceMapping, Function, FunctionVersion, Functions, Invocation, InvokeRequest, Lambda, Refusal, Settings,
    TracingMode,
};
use rustix::process::{Pid, test_kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::control_plane::ControlPlane;

/// For what happens at once, on a machine that has much else to do.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function";

/// Lambda, the control plane that it talks to, and a folder for files.
pub struct Bench {
    pub lambda: Lambda,
    pub control_plane: ControlPlane,
    pub folder: TempDir,
}

impl Bench {
    pub async fn new(settings: Settings) -> Self {
        let control_plane = ControlPlane::start().await;
        let aws = AwsApi::new(&control_plane.endpoint, "eu-west-1").unwrap();
        let lambda = Lambda::new(aws, settings).unwrap();
        Self { lambda, control_plane, folder: tempfile::tempdir().unwrap() }
    }

    /// With one function, `f`, whose `$LATEST` is `version`.
    pub async fn with(version: FunctionVersion) -> Self {
        let bench = Self::new(patient()).await;
        bench.serve(vec![function("f", vec![version])]);
        bench
    }

    pub fn serve(&self, functions: Vec<Function>) {
        self.lambda.update(Functions { functions, event_source_mappings: vec![] });
    }

    pub fn serve_with(&self, functions: Vec<Function>, event_source_mappings: Vec<EventSourceMapping>) {
        self.lambda.update(Functions { functions, event_source_mappings });
    }

    pub async fn invoke(&self, event: Value) -> Invocation {
        self.try_invoke("f", event).await.unwrap()
    }

    pub async fn try_invoke(&self, name: &str, event: Value) -> Result<Invocation, Refusal> {
        self.lambda.invoke(name, request(event)).await
    }

    /// A file that does not exist yet.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts an invocation that lasts until the file is there; returns when it runs.
    pub async fn occupy(&self, name: &str, until: &Path) -> tokio::task::JoinHandle<Result<Invocation, Refusal>> {
        let busy = || self.lambda.instances().iter().filter(|instance| instance.busy).count();
        let before = busy();
        let (lambda, name) = (self.lambda.clone(), name.to_owned());
        let request = request(json!({"do": "wait", "for": until}));
        let task = tokio::spawn(async move { lambda.invoke(&name, request).await });
        eventually("the invocation runs", || busy() > before).await;
        task
    }

    pub fn pids(&self) -> Vec<i32> {
        self.lambda.instances().iter().map(|instance| instance.pid).collect()
    }
}

/// However slow the machine is, a process that has answered is used again rather than joined by another.
pub fn patient() -> Settings {
    Settings { returning: PATIENCE, ..Settings::default() }
}

pub fn request(event: Value) -> InvokeRequest {
    InvokeRequest { payload: Bytes::from(event.to_string()), ..InvokeRequest::default() }
}

pub fn function(name: &str, versions: Vec<FunctionVersion>) -> Function {
    Function {
        name: name.to_owned(),
        arn: format!("{ARN}:{name}"),
        versions,
        aliases: vec![],
        reserved_concurrency: None,
        event_invoke: BTreeMap::new(),
    }
}

/// The fixture as `$LATEST`.
pub fn latest() -> FunctionVersion {
    version("$LATEST", &[])
}

pub fn version(version: &str, environment: &[(&str, &str)]) -> FunctionVersion {
    FunctionVersion {
        version: version.to_owned(),
        code_sha256: "fixture".to_owned(),
        task_root: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lambda/fixtures"),
        handler: "bootstrap".to_owned(),
        environment: environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        timeout: PATIENCE,
        memory_size: 128,
        tracing: TracingMode::PassThrough,
        log_group: "/aws/lambda/f".to_owned(),
        dead_letter_target: None,
    }
}

pub fn payload(invocation: &Invocation) -> Value {
    serde_json::from_slice(&invocation.payload).unwrap()
}

/// The type and the message of a function's error.
pub fn error(invocation: &Invocation) -> (String, String) {
    assert!(invocation.function_error, "no error: {invocation:?}");
    let payload = payload(invocation);
    let text = |name: &str| payload[name].as_str().unwrap_or_default().to_owned();
    (text("errorType"), text("errorMessage"))
}

pub fn is_alive(pid: i32) -> bool {
    test_kill_process(Pid::from_raw(pid).unwrap()).is_ok()
}

/// Waits for what will be so.
pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < PATIENCE, "waited in vain: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Many invocations at once.
pub async fn invoke_all(lambda: &Lambda, events: impl Iterator<Item = Value>) -> Vec<Result<Invocation, Refusal>> {
    let lambda = Arc::new(lambda.clone());
    let tasks: Vec<_> = events
        .map(|event| {
            let lambda = Arc::clone(&lambda);
            tokio::spawn(async move { lambda.invoke("f", request(event)).await })
        })
        .collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}
