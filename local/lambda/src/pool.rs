//! The processes of one function version.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::configuration::FunctionVersion;
use crate::failure::Failure;
use crate::instance::{self, Event, Instance, Start};
use crate::service::Shared;

/// Processes, started on demand. An invocation takes the one that was used last; if all are busy, another is started, and
/// the invocation gets whichever is ready first, the new one or one that has become free: so does Lambda.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) function: Arc<str>,
    pub(crate) version: FunctionVersion,
    pub(crate) version_name: Arc<str>,
    pub(crate) shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: Vec<Idle>,
    waiting: VecDeque<oneshot::Sender<Result<Lease, Failure>>>,
    /// Processes that have not asked for an event yet, started or about to be.
    starting: usize,
    /// Processes that have answered, and not asked for another event yet.
    returning: usize,
    /// All processes, those that are about to be started included.
    total: usize,
    instances: HashMap<Pid, Arc<Instance>>,
    /// Another version of the code or configuration has taken over: whoever becomes idle ends.
    retired: bool,
}

impl State {
    /// The instance asks for another event, or has ended.
    fn is_back(&mut self, instance: &Instance) {
        if instance.returning.swap(false, Ordering::AcqRel) {
            self.returning -= 1;
        }
    }
}

#[derive(Debug)]
struct Idle {
    lease: Lease,
    since: Instant,
}

/// An instance for one invocation: its `next` waits for the event.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) instance: Arc<Instance>,
    pub(crate) poll: oneshot::Sender<Event>,
}

impl Pool {
    pub(crate) fn new(function: &Arc<str>, version: FunctionVersion, shared: &Arc<Shared>) -> Self {
        Self {
            function: Arc::clone(function),
            version_name: version.version.as_str().into(),
            version,
            shared: Arc::clone(shared),
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An instance for an invocation.
    pub(crate) async fn lease(self: &Arc<Self>) -> Result<Lease, Failure> {
        let leased = {
            let mut state = self.state();
            if self.shared.stop.is_cancelled() {
                return Err(Failure::ShutDown);
            }
            while let Some(idle) = state.idle.pop() {
                if !idle.lease.poll.is_closed() {
                    return Ok(idle.lease);
                }
            }
            let (lease, leased) = oneshot::channel();
            state.waiting.push_back(lease);
            let returning = state.returning;
            self.replenish(&mut state, returning);
            leased
        };
        tokio::pin!(leased);
        let leased = match timeout(self.shared.settings.returning, &mut leased).await {
            Ok(leased) => leased,
            Err(_) => {
                // Whoever was to return has something else to do.
                self.replenish(&mut self.state(), 0);
                leased.await
            }
        };
        leased.unwrap_or(Err(Failure::ShutDown))
    }

    /// Starts a process for everybody who waits for none yet.
    fn replenish(self: &Arc<Self>, state: &mut State, returning: usize) {
        while state.starting + returning < state.waiting.len()
            && state.total < self.shared.settings.instances_per_version
        {
            state.starting += 1;
            state.total += 1;
            self.start(Start::first());
        }
    }

    fn start(self: &Arc<Self>, start: Start) {
        self.shared.tasks.spawn(instance::run(Arc::clone(self), start));
    }

    /// There is a process.
    pub(crate) fn started(&self, instance: &Arc<Instance>) {
        self.state().instances.insert(instance.group, Arc::clone(instance));
    }

    /// An instance has answered, and will be back.
    pub(crate) fn returns(&self, instance: &Instance) {
        let mut state = self.state();
        if !instance.returning.swap(true, Ordering::AcqRel) {
            state.returning += 1;
        }
    }

    /// An instance asks for an event.
    pub(crate) fn offer(&self, lease: Lease, first: bool) {
        let mut lease = lease;
        let mut state = self.state();
        state.is_back(&lease.instance);
        if first {
            state.starting -= 1;
        }
        while let Some(waiting) = state.waiting.pop_front() {
            match waiting.send(Ok(lease)) {
                Ok(()) => return,
                // Whoever waited has gone.
                Err(Ok(refused)) => lease = refused,
                Err(Err(_)) => return,
            }
        }
        if state.retired {
            lease.instance.end.cancel();
        } else {
            state.idle.push(Idle { lease, since: Instant::now() });
        }
    }

    /// A process ended before it asked for an event, or could not be started at all.
    pub(crate) fn start_failed(self: &Arc<Self>, instance: Option<&Arc<Instance>>, start: Start, failure: Failure) {
        let mut state = self.state();
        if let Some(instance) = instance {
            state.instances.remove(&instance.group);
        }
        let hopeless = matches!(failure, Failure::InvalidEntrypoint(_) | Failure::ShutDown);
        if !start.repeated && !hopeless && !state.waiting.is_empty() {
            return self.start(Start::again());
        }
        state.starting -= 1;
        state.total -= 1;
        // Otherwise, whoever waits gets what the configured time-out makes of it.
        if let Some(waiting) = state.waiting.pop_front() {
            // Whoever waited may have gone.
            let _ = waiting.send(Err(failure));
        }
        self.settle(&mut state);
    }

    /// A process has ended that had been ready.
    pub(crate) fn ended(self: &Arc<Self>, instance: &Arc<Instance>) {
        let mut state = self.state();
        state.instances.remove(&instance.group);
        state.idle.retain(|idle| !Arc::ptr_eq(&idle.lease.instance, instance));
        state.is_back(instance);
        state.total -= 1;
        self.settle(&mut state);
    }

    /// After a process is gone: who waits gets another, or learns that there will be none.
    fn settle(self: &Arc<Self>, state: &mut State) {
        if !self.shared.stop.is_cancelled() {
            return self.replenish(state, state.returning);
        }
        for waiting in state.waiting.drain(..) {
            // Whoever waited may have gone.
            let _ = waiting.send(Err(Failure::ShutDown));
        }
    }

    /// Ends what is idle; the others end when they have answered.
    pub(crate) fn retire(&self) {
        let mut state = self.state();
        state.retired = true;
        for idle in state.idle.drain(..) {
            idle.lease.instance.end.cancel();
        }
    }

    /// Ends what has not been used for so long.
    pub(crate) fn reap(&self, age: Duration) {
        let mut state = self.state();
        state.idle.retain(|idle| {
            let keep = idle.since.elapsed() < age;
            if !keep {
                info!(target: "lambda", function = %self.function, version = %self.version_name, "an idle process ends");
                idle.lease.instance.end.cancel();
            }
            keep
        });
    }

    /// Its processes.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        self.state().instances.values().cloned().collect()
    }

    /// Says that an initialisation failed.
    pub(crate) fn init_report(&self, start: Start, status: &str) {
        let phase = if start.repeated { "invoke" } else { "init" };
        let milliseconds = start.at.elapsed().as_secs_f64() * 1e3;
        warn!(
            target: "lambda", function = %self.function,
            "INIT_REPORT Init Duration: {milliseconds:.2} ms\tPhase: {phase}\t{status}"
        );
    }
}
