//! Everything that serves.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use anyhow::Context;
use local_aws_api::AwsApi;
use local_containers::{Binaries, Containers, nginx};
use local_gateway::{FinishedRequest, Functions, Gateway};
use local_integrations::{ControlPlaneTemplates, Integrations};
use local_lambda::Lambda;
use local_waf::Firewall;
use serde_json::Value;
use tokio::sync::watch;

use crate::{
    deployments::Deployments,
    front_doors::{self, FrontDoor, Place, Samples},
    functions::Deployed,
    network::Local,
    overview,
    requests::BalancerRequests,
    trial::Trials,
};

/// The parts, and what is known of all of them together.
pub struct Serving {
    pub api: AwsApi,
    pub gateway: Gateway,
    pub lambda: Lambda,
    pub containers: Arc<Containers>,
    pub deployments: Deployments,
    pub balancer_requests: Arc<BalancerRequests>,
    pub trials: Trials,
    network: Arc<Local>,
    firewall: Firewall,
    samples: Samples,
    url: String,
    work_directory: PathBuf,
    /// Of the account, as it was read last. `None`: not yet.
    account: Mutex<Option<Arc<front_doors::Account>>>,
    front_doors: Mutex<Arc<Vec<FrontDoor>>>,
    /// What front doors ask for beside what the account says.
    headers: front_doors::Headers,
    /// What the page shows, as JSON. `None`: the page is closed.
    state: Mutex<Option<watch::Sender<Arc<str>>>>,
}

impl Serving {
    /// `url`: where the front port is.
    ///
    /// # Errors
    /// When a part cannot start.
    pub fn new(
        api: AwsApi,
        url: &str,
        work_directory: &Path,
        container_binary: &Path,
        headers: front_doors::Headers,
        balancer_requests: Arc<BalancerRequests>,
    ) -> anyhow::Result<Self> {
        let firewall = Firewall::default();
        let containers = Arc::new(Containers::new(
            api.clone(),
            local_containers::Config {
                binaries: Binaries {
                    default: Some(container_binary.into()),
                    nginx: nginx::installed(),
                    ..Binaries::default()
                },
                work_directory: folder(work_directory, "tasks")?,
                firewall: firewall.clone(),
                ..local_containers::Config::default()
            },
        ));
        let network = Arc::new(Local::new(containers.clone()));
        let lambda = Lambda::new(api.clone(), local_lambda::Settings::default())?;
        let functions: Arc<dyn Functions> = Arc::new(Deployed(lambda.clone()));
        let templates = Arc::new(ControlPlaneTemplates::new(api.clone()));
        let integrations = Integrations::new(api.clone(), functions.clone(), network.clone(), templates);
        Ok(Self {
            gateway: Gateway::new(functions, integrations, firewall.clone()),
            lambda,
            containers,
            network,
            firewall,
            balancer_requests,
            trials: Trials::default(),
            url: url.into(),
            work_directory: folder(work_directory, "functions")?,
            samples: Samples::default(),
            deployments: Deployments::default(),
            account: Mutex::default(),
            front_doors: Mutex::default(),
            headers,
            state: Mutex::new(Some(watch::Sender::new("{}".into()))),
            api,
        })
    }

    /// Reads all parts from the account.
    ///
    /// # Errors
    /// The first one; the other parts are read all the same.
    pub async fn read(&self) -> anyhow::Result<()> {
        let (firewall, functions, containers) =
            tokio::join!(self.firewall.read(&self.api), self.read_functions(), self.read_containers());
        // Front doors are named when what is behind them is known.
        let apis = self.read_apis().await;
        firewall?;
        functions?;
        containers?;
        apis
    }

    async fn read_containers(&self) -> anyhow::Result<()> {
        self.containers.refresh().await?;
        self.network.read(&self.api).await?;
        Ok(())
    }

    async fn read_functions(&self) -> anyhow::Result<()> {
        self.lambda.update(local_lambda::read(&self.api, &self.work_directory).await?);
        Ok(())
    }

    async fn read_apis(&self) -> anyhow::Result<()> {
        let deployed = local_gateway::read(&self.api).await?;
        let account = front_doors::read(&self.api, &self.url, &deployed, &self.containers).await?;
        self.gateway.update(deployed);
        *lock(&self.account) = Some(Arc::new(account));
        Ok(())
    }

    /// Whether everything that is deployed can be used.
    pub fn is_ready(&self) -> bool {
        lock(&self.account).is_some() && self.containers.is_steady()
    }

    /// What is not ready yet, in words.
    pub fn awaited(&self) -> String {
        if lock(&self.account).is_none() {
            return "the account".into();
        }
        let deployed = self.containers.deployed();
        let lacking = deployed.services.iter().filter_map(|service| {
            let tasks = self.containers.tasks(&service.arn);
            let healthy = tasks.iter().filter(|task| task["healthStatus"] == "HEALTHY").count();
            let lacks = healthy < service.desired_count;
            lacks.then(|| format!("service {}: {healthy} of {} tasks are healthy", service.name, service.desired_count))
        });
        lacking.collect::<Vec<_>>().join(", ")
    }

    /// Looks at what runs, and remembers it.
    pub async fn look(&self) {
        let Some(account) = lock(&self.account).clone() else { return };
        let front_doors = account.front_doors(&self.containers, &self.samples, &self.headers).await;
        *lock(&self.front_doors) = Arc::new(front_doors);
        if lock(&self.state).as_ref().is_none_or(|page| page.receiver_count() == 0) {
            return;
        }
        self.deployments.read(&self.api).await;
        let now = overview::of(self).to_string();
        if let Some(page) = lock(&self.state).as_ref() {
            page.send_if_modified(|shown| {
                let changed = **shown != *now;
                if changed {
                    *shown = now.into();
                }
                changed
            });
        }
    }

    pub fn front_doors(&self) -> Arc<Vec<FrontDoor>> {
        lock(&self.front_doors).clone()
    }

    /// By which front door a request came to the gateway: by the stage's own, if it has one.
    pub fn front_door_of(&self, request: &FinishedRequest) -> String {
        let place = Place::Stage { api: request.api_id.clone(), stage: request.stage.clone() };
        self.front_door_at(&place).unwrap_or_else(|| format!("{}-{}", request.api_name, request.stage))
    }

    /// The name of the first front door there.
    pub fn front_door_at(&self, place: &Place) -> Option<String> {
        let front_doors = self.front_doors();
        front_doors.iter().find(|front_door| front_door.place == *place).map(|front_door| front_door.name.clone())
    }

    /// What the page shows.
    pub fn state(&self) -> Value {
        overview::of(self)
    }

    /// What the page shows, now and whenever it changes. `None`: there is nothing to be shown any more.
    pub fn watch(&self) -> Option<watch::Receiver<Arc<str>>> {
        let now = overview::of(self).to_string();
        let state = lock(&self.state);
        let page = state.as_ref()?;
        page.send_replace(now.into());
        let mut receiver = page.subscribe();
        receiver.mark_changed();
        Some(receiver)
    }

    /// Lets whoever watches go.
    pub fn close_page(&self) {
        *lock(&self.state) = None;
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends everything that was started.
    pub async fn shutdown(&self) {
        tokio::join!(self.lambda.shutdown(), self.containers.shut_down());
    }
}

/// A folder of the work directory.
fn folder(work_directory: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let folder = work_directory.join(name);
    std::fs::create_dir(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    Ok(folder)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
