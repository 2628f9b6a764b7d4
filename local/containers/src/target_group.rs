//! Target groups: who gets the next request, and how each target is.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::Pace;
use crate::change::Changes;
use crate::health;
use crate::listener::Directory;
use crate::snapshot;

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A process or another server.
    Socket(SocketAddr),
    /// The listener on this port of an Application Load Balancer (target type `alb`).
    LoadBalancer {
        /// Its ARN.
        arn: String,
        /// Its listener's port.
        port: u16,
    },
    /// Nowhere on this machine: an instance, a function.
    Nowhere,
}

/// The states of AWS's TargetHealth.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Initial,
    Healthy,
    Unhealthy,
    Unused,
    Draining,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Unused => "unused",
            Self::Draining => "draining",
        }
    }
}

/// A state and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Which.
    pub state: State,
    /// AWS's code, such as `Target.Timeout`.
    pub reason: &'static str,
    /// For people.
    pub description: String,
}

impl Health {
    fn initial() -> Self {
        Self::because(State::Initial, "Elb.InitialHealthChecking", "Initial health checks in progress")
    }

    /// Passed its checks.
    #[must_use]
    pub fn healthy() -> Self {
        Self::because(State::Healthy, "", "")
    }

    /// In that state for that reason.
    pub fn because(state: State, reason: &'static str, description: impl Into<String>) -> Self {
        Self { state, reason, description: description.into() }
    }
}

/// A target of one group.
#[derive(Debug)]
pub struct Target {
    /// As DescribeTargetHealth tells it.
    pub id: String,
    /// As DescribeTargetHealth tells it.
    pub port: u16,
    /// Where requests go.
    pub address: Address,
    /// By RegisterTargets, and not because it is a service's task.
    is_registered: bool,
    health: Mutex<Health>,
    /// Requests and connections that it is busy with.
    outstanding: AtomicUsize,
    became_idle: Notify,
    check: Mutex<Option<AbortHandle>>,
}

impl Target {
    /// How it is now.
    pub fn health(&self) -> Health {
        lock(&self.health).clone()
    }

    fn state(&self) -> State {
        lock(&self.health).state
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        stop_check(self);
    }
}

fn stop_check(target: &Target) {
    if let Some(check) = lock(&target.check).take() {
        check.abort();
    }
}

/// A target that is busy with something for as long as this is there.
#[derive(Debug)]
pub struct Lease(Arc<Target>);

impl Lease {
    fn of(target: &Arc<Target>) -> Self {
        target.outstanding.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(target))
    }

    /// Whose.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.0.outstanding.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.became_idle.notify_waiters();
        }
    }
}

/// A target group with its targets.
#[derive(Debug)]
pub struct TargetGroup {
    settings: ArcSwap<snapshot::TargetGroup>,
    targets: Mutex<Vec<Arc<Target>>>,
    /// Whose turn it is.
    turn: AtomicUsize,
    surroundings: Surroundings,
}

/// What target groups and health checks need to know of the rest.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// Where load balancers are.
    pub directory: Arc<Directory>,
    /// Told of every change of a target's health.
    pub changes: Changes,
    /// How long AWS's seconds are.
    pub pace: Pace,
}

impl TargetGroup {
    fn new(settings: snapshot::TargetGroup, surroundings: Surroundings) -> Arc<Self> {
        Arc::new(Self {
            settings: ArcSwap::from_pointee(settings),
            targets: Mutex::default(),
            turn: AtomicUsize::new(0),
            surroundings,
        })
    }

    /// As they were read last.
    pub fn settings(&self) -> Arc<snapshot::TargetGroup> {
        self.settings.load_full()
    }

    pub(crate) fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Who gets the next request. With no healthy target, the unhealthy ones get them: AWS fails open. Targets that have not
    /// passed their first check, or are draining, get none. `None`: the client is told 503.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>
    pub fn pick(&self) -> Option<Lease> {
        let targets = lock(&self.targets);
        let in_state = |state| targets.iter().filter(|target| target.state() == state).collect::<Vec<_>>();
        let mut candidates = in_state(State::Healthy);
        if candidates.is_empty() {
            candidates = in_state(State::Unhealthy);
        }
        if candidates.is_empty() {
            return None;
        }
        let turn = self.turn.fetch_add(1, Ordering::Relaxed) % candidates.len();
        candidates.rotate_left(turn);
        if self.settings.load().algorithm == snapshot::Algorithm::LeastOutstandingRequests {
            // The first of the least busy ones, so that equals take turns.
            candidates.sort_by_key(|target| target.outstanding.load(Ordering::Relaxed));
        }
        Some(Lease::of(candidates[0]))
    }

    /// A task's port becomes a target.
    pub fn add(self: &Arc<Self>, address: SocketAddr) -> Arc<Target> {
        self.insert(address.ip().to_string(), address.port(), Address::Socket(address), false)
    }

    fn insert(self: &Arc<Self>, id: String, port: u16, address: Address, is_registered: bool) -> Arc<Target> {
        let health = if address == Address::Nowhere {
            let what = format!("{id} is not on this machine");
            Health::because(State::Unused, "Target.NotInUse", what)
        } else if self.settings.load().target_type == "alb" && !self.settings.load().health_check.is_http {
            Health::healthy()
        } else {
            Health::initial()
        };
        let is_checked = health.state == State::Initial;
        let target = Arc::new(Target {
            id,
            port,
            address,
            is_registered,
            health: Mutex::new(health),
            outstanding: AtomicUsize::new(0),
            became_idle: Notify::new(),
            check: Mutex::default(),
        });
        lock(&self.targets).push(Arc::clone(&target));
        if is_checked {
            let check = tokio::spawn(health::watch(Arc::downgrade(self), Arc::downgrade(&target)));
            *lock(&target.check) = Some(check.abort_handle());
        }
        self.surroundings.changes.record();
        target
    }

    /// No new requests go to the target. Returns when it has ended those that it has, or after the deregistration delay,
    /// and it is none of the group's any more.
    /// <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html>
    pub async fn drain(&self, target: &Arc<Target>) {
        stop_check(target);
        let draining = "Target deregistration is in progress";
        self.set_health(target, Health::because(State::Draining, "Target.DeregistrationInProgress", draining));
        let idle = async {
            loop {
                let notified = target.became_idle.notified();
                if target.outstanding.load(Ordering::Acquire) == 0 {
                    return;
                }
                notified.await;
            }
        };
        let delay = self.settings.load().deregistration_delay;
        if tokio::time::timeout(delay, idle).await.is_err() {
            tracing::warn!(
                target: "containers",
                "{}: {}:{} still had requests when the deregistration delay of {delay:?} was over",
                self.settings.load().name, target.id, target.port,
            );
        }
        self.remove(target);
    }

    /// The target is gone, whatever it was busy with.
    pub fn remove(&self, target: &Arc<Target>) {
        stop_check(target);
        lock(&self.targets).retain(|one| !Arc::ptr_eq(one, target));
        self.surroundings.changes.record();
    }

    /// What a check found out.
    pub fn set_health(&self, target: &Target, health: Health) {
        let before = std::mem::replace(&mut *lock(&target.health), health.clone());
        if before != health {
            tracing::info!(
                target: "containers",
                "{}: {}:{} is {} {}", self.settings.load().name, target.id, target.port, health.state.name(), health.description,
            );
            self.surroundings.changes.record();
        }
    }

    fn update(self: &Arc<Self>, settings: snapshot::TargetGroup) {
        let wanted = settings.registered.clone();
        let is_of_load_balancers = settings.target_type == "alb";
        self.settings.store(Arc::new(settings));
        let existing: Vec<_> = lock(&self.targets).iter().filter(|target| target.is_registered).cloned().collect();
        for target in &existing {
            let is_wanted = wanted.iter().any(|(id, port)| *id == target.id && *port == target.port);
            if !is_wanted && target.state() != State::Draining {
                let (group, target) = (Arc::clone(self), Arc::clone(target));
                tokio::spawn(async move { group.drain(&target).await });
            }
        }
        for (id, port) in wanted {
            if existing.iter().any(|target| target.id == id && target.port == port) {
                continue;
            }
            let address = match id.parse() {
                Ok(ip) => Address::Socket(SocketAddr::new(ip, port)),
                Err(_) if is_of_load_balancers => Address::LoadBalancer { arn: id.clone(), port },
                Err(_) => Address::Nowhere,
            };
            self.insert(id, port, address, true);
        }
    }

    /// All targets, as the control plane's page takes them.
    pub fn report(&self) -> Value {
        let targets = lock(&self.targets);
        let targets = targets.iter().map(|target| {
            let health = target.health();
            json!({
                "id": target.id, "port": target.port, "registered": target.is_registered,
                "state": health.state.name(), "reason": health.reason, "description": health.description,
            })
        });
        json!({ "targets": targets.collect::<Vec<_>>() })
    }
}

/// All target groups, by ARN.
#[derive(Debug)]
pub struct TargetGroups {
    by_arn: RwLock<HashMap<String, Arc<TargetGroup>>>,
    surroundings: Surroundings,
}

impl TargetGroups {
    /// None yet.
    pub fn new(surroundings: Surroundings) -> Self {
        Self { by_arn: RwLock::default(), surroundings }
    }

    /// One of them.
    pub fn get(&self, arn: &str) -> Option<Arc<TargetGroup>> {
        self.by_arn.read().unwrap_or_else(PoisonError::into_inner).get(arn).cloned()
    }

    /// All of them.
    pub fn all(&self) -> Vec<Arc<TargetGroup>> {
        self.by_arn.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Groups come and go; those that stay keep their targets.
    pub fn update(&self, settings: Vec<snapshot::TargetGroup>) {
        let mut by_arn = self.by_arn.write().unwrap_or_else(PoisonError::into_inner);
        by_arn.retain(|arn, _| settings.iter().any(|group| group.arn == *arn));
        for settings in settings {
            let group = by_arn
                .entry(settings.arn.clone())
                .or_insert_with(|| TargetGroup::new(settings.clone(), self.surroundings.clone()));
            group.update(settings);
        }
    }
}

/// What a panic elsewhere left is still true: every critical section here is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pace {
    /// How long a time of a health check's settings is here.
    pub(crate) fn health(self, of_aws: Duration) -> Duration {
        of_aws.mul_f64(self.health_check)
    }
}
