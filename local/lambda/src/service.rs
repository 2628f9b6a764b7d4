//! Lambda as a whole.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use bytes::Bytes;
use local_aws_api::AwsApi;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::info;
use uuid::Uuid;

use crate::catalog::{Catalog, Target};
use crate::configuration::Functions;
use crate::event_source::Mappings;
use crate::events;
use crate::http;
use crate::invocation::{self, Invocation, InvocationType, InvokeRequest, Refusal};
use crate::limits;
use crate::report::{Report, Reports};
use crate::warden::Warden;

/// What can be chosen. The default is [`limits`].
#[derive(Debug, Clone)]
pub struct Settings {
    /// Concurrent invocations of all functions together.
    pub account_concurrency: u32,
    /// Processes of one version; invocations beyond it wait for one.
    pub instances_per_version: usize,
    /// How long a process may take until its first `next`.
    pub init: Duration,
    /// How long an invocation waits for a process that has just answered, before another is started.
    pub returning: Duration,
    /// A process that was not used for this long is ended.
    pub idle: Duration,
    /// Waits before the second and the third attempt of an event.
    pub event_retry_waits: [Duration; limits::EVENT_RETRIES],
    /// Waits of an event that was throttled: doubled from the first to the second.
    pub throttle_waits: [Duration; 2],
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            account_concurrency: limits::ACCOUNT_CONCURRENCY,
            instances_per_version: limits::INSTANCES_PER_VERSION,
            init: limits::INIT,
            returning: limits::RETURN,
            idle: limits::IDLE,
            event_retry_waits: limits::EVENT_RETRY_WAITS,
            throttle_waits: limits::THROTTLE_WAITS,
        }
    }
}

/// Lambda, for one account and region. Cheap to clone; clones are the same service.
#[derive(Clone)]
pub struct Lambda(Arc<Service>);

struct Service {
    shared: Arc<Shared>,
    catalog: ArcSwap<Catalog>,
    /// Held while the catalogue is exchanged; also what polls queues for it.
    mappings: Mutex<Mappings>,
}

/// What every part of Lambda needs.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Settings,
    pub(crate) aws: AwsApi,
    pub(crate) reports: Reports,
    pub(crate) events: events::Queue,
    /// Everything that runs, processes included.
    pub(crate) tasks: TaskTracker,
    /// Ends it.
    pub(crate) stop: CancellationToken,
    pub(crate) warden: Warden,
}

/// One process, as it is at the moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceSummary {
    /// The function's name.
    pub function: Arc<str>,
    /// The version.
    pub version: Arc<str>,
    /// The process, and its process group.
    pub pid: i32,
    /// Whether it runs an invocation.
    pub busy: bool,
}

impl Lambda {
    /// Lambda without functions. `aws` is the control plane that functions, destinations and queues are reached by.
    ///
    /// # Errors
    /// When `/bin/sh` cannot be started, which ends the functions should this process be killed.
    ///
    /// # Panics
    /// Outside of a tokio runtime with timers and I/O.
    pub fn new(aws: AwsApi, settings: Settings) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            settings,
            aws,
            reports: Reports::default(),
            events: events::Queue::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            warden: Warden::new()?,
        });
        let service = Arc::new(Service { shared, catalog: ArcSwap::default(), mappings: Mutex::default() });
        let lambda = Self(service);
        lambda.shared().tasks.spawn(lambda.clone().reap());
        Ok(lambda)
    }

    /// From now on, these functions are served. What has not changed keeps its processes. A version with other code or
    /// configuration gets new ones with its next invocation, and those that it had end when they have answered.
    pub fn update(&self, functions: Functions) {
        let mut mappings = self.0.mappings.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shared().stop.is_cancelled() {
            return;
        }
        let before = self.0.catalog.load_full();
        let next = Arc::new(before.succeed(functions.functions, self.shared()));
        self.0.catalog.store(Arc::clone(&next));
        before.retire(&next);
        mappings.update(functions.event_source_mappings, self);
    }

    /// Invokes a function, given by name or ARN, and waits for it. Whoever stops waiting does not stop the function.
    ///
    /// # Errors
    /// Lambda's own: no such function or qualifier (404), throttled (429), a payload that is too large (413) or no
    /// JSON (400). An error of the function is an [`Invocation`].
    pub async fn invoke(&self, function: &str, request: InvokeRequest) -> Result<Invocation, Refusal> {
        let id = Uuid::new_v4();
        let payload = InvocationType::RequestResponse.check(request.payload)?;
        let target = self.resolve(function, request.qualifier.as_deref(), id)?;
        self.attempt(target, id.to_string().into(), InvokeRequest { payload, ..request }).await
    }

    /// Takes an event for a function, given by name or ARN; it is processed later, again if need be. The request id.
    ///
    /// # Errors
    /// As for [`Lambda::invoke`], but throttling only when too many events wait.
    pub fn invoke_event(&self, function: &str, request: InvokeRequest) -> Result<Arc<str>, Refusal> {
        let id = Uuid::new_v4();
        let payload = InvocationType::Event.check(request.payload)?;
        self.resolve(function, request.qualifier.as_deref(), id)?;
        events::accept(self, function, id, InvokeRequest { payload, ..request })
    }

    /// Checks whether an invocation would be made.
    ///
    /// # Errors
    /// As for [`Lambda::invoke`], without throttling.
    pub fn dry_run(&self, function: &str, request: &InvokeRequest) -> Result<(), Refusal> {
        InvocationType::DryRun.check(request.payload.clone())?;
        self.resolve(function, request.qualifier.as_deref(), Uuid::new_v4()).map(|_| ())
    }

    /// Answers a request for Invoke, `POST /2015-03-31/functions/{function}/invocations`, as an AWS SDK makes it.
    pub async fn handle<B>(&self, request: ::http::Request<B>) -> ::http::Response<http_body_util::Full<Bytes>>
    where
        B: hyper::body::Body<Data = Bytes>,
        B::Error: fmt::Display,
    {
        http::handle(self, request).await
    }

    /// The latest invocations, oldest first.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.shared().reports.all()
    }

    /// The processes of what is served at the moment, by function, version and process.
    #[must_use]
    pub fn instances(&self) -> Vec<InstanceSummary> {
        let catalog = self.0.catalog.load();
        let summaries = catalog.pools().flat_map(|pool| {
            pool.instances().into_iter().map(|instance| InstanceSummary {
                function: Arc::clone(&pool.function),
                version: Arc::clone(&pool.version_name),
                pid: instance.group.as_raw_pid(),
                busy: instance.is_busy(),
            })
        });
        let mut summaries: Vec<_> = summaries.collect();
        summaries.sort_by(|a, b| (&a.function, &a.version, a.pid).cmp(&(&b.function, &b.version, b.pid)));
        summaries
    }

    /// Ends everything, and returns when it has ended: no process is left, nobody polls, no event waits.
    pub async fn shutdown(&self) {
        self.shared().stop.cancel();
        self.shared().tasks.close();
        self.shared().tasks.wait().await;
        self.shared().warden.dismiss().await;
        info!(target: "lambda", "has ended");
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    pub(crate) fn resolve(&self, name: &str, qualifier: Option<&str>, random: Uuid) -> Result<Target, Refusal> {
        self.0.catalog.load().resolve(name, qualifier, random)
    }

    /// One attempt, in a task of its own.
    pub(crate) async fn attempt(
        &self,
        target: Target,
        request_id: Arc<str>,
        request: InvokeRequest,
    ) -> Result<Invocation, Refusal> {
        if self.shared().stop.is_cancelled() {
            return Err(Refusal::service("Lambda is being shut down"));
        }
        let slot = self.0.catalog.load().admit(&target)?;
        let task = self.shared().tasks.spawn(invocation::run(target, slot, request_id, request));
        task.await.map_err(|error| Refusal::service(format!("the invocation came to no end: {error}")))
    }

    async fn reap(self) {
        let Settings { idle, .. } = self.shared().settings;
        while self.pause(limits::IDLE_CHECK).await {
            for pool in self.0.catalog.load().pools() {
                pool.reap(idle);
            }
        }
    }

    /// Waits; `false` when everything is being ended.
    pub(crate) async fn pause(&self, duration: Duration) -> bool {
        tokio::select! {
            () = self.shared().stop.cancelled() => false,
            () = sleep(duration) => true,
        }
    }
}

impl fmt::Debug for Lambda {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut functions: HashMap<Arc<str>, usize> = HashMap::new();
        for instance in self.instances() {
            *functions.entry(instance.function).or_default() += 1;
        }
        f.debug_struct("Lambda").field("processes", &functions).finish_non_exhaustive()
    }
}
