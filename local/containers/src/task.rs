//! A task: a container of a task definition, as a process of this machine.
//!
//! The process gets the environment and the secrets of the task definition, and nothing of ours. Three things differ from
//! AWS, where a task has a network of its own: a variable that holds an address to listen on (`0.0.0.0`) holds 127.0.0.1,
//! the variable that holds the container's port holds a free one, and a variable that holds ranges of addresses
//! (`10.0.0.0/16,10.1.0.0/16`) holds 127.0.0.1 too, where load balancers are. Besides, the SDK is pointed at the control
//! plane, as the task's role does on AWS. What stands for an image is a binary; of `nginx` it is nginx ([`crate::nginx`]).

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use ipnet::IpNet;
use local_aws_api::AwsApi;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};

use crate::snapshot::{ContainerDefinition, ServiceLoadBalancer, TaskDefinition};
use crate::{nginx, secret};

/// What stands for images.
#[derive(Debug, Clone, Default)]
pub struct Binaries {
    /// For every image that has none of its own.
    pub default: Option<PathBuf>,
    /// By the name of the image's repository, without registry and tag: `switchyard`.
    pub by_repository: HashMap<String, PathBuf>,
    /// For images of nginx. Without it services of such images are left out.
    pub nginx: Option<PathBuf>,
}

impl Binaries {
    fn of(&self, image: &str) -> Option<&Path> {
        self.by_repository.get(repository(image)).or(self.default.as_ref()).map(PathBuf::as_path)
    }
}

/// `123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:1.0` → `team/api`
pub(crate) fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    // A registry has a dot or a port in its name, or is `localhost`.
    let path = match image.split_once('/') {
        Some((registry, path)) if registry.contains(['.', ':']) || registry == "localhost" => path,
        _ => image,
    };
    path.rsplit_once(':').map_or(path, |(name, _)| name)
}

/// Why a task does not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A secret cannot be had.
    #[error("ResourceInitializationError: unable to pull secrets: {0}")]
    Secret(#[from] secret::Error),
    /// No program stands for its image.
    #[error("CannotPullContainerError: no program stands for the image {0}: give one with --container-binary")]
    Image(String),
    /// The task definition has nothing that could run.
    #[error("the task definition {0} has no container")]
    NoContainer(String),
    /// The process cannot be told where to listen.
    #[error("container {container}: no variable holds its port {port}, so that it could be given another one")]
    FixedPort {
        /// Its name.
        container: String,
        /// `containerPort`
        port: u16,
    },
    /// nginx cannot be run.
    #[error(transparent)]
    Nginx(#[from] nginx::Problem),
    /// There is no free port.
    #[error("no free port: {0}")]
    Port(io::Error),
    /// The program does not start.
    #[error("CannotStartContainerError: {}: {cause}", program.display())]
    Start {
        /// What was started.
        program: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

/// What a process is started with.
#[derive(Debug, Clone, Copy)]
pub struct Launch<'a> {
    /// The control plane.
    pub api: &'a AwsApi,
    /// What stands for images.
    pub binaries: &'a Binaries,
    /// Where the process runs.
    pub directory: &'a Path,
    /// The whole definition; see [`container`].
    pub definition: &'a TaskDefinition,
    /// Where it will be registered.
    pub load_balancers: &'a [ServiceLoadBalancer],
    /// `service/1a2b3c4d`, before the lines that it prints.
    pub label: &'a str,
}

/// The container that is run: the one that the load balancer knows, or else the first essential one. A task is one process
/// here; of the others the log says that they are left out.
pub fn container<'a>(
    definition: &'a TaskDefinition,
    load_balancers: &[ServiceLoadBalancer],
) -> Option<&'a ContainerDefinition> {
    let containers = &definition.containers;
    let known =
        |container: &&ContainerDefinition| load_balancers.iter().any(|one| one.container_name == container.name);
    containers.iter().find(known).or_else(|| containers.iter().find(|container| container.is_essential))
}

/// A task that has started.
#[derive(Debug)]
pub struct Process {
    child: Child,
    group: Option<Pid>,
    stop_timeout: Duration,
    /// Container's port → where it really listens.
    pub addresses: HashMap<u16, SocketAddr>,
    /// Removed after its end.
    _folder: Option<nginx::Folder>,
}

/// What stands for a container.
#[derive(Debug)]
pub struct Run {
    /// What is started.
    pub program: PathBuf,
    /// With which words.
    pub arguments: Vec<String>,
    /// Without secrets and credentials.
    pub environment: BTreeMap<String, String>,
    /// Container's port → where it will listen.
    pub addresses: HashMap<u16, SocketAddr>,
    /// Of its own.
    pub folder: Option<nginx::Folder>,
}

impl Run {
    fn of(container: &ContainerDefinition, binaries: &Binaries, directory: &Path) -> Result<Self, Error> {
        let no_program = || Error::Image(container.image.clone());
        if nginx::is_in(&container.image) {
            return nginx::run(container, binaries.nginx.as_deref().ok_or_else(no_program)?, directory);
        }
        let program = binaries.of(&container.image).ok_or_else(no_program)?.to_owned();
        let addresses = free_addresses(&container.ports)?;
        let environment = environment(container, &addresses)?;
        Ok(Self { program, arguments: Vec::new(), environment, addresses, folder: None })
    }
}

/// Starts the task's process.
///
/// # Errors
/// When it cannot be started; nothing is left of it then.
pub async fn start(launch: Launch<'_>) -> Result<Process, Error> {
    let Launch { api, definition, .. } = launch;
    let container = container(definition, launch.load_balancers);
    let container = container.ok_or_else(|| Error::NoContainer(definition.arn.clone()))?;
    let left_out: Vec<_> =
        definition.containers.iter().map(|one| &one.name).filter(|one| **one != container.name).collect();
    if !left_out.is_empty() {
        let label = launch.label;
        tracing::warn!(target: "containers", "{label}: a task is one process here: {left_out:?} are left out");
    }
    let Run { program, arguments, mut environment, addresses, folder } =
        Run::of(container, launch.binaries, launch.directory)?;
    for (name, value_from) in &container.secrets {
        environment.insert(name.clone(), secret::fetch(api, value_from).await?);
    }
    for (name, value) in credentials(api) {
        environment.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
    // Where the control plane is, is not the task definition's to say.
    environment.insert("AWS_ENDPOINT_URL".to_owned(), api.endpoint().to_owned());
    let mut child = Command::new(&program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (OsStr::new(name), OsStr::new(value))))
        .current_dir(launch.directory)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Its own group: Ctrl-C in a terminal is for us, and what it starts ends with it.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|cause| Error::Start { program, cause })?;
    for output in [child.stdout.take().map(boxed), child.stderr.take().map(boxed)].into_iter().flatten() {
        tokio::spawn(print_lines(output, launch.label.to_owned()));
    }
    let group = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    Ok(Process { child, group, stop_timeout: container.stop_timeout, addresses, _folder: folder })
}

impl Process {
    /// Waits until it ends by itself.
    pub async fn ended(&mut self) -> Exit {
        let exit = Exit::of(self.child.wait().await);
        self.signal(Signal::KILL);
        exit
    }

    /// SIGTERM; after the container's stop time-out, or `grace` if that is shorter, SIGKILL.
    pub async fn stop(&mut self, grace: Duration) -> Exit {
        self.signal(Signal::TERM);
        let grace = grace.min(self.stop_timeout);
        if let Ok(exit) = tokio::time::timeout(grace, self.ended()).await {
            return exit;
        }
        tracing::warn!(target: "containers", "still there {grace:?} after SIGTERM: it is killed");
        self.signal(Signal::KILL);
        self.ended().await
    }

    fn signal(&self, signal: Signal) {
        let Some(group) = self.group else { return };
        match kill_process_group(group, signal) {
            // Nobody is left in it.
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => tracing::warn!(target: "containers", "{signal:?} to {group:?}: {error}"),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The child itself is killed when it is dropped; this is for what it started. Once it has been waited for, its
        // group's number may be somebody else's.
        if self.child.id().is_some() {
            self.signal(Signal::KILL);
        }
    }
}

/// How a process ended, as ECS tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// 137 after SIGKILL, as a container's.
    pub code: Option<i32>,
}

impl Exit {
    fn of(waited: io::Result<ExitStatus>) -> Self {
        match waited {
            Ok(status) => Self { code: status.code().or_else(|| status.signal().map(|signal| 128 + signal)) },
            Err(error) => {
                tracing::warn!(target: "containers", "wait: {error}");
                Self { code: None }
            }
        }
    }
}

fn environment(
    container: &ContainerDefinition,
    addresses: &HashMap<u16, SocketAddr>,
) -> Result<BTreeMap<String, String>, Error> {
    let mut environment = container.environment.clone();
    for (port, address) in addresses {
        let text = port.to_string();
        let variable = container.environment.iter().find(|(_, value)| **value == text);
        let missing = || Error::FixedPort { container: container.name.clone(), port: *port };
        let (name, _) = variable.ok_or_else(missing)?;
        environment.insert(name.clone(), address.port().to_string());
    }
    for value in environment.values_mut() {
        if matches!(value.as_str(), "0.0.0.0" | "::") {
            *value = Ipv4Addr::LOCALHOST.to_string();
        } else if value.split(',').all(|range| range.trim().parse::<IpNet>().is_ok()) {
            value.push_str(LOAD_BALANCERS);
        }
    }
    Ok(environment)
}

/// Where load balancers are, as one more range of addresses.
const LOAD_BALANCERS: &str = ",127.0.0.1/32";

/// What a task's role and its region are to an SDK on AWS.
fn credentials(api: &AwsApi) -> [(&'static str, &str); 6] {
    [
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_REGION", api.region()),
        ("AWS_DEFAULT_REGION", api.region()),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_EXECUTION_ENV", "AWS_ECS_FARGATE"),
    ]
}

/// Container's port → where it can listen here.
pub(crate) fn free_addresses(ports: &[u16]) -> Result<HashMap<u16, SocketAddr>, Error> {
    ports.iter().map(|port| free_port().map(|address| (*port, address)).map_err(Error::Port)).collect()
}

/// Free when it was asked for. Should somebody else take it before the task does, the task ends, and the next one gets
/// another.
fn free_port() -> io::Result<SocketAddr> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

fn boxed(output: impl AsyncRead + Send + Unpin + 'static) -> Box<dyn AsyncRead + Send + Unpin> {
    Box::new(output)
}

/// Each line as it is: most are JSON.
async fn print_lines(output: Box<dyn AsyncRead + Send + Unpin>, task: String) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    loop {
        line.clear();
        match output.read_until(b'\n', &mut line).await {
            Ok(0) => return,
            Ok(_) => {
                let text = String::from_utf8_lossy(line.trim_ascii_end());
                tracing::info!(target: "containers", task, "{text}");
            }
            Err(error) => return tracing::warn!(target: "containers", task, "its output: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(environment: &[(&str, &str)], ports: &[u16]) -> ContainerDefinition {
        ContainerDefinition {
            name: "api".into(),
            image: "api:1".into(),
            entry_point: Vec::new(),
            command: Vec::new(),
            is_essential: true,
            ports: ports.to_vec(),
            environment: environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            secrets: Vec::new(),
            stop_timeout: Duration::from_secs(30),
        }
    }

    #[test]
    fn only_where_to_listen_differs_from_the_task_definition() {
        let vpc = "10.0.0.0/20,2001:db8::/56";
        let given =
            [("HOST", "0.0.0.0"), ("PORT", "8080"), ("LIMIT", "808"), ("OTHER", "a,10.0.0.0/20"), ("PROXIES", vpc)];
        let addresses = HashMap::from([(8080, "127.0.0.1:41001".parse().unwrap())]);
        let environment = environment(&definition(&given, &[8080]), &addresses).unwrap();
        let proxies = "10.0.0.0/20,2001:db8::/56,127.0.0.1/32";
        let expected = [
            ("HOST", "127.0.0.1"),
            ("LIMIT", "808"),
            ("OTHER", "a,10.0.0.0/20"),
            ("PORT", "41001"),
            ("PROXIES", proxies),
        ];
        let got: Vec<_> = environment.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(got, expected);
    }

    #[test]
    fn a_port_that_no_variable_holds_is_named() {
        let addresses = HashMap::from([(9090, "127.0.0.1:41001".parse().unwrap())]);
        let error = environment(&definition(&[("PORT", "8080")], &[9090]), &addresses).unwrap_err();
        assert_eq!(
            error.to_string(),
            "container api: no variable holds its port 9090, so that it could be given another one"
        );
    }

    #[test]
    fn an_images_repository() {
        for (image, expected) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/api:1.0", "team/api"),
            ("localhost:5000/api", "api"),
            ("api", "api"),
            ("team/api@sha256:abc", "team/api"),
        ] {
            assert_eq!(repository(image), expected, "{image}");
        }
    }
}
