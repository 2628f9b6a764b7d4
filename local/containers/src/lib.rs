//! Load balancers, ECS services and CodeDeploy on a laptop.
//!
//! [`read`] reads what is deployed through the AWS API, [`Containers::update`] makes it so:
//!
//! | AWS | here |
//! |---|---|
//! | a listener of an Application Load Balancer | a port of 127.0.0.1 and an HTTP/1.1 proxy (`proxy`, `rule`) |
//! | a listener of a Network Load Balancer | a port of 127.0.0.1 and a pipe (`tcp`) |
//! | a target group | its targets and their health (`target_group`, `health`) |
//! | a task of a service | a process of the binary that stands for the image (`task`, `nginx`, `service`) |
//! | a CodeDeploy deployment | blue to green, by the calls that CodeDeploy makes (`deployment`) |
//!
//! What happens is told to the control plane (`report`), so that DescribeTargetHealth, DescribeTasks and GetDeployment say
//! it. What differs from AWS is said at the top of the module in question. Listeners of HTTPS and TLS are served without
//! TLS; actions that authenticate, sticky sessions, functions as targets, WebSockets and HTTP/2 are absent.

mod change;
mod deployment;
mod health;
mod idle;
mod listener;
pub mod nginx;
mod proxy;
mod report;
pub mod rule;
mod secret;
mod service;
pub mod snapshot;
mod target_group;
mod task;
mod tcp;

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use local_aws_api::AwsApi;
use local_waf::Firewall;
use serde_json::Value;
use tokio::task::AbortHandle;

pub use listener::Entry as Listener;
pub use secret::{Error as SecretError, fetch as fetch_secret};
pub use snapshot::{Snapshot, read};
pub use task::Binaries;

use change::Changes;
use deployment::Deployments;
use listener::{Directory, Listeners};
use proxy::Proxy;
use report::Reporter;
use service::Services;
use target_group::{TargetGroups, lock};

/// How often what is deployed is read before it counts as an error that something goes away meanwhile.
const READS: u32 = 3;

/// How it is run.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// What stands for images.
    pub binaries: Binaries,
    /// Where tasks run: an existing folder.
    pub work_directory: PathBuf,
    /// Load balancer's name and listener's port → the port of 127.0.0.1 to listen on; all others take free ones.
    pub ports: HashMap<(String, u16), u16>,
    /// What is asked before a request passes a load balancer that has a web ACL.
    pub firewall: Firewall,
    /// How fast time goes.
    pub pace: Pace,
}

/// How long AWS's times are here.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// A second of a health check's interval and time-out, and of a service's grace period, in seconds. 1 as on AWS.
    pub health_check: f64,
    /// A minute of CodeDeploy's: of a canary, of the wait before blue is ended. A second, so that a release can be watched.
    pub deployment_minute: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { health_check: 1.0, deployment_minute: Duration::from_secs(1) }
    }
}

/// Why what is deployed cannot be served as it is.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] snapshot::Error),
    /// A listener has no port.
    #[error("no port for the listener of {listener}: {cause}")]
    Listen {
        /// Load balancer and port.
        listener: String,
        /// Why not.
        cause: io::Error,
    },
}

/// What is deployed, running. When it is dropped, everything is killed; [`shut_down`](Self::shut_down) ends it in order.
#[derive(Debug)]
pub struct Containers {
    inner: Arc<Inner>,
    reporter: AbortHandle,
}

/// What deployments, too, work with.
#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) api: AwsApi,
    pub(crate) pace: Pace,
    pub(crate) changes: Changes,
    pub(crate) services: Arc<Services>,
    groups: Arc<TargetGroups>,
    directory: Arc<Directory>,
    listeners: Listeners,
    proxy: Proxy,
    deployments: Deployments,
    snapshot: Mutex<Arc<Snapshot>>,
    /// Services that are left out, of which that was said.
    left_out: Mutex<HashSet<String>>,
    /// Held from reading to having made it so: an older snapshot must not follow a newer one.
    updating: tokio::sync::Mutex<()>,
}

impl Containers {
    /// Nothing runs yet. To be called within a Tokio runtime.
    #[must_use]
    pub fn new(api: AwsApi, config: Config) -> Self {
        let Config { binaries, work_directory, ports, firewall, pace } = config;
        let changes = Changes::new();
        let directory = Arc::new(Directory::default());
        let of_groups =
            target_group::Surroundings { directory: Arc::clone(&directory), changes: changes.clone(), pace };
        let groups = Arc::new(TargetGroups::new(of_groups));
        let services = Arc::new(Services::new(service::Surroundings {
            api: api.clone(),
            binaries,
            directory: work_directory,
            groups: Arc::clone(&groups),
            changes: changes.clone(),
            pace,
        }));
        let reporter = Reporter::new(api.clone(), Arc::clone(&groups), Arc::clone(&services));
        let reporter = tokio::spawn(reporter.run(changes.clone())).abort_handle();
        let inner = Arc::new(Inner {
            proxy: Proxy::new(Arc::clone(&groups), Arc::clone(&directory), firewall),
            listeners: Listeners::new(Arc::clone(&directory), ports),
            deployments: Deployments::default(),
            snapshot: Mutex::default(),
            left_out: Mutex::default(),
            updating: tokio::sync::Mutex::default(),
            api,
            pace,
            changes,
            services,
            groups,
            directory,
        });
        Self { inner, reporter }
    }

    /// Reads what is deployed and makes it so: to be called when something changed.
    ///
    /// # Errors
    /// When it cannot be read, and then nothing changes; or when a listener has no port, and then all else is as it should
    /// be.
    pub async fn refresh(&self) -> Result<(), Error> {
        self.inner.refresh().await
    }

    /// Makes it so. What was there before and still is keeps its port, its processes and its connections.
    ///
    /// # Errors
    /// When a listener has no port. All else is as it should be then.
    pub async fn update(&self, snapshot: Snapshot) -> Result<(), Error> {
        let _updating = self.inner.updating.lock().await;
        self.inner.update(snapshot).await
    }

    /// Where the listener of a load balancer is, by the load balancer's DNS name and the listener's port.
    #[must_use]
    pub fn resolve(&self, host: &str, port: u16) -> Option<SocketAddr> {
        self.inner.directory.resolve(host, port)
    }

    /// All listeners that are open.
    #[must_use]
    pub fn listeners(&self) -> Vec<Listener> {
        self.inner.directory.entries()
    }

    /// What is deployed, as it was made so last.
    #[must_use]
    pub fn deployed(&self) -> Arc<Snapshot> {
        self.inner.snapshot()
    }

    /// The targets of a target group, as DescribeTargetHealth will tell of them:
    /// `[{"id", "port", "registered", "state", "reason", "description"}]`.
    #[must_use]
    pub fn targets(&self, target_group_arn: &str) -> Vec<Value> {
        let report = self.inner.groups.get(target_group_arn).map(|group| group.report());
        report.and_then(|report| report["targets"].as_array().cloned()).unwrap_or_default()
    }

    /// The tasks of a service, as DescribeTasks will tell of them: `[{"id", "taskDefinitionArn", "lastStatus", ...}]`.
    #[must_use]
    pub fn tasks(&self, service_arn: &str) -> Vec<Value> {
        self.inner.services.tasks(service_arn)
    }

    /// Whether every service has as many healthy tasks as it wants.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.inner.is_steady()
    }

    /// Waits until every service has as many healthy tasks as it wants.
    pub async fn steady(&self) {
        self.inner.changes.until(|| self.inner.is_steady()).await;
    }

    /// Ends deployments where they are, closes all ports and ends all processes. Returns when nothing is left.
    pub async fn shut_down(&self) {
        self.inner.deployments.abort();
        self.reporter.abort();
        self.inner.listeners.close();
        self.inner.services.shut_down().await;
    }
}

impl Drop for Containers {
    fn drop(&mut self) {
        self.reporter.abort();
        self.inner.deployments.abort();
        self.inner.listeners.close();
        self.inner.services.abort();
    }
}

impl Inner {
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&lock(&self.snapshot))
    }

    async fn refresh(self: &Arc<Self>) -> Result<(), Error> {
        let _updating = self.updating.lock().await;
        let mut reads = 1;
        let snapshot = loop {
            match read(&self.api).await {
                // Listed, and gone before it was described.
                Err(snapshot::Error::Api(error)) if error.is_not_found() && reads < READS => reads += 1,
                outcome => break outcome?,
            }
        };
        self.update(snapshot).await
    }

    /// After a call that changed the account: what it changed is in effect when this returns.
    pub(crate) async fn refresh_for_deployment(self: &Arc<Self>) -> Result<(), snapshot::Error> {
        match self.refresh().await {
            Err(Error::Read(error)) => Err(error),
            Err(error @ Error::Listen { .. }) => {
                // Not the deployment's fault, and everything else is in effect.
                tracing::error!(target: "containers", "{error}");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    async fn update(self: &Arc<Self>, mut snapshot: Snapshot) -> Result<(), Error> {
        self.leave_out(&mut snapshot);
        let snapshot = Arc::new(snapshot);
        *lock(&self.snapshot) = Arc::clone(&snapshot);
        // Groups before what is registered in them, and before who forwards to them.
        self.groups.update(snapshot.target_groups.clone());
        let opened = self.listeners.update(&snapshot.load_balancers, &self.proxy).await;
        self.services.update(&snapshot.services, &snapshot.task_definitions);
        self.deployments.update(&snapshot.deployments, self);
        opened.map_err(|(listener, cause)| Error::Listen { listener, cause })
    }

    /// What needs a program that not every machine has is not waited for; that is said once.
    fn leave_out(&self, snapshot: &mut Snapshot) {
        let Snapshot { services, task_definitions, .. } = snapshot;
        services.retain(|service| {
            let can_run = service.task_sets.iter().all(|set| {
                let definition = task_definitions.get(&set.task_definition);
                definition.is_none_or(|definition| self.services.can_run(definition, &set.load_balancers))
            });
            if !can_run && lock(&self.left_out).insert(service.arn.clone()) {
                tracing::warn!(
                    target: "containers",
                    "the service {} is left out: it is nginx, which is not installed on this machine (Debian: apt-get install \
                     nginx-light; Homebrew: brew install nginx)", service.name,
                );
            }
            can_run
        });
    }

    fn is_steady(&self) -> bool {
        self.snapshot().services.iter().all(|service| {
            let is_steady =
                |set: &snapshot::TaskSet| self.services.healthy(&service.arn, &set.key) >= set.desired_count;
            service.task_sets.iter().all(is_steady)
        })
    }
}
