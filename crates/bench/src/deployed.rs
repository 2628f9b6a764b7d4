//! What `make local` runs, as small as it gets: a control plane with one function behind one REST API, and the data plane
//! that serves them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::connection::{self, Connection};
use crate::package::{self, For};
use crate::process::{self, Process};
use crate::server::built;

const REGION: &str = "eu-west-1";
/// A deployed API is served at the latest after this.
const PATIENCE: Duration = Duration::from_secs(60);
const GLANCE: Duration = Duration::from_millis(200);

/// A text as people send it, and what the function makes of it.
const TEXT: &str = r#"{"content":"Yesterday we moved from ING to Rabo, because of the weather."}"#;
pub(crate) const REPLACED: &[u8] = b"from ING BANK to Rabobank,";

/// Both planes, and what is deployed. They end when this is dropped, or when this process is gone.
pub(crate) struct Deployed {
    // Dropped first: it ends while its control plane is there.
    data_plane: Process,
    _control_plane: Process,
    address: SocketAddr,
    names: Names,
}

/// What `deploy_function.py` has made.
#[derive(Debug, Deserialize)]
struct Names {
    api: String,
    stage: String,
    path: String,
    key: String,
    function: String,
}

/// CPU time of the data plane, and of the processes of the function.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) data_plane: Duration,
    pub(crate) functions: Duration,
}

/// What the data plane holds, and its functions.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    /// Bytes resident.
    pub(crate) memory: u64,
    pub(crate) handles: usize,
    /// Process → bytes resident.
    pub(crate) processes: HashMap<u32, u64>,
}

impl Deployed {
    /// Deploys the function, and waits until it is served.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let root = package::root();
        let package = package::pack(&built("string-replace")?, For::ThisMachine)?;
        let python = root.join(".venv/bin/python");
        ensure!(python.exists(), "{} is missing: `make bench` makes it", python.display());

        let mut command = Command::new(&python);
        command.args(["-m", "local.control_plane", "--port", "0"]).current_dir(&root);
        let (control_plane, url) = Process::start(command, |line| {
            let line: Value = serde_json::from_str(line).ok()?;
            line["control_plane"].as_str().map(str::to_owned)
        })?;
        let names = deploy(Command::new(&python).arg(root.join("crates/bench/deploy_function.py")).arg(package), &url)?;

        let folder = root.join("target/bench/data-plane");
        let mut command = Command::new(built("data-plane")?);
        command.args(["--control-plane", &url, "--region", REGION]);
        command.arg("--work-directory").arg(folder.join("work"));
        command.arg("--endpoints").arg(folder.join("endpoints.json"));
        // No container is deployed, so it is never started.
        command.arg("--container-binary").arg(std::env::current_exe()?.with_file_name("fargate-app"));
        let (data_plane, address) =
            Process::start(command, |line| line.split_once("listens on http://")?.1.trim().parse().ok())?;
        let deployed = Self { data_plane, _control_plane: control_plane, address, names };
        deployed.wait()?;
        Ok(deployed)
    }

    fn wait(&self) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let answer = self.connect().and_then(|mut connection| {
                let body = connection.exchange(&self.through_gateway())?;
                let is_replaced = body.windows(REPLACED.len()).any(|bytes| bytes == REPLACED);
                ensure!(is_replaced, "the function answers {}", String::from_utf8_lossy(body));
                Ok(())
            });
            match answer {
                Ok(()) => return Ok(()),
                Err(error) if begun.elapsed() > PATIENCE => {
                    return Err(error.context(format!("the API is not served after {PATIENCE:?}")));
                }
                Err(_) => thread::sleep(GLANCE),
            }
        }
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }

    /// A request to the API.
    pub(crate) fn through_gateway(&self) -> Vec<u8> {
        let Names { api, stage, path, key, .. } = &self.names;
        let headers =
            [("content-type", "application/json"), ("accept", "*/*"), ("user-agent", "bench"), ("x-api-key", key)];
        connection::request(&format!("/_aws/execute-api/{api}/{stage}{path}"), &headers, TEXT)
    }

    /// An Invoke of the function with the event that the gateway would make of the same request.
    pub(crate) fn direct(&self) -> Vec<u8> {
        let path = format!("/2015-03-31/functions/{}/invocations", self.names.function);
        connection::request(&path, &[("content-type", "application/json")], &self.event().to_string())
    }

    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html#api-gateway-simple-proxy-for-lambda-input-format>
    fn event(&self) -> Value {
        let Names { api, stage, path, key, .. } = &self.names;
        let headers = [
            ("Host", "127.0.0.1"),
            ("content-type", "application/json"),
            ("accept", "*/*"),
            ("User-Agent", "bench"),
            ("x-api-key", key),
            ("X-Forwarded-For", "127.0.0.1"),
            ("X-Forwarded-Port", "80"),
            ("X-Forwarded-Proto", "http"),
            ("X-Amzn-Trace-Id", "Root=1-6920a2c1-0123456789abcdef01234567"),
        ];
        let once: serde_json::Map<_, _> = headers.iter().map(|(name, value)| ((*name).into(), json!(value))).collect();
        let many: serde_json::Map<_, _> =
            headers.iter().map(|(name, value)| ((*name).into(), json!([value]))).collect();
        let identity = json!({
            "cognitoIdentityPoolId": null, "accountId": null, "cognitoIdentityId": null, "caller": null,
            "principalOrgId": null, "accessKey": null, "cognitoAuthenticationType": null,
            "cognitoAuthenticationProvider": null, "userArn": null, "user": null, "apiKey": key,
            "apiKeyId": "abcdefghij", "sourceIp": "127.0.0.1", "userAgent": "bench",
        });
        let context = json!({
            "resourceId": "abc123", "resourcePath": path, "httpMethod": "POST", "extendedRequestId": "abcdefghijklmno=",
            "requestTime": "21/Nov/2026:10:00:00 +0000", "path": format!("/{stage}{path}"),
            "accountId": "123456789012", "protocol": "HTTP/1.1", "stage": stage, "domainPrefix": api,
            "requestTimeEpoch": 1_795_255_200_000_u64, "requestId": "d0f6c3f3-5c0c-4f0e-9a3c-6f1f2f3a4b5c",
            "identity": identity, "domainName": "127.0.0.1", "deploymentId": "abc123", "apiId": api,
        });
        json!({
            "resource": path, "path": path, "httpMethod": "POST", "headers": once, "multiValueHeaders": many,
            "queryStringParameters": null, "multiValueQueryStringParameters": null, "pathParameters": null,
            "stageVariables": null, "body": TEXT, "isBase64Encoded": false, "requestContext": context,
        })
    }

    pub(crate) fn cpu(&self) -> anyhow::Result<Cpu> {
        let data_plane = self.data_plane.id();
        let functions = process::children(data_plane)?.into_iter().map(process::cpu);
        Ok(Cpu { data_plane: process::cpu(data_plane)?, functions: functions.sum::<anyhow::Result<_>>()? })
    }

    pub(crate) fn held(&self) -> anyhow::Result<Held> {
        let data_plane = self.data_plane.id();
        let children = process::children(data_plane)?.into_iter();
        Ok(Held {
            memory: process::rss(data_plane)?,
            handles: process::handles(data_plane)?,
            processes: children.map(|child| Ok((child, process::rss(child)?))).collect::<anyhow::Result<_>>()?,
        })
    }
}

/// Runs a program that deploys, and reads what it has made.
fn deploy(command: &mut Command, control_plane: &str) -> anyhow::Result<Names> {
    let environment = [
        ("AWS_ENDPOINT_URL", control_plane),
        ("AWS_DEFAULT_REGION", REGION),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let made = command.envs(environment).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !made.status.success() {
        bail!("nothing was deployed: {}", made.status);
    }
    serde_json::from_slice(&made.stdout).context("what was deployed")
}
