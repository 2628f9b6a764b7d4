//! The requests that came, for whoever watches.
//!
//! The gateway keeps a journal of its own, with what it did step by step. A load balancer only traces that it has answered:
//! a layer among the tracing subscribers hears that.

use std::{
    collections::VecDeque,
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use local_gateway::FinishedRequest;
use serde::Serialize;
use tokio::sync::broadcast;
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Layer};

use crate::front_doors::Place;

/// So many requests are kept for a page that is opened later.
const KEPT: usize = 200;
/// So many may come before a page that does not read misses one.
const UNREAD: usize = 256;

/// By whom a load balancer's requests are traced, and what is said of each.
pub const TRACED_BY: &str = "containers";
const TRACED_AS: &str = "request";

/// One request, answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Unique.
    pub id: String,
    /// When it came, in milliseconds since 1970.
    pub at: u64,
    /// Where it came in.
    pub front_door: String,
    pub method: String,
    pub path: String,
    pub status: u16,
    pub microseconds: u64,
    /// What was done with it, line by line.
    pub steps: Option<String>,
    /// Where a load balancer received it.
    #[serde(skip)]
    pub listener: Option<Place>,
}

impl Record {
    /// With the name of its front door, where a load balancer only knows its own. `named`: who knows front doors.
    pub fn named(&self, named: impl Fn(&Place) -> Option<String>) -> Self {
        let name = self.listener.as_ref().and_then(named);
        Self { front_door: name.unwrap_or_else(|| self.front_door.clone()), ..self.clone() }
    }

    /// `front_door`: the name of the API's stage among the front doors.
    pub fn of_gateway(request: &FinishedRequest, front_door: String) -> Self {
        Self {
            id: request.request_id.clone(),
            at: request.time,
            front_door,
            method: request.method.clone(),
            path: request.path.clone(),
            status: request.status,
            microseconds: request.latency_microseconds,
            steps: Some(request.execution_log()),
            listener: None,
        }
    }
}

/// The latest requests that load balancers answered.
#[derive(Debug)]
pub struct BalancerRequests {
    latest: Mutex<VecDeque<Arc<Record>>>,
    watchers: broadcast::Sender<Arc<Record>>,
    next_id: AtomicU64,
}

impl Default for BalancerRequests {
    fn default() -> Self {
        let latest = Mutex::new(VecDeque::with_capacity(KEPT));
        Self { latest, watchers: broadcast::Sender::new(UNREAD), next_id: AtomicU64::new(1) }
    }
}

impl BalancerRequests {
    /// The latest requests, oldest first, and all that follow.
    pub fn watch(&self) -> (Vec<Arc<Record>>, broadcast::Receiver<Arc<Record>>) {
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        (latest.iter().cloned().collect(), self.watchers.subscribe())
    }

    fn add(&self, traced: Traced) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let record = Arc::new(Record {
            id: format!("load-balancer-{}", self.next_id.fetch_add(1, Ordering::Relaxed)),
            at: now.saturating_sub(traced.milliseconds),
            front_door: format!("{}:{}", traced.load_balancer, traced.port),
            method: traced.method,
            path: traced.path,
            status: traced.status as u16,
            microseconds: traced.milliseconds * 1000,
            steps: None,
            listener: u16::try_from(traced.port)
                .ok()
                .map(|port| Place::Listener { load_balancer: traced.load_balancer, port }),
        });
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if latest.len() == KEPT {
            latest.pop_front();
        }
        latest.push_back(record.clone());
        // While the list is locked: a watcher gets each request from the list or by the channel, and none twice.
        let _ = self.watchers.send(record);
    }
}

/// Hears of load balancers' requests.
#[derive(Debug)]
pub struct Hearing(pub Arc<BalancerRequests>);

impl<S: Subscriber> Layer<S> for Hearing {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() != TRACED_BY {
            return;
        }
        let mut traced = Traced::default();
        event.record(&mut traced);
        if traced.message == TRACED_AS {
            self.0.add(traced);
        }
    }
}

/// The fields of such an event.
#[derive(Debug, Default)]
struct Traced {
    message: String,
    load_balancer: String,
    port: u64,
    method: String,
    path: String,
    status: u64,
    milliseconds: u64,
}

impl Visit for Traced {
    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "port" => self.port = value,
            "status" => self.status = value,
            "milliseconds" => self.milliseconds = value,
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = match field.name() {
            "message" => &mut self.message,
            "load_balancer" => &mut self.load_balancer,
            "method" => &mut self.method,
            "path" => &mut self.path,
            _ => return,
        };
        *text = format!("{value:?}");
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// As `local-containers` traces it.
    fn trace(path: &str) {
        tracing::debug!(
            target: "containers", load_balancer = "site", port = 80_u16, method = %http::Method::GET, path, status = 200_u16,
            milliseconds = 3_u64, "request",
        );
    }

    fn heard(act: impl FnOnce(&BalancerRequests)) {
        let requests = Arc::new(BalancerRequests::default());
        let subscriber = tracing_subscriber::registry().with(Hearing(requests.clone()));
        tracing::subscriber::with_default(subscriber, || act(&requests));
    }

    #[test]
    fn a_watcher_gets_what_was_and_what_comes() {
        heard(|requests| {
            trace("/before");
            let (latest, mut following) = requests.watch();
            trace("/after");
            let before = &latest[0];
            assert_eq!((before.front_door.as_str(), before.method.as_str()), ("site:80", "GET"));
            assert_eq!((before.path.as_str(), before.status, before.microseconds), ("/before", 200, 3000));
            assert_eq!(latest.len(), 1);
            let after = following.try_recv().unwrap();
            assert_eq!(after.path, "/after");
            assert_ne!(after.id, before.id);
        });
    }

    #[test]
    fn other_events_are_no_requests() {
        heard(|requests| {
            tracing::info!(target: "containers", load_balancer = "site", "listens");
            tracing::debug!(target: "elsewhere", load_balancer = "site", "request");
            assert!(requests.watch().0.is_empty());
        });
    }

    #[test]
    fn only_the_latest_are_kept() {
        heard(|requests| {
            (0..KEPT + 3).for_each(|number| trace(&format!("/{number}")));
            let (latest, _) = requests.watch();
            assert_eq!((latest.len(), latest[0].path.as_str()), (KEPT, "/3"));
        });
    }
}
