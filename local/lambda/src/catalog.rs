//! Which function, version and processes an invocation is for.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tracing::info;
use uuid::Uuid;

use crate::configuration::{Alias, EventInvokeConfig, Function, LATEST};
use crate::invocation::Refusal;
use crate::name::FunctionName;
use crate::pool::Pool;
use crate::service::Shared;

/// All functions at one moment. It is replaced as a whole, and an invocation keeps the one that it began with.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    functions: HashMap<String, Arc<Entry>>,
    unreserved: Arc<Allowance>,
}

#[derive(Debug)]
pub(crate) struct Entry {
    arn: String,
    pools: HashMap<String, Arc<Pool>>,
    aliases: HashMap<String, Alias>,
    event_invoke: BTreeMap<String, EventInvokeConfig>,
    reserved: Option<u32>,
    running: Arc<AtomicU32>,
}

/// What functions without a reservation share.
#[derive(Debug, Default)]
struct Allowance {
    limit: u32,
    running: Arc<AtomicU32>,
}

/// What an invocation's name led to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) entry: Arc<Entry>,
    pub(crate) pool: Arc<Pool>,
    /// With the qualifier by which it was invoked, if any.
    pub(crate) invoked_arn: String,
    pub(crate) qualifier: Option<String>,
}

/// One of the invocations that may run at once.
#[derive(Debug)]
pub(crate) struct Slot(Vec<Arc<AtomicU32>>);

impl Drop for Slot {
    fn drop(&mut self) {
        for counter in &self.0 {
            counter.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

impl Catalog {
    /// The catalogue after `self`: what has not changed keeps its processes, everything else has new ones.
    pub(crate) fn succeed(&self, functions: Vec<Function>, shared: &Arc<Shared>) -> Self {
        let reserved: u32 = functions.iter().filter_map(|function| function.reserved_concurrency).sum();
        let unreserved = Arc::new(Allowance {
            limit: shared.settings.account_concurrency.saturating_sub(reserved),
            running: Arc::clone(&self.unreserved.running),
        });
        let functions = functions.into_iter().map(|function| {
            let before = self.functions.get(&function.name);
            (function.name.clone(), Arc::new(Entry::new(function, before.map(AsRef::as_ref), shared)))
        });
        Self { functions: functions.collect(), unreserved }
    }

    pub(crate) fn pools(&self) -> impl Iterator<Item = &Arc<Pool>> {
        self.functions.values().flat_map(|entry| entry.pools.values())
    }

    /// Ends, sooner or later, the processes that the next catalogue does not know any more.
    pub(crate) fn retire(&self, next: &Self) {
        for (name, entry) in &self.functions {
            for (version, pool) in &entry.pools {
                let kept = next.functions.get(name).and_then(|entry| entry.pools.get(version));
                if !kept.is_some_and(|kept| Arc::ptr_eq(kept, pool)) {
                    info!(target: "lambda", function = %name, %version, "is replaced");
                    pool.retire();
                }
            }
        }
    }

    /// `random` chooses between the versions of a weighted alias.
    pub(crate) fn resolve(&self, name: &str, qualifier: Option<&str>, random: Uuid) -> Result<Target, Refusal> {
        let parsed = FunctionName::parse(name).map_err(|_| Refusal::invalid_name(name))?;
        let qualifier = match (parsed.qualifier, qualifier) {
            (Some(derived), Some(given)) if derived != given => return Err(Refusal::contradicting_qualifiers()),
            (derived, given) => derived.or(given),
        };
        let entry = self.functions.get(parsed.name);
        let entry = entry.filter(|entry| !name.starts_with("arn:") || name.starts_with(&entry.arn));
        let Some(entry) = entry else { return Err(Refusal::not_found(&self.arn(name, parsed.name, qualifier))) };
        let invoked_arn = match qualifier {
            Some(qualifier) => format!("{}:{qualifier}", entry.arn),
            None => entry.arn.clone(),
        };
        let version = match qualifier {
            Some(qualifier) => entry.version(qualifier, random),
            None => LATEST,
        };
        let Some(pool) = entry.pools.get(version) else { return Err(Refusal::not_found(&invoked_arn)) };
        Ok(Target {
            entry: Arc::clone(entry),
            pool: Arc::clone(pool),
            invoked_arn,
            qualifier: qualifier.map(str::to_owned),
        })
    }

    /// The ARN that a function of that name would have.
    fn arn(&self, given: &str, name: &str, qualifier: Option<&str>) -> String {
        if given.starts_with("arn:") {
            return given.to_owned();
        }
        let another = self.functions.values().next().and_then(|entry| entry.arn.rsplit_once(':'));
        let prefix = another.map_or("arn:aws:lambda:::function", |(prefix, _)| prefix);
        let qualifier = qualifier.map(|qualifier| format!(":{qualifier}")).unwrap_or_default();
        format!("{prefix}:{name}{qualifier}")
    }

    /// Takes one of the concurrent invocations that the function may have.
    pub(crate) fn admit(&self, target: &Target) -> Result<Slot, Refusal> {
        let entry = &target.entry;
        let (counters, limit, refusal) = match entry.reserved {
            Some(limit) => (vec![Arc::clone(&entry.running)], limit, Refusal::reserved_concurrency()),
            None => {
                let counters = vec![Arc::clone(&self.unreserved.running), Arc::clone(&entry.running)];
                (counters, self.unreserved.limit, Refusal::account_concurrency())
            }
        };
        // The first counter decides; the function's own counts along, in case it gets a reservation.
        let slot = |counters: Vec<Arc<AtomicU32>>| {
            let before: Vec<u32> = counters.iter().map(|counter| counter.fetch_add(1, Ordering::AcqRel)).collect();
            (before[0], Slot(counters))
        };
        let (before, slot) = slot(counters);
        if before < limit { Ok(slot) } else { Err(refusal) }
    }
}

impl Entry {
    fn new(function: Function, before: Option<&Self>, shared: &Arc<Shared>) -> Self {
        let name: Arc<str> = function.name.as_str().into();
        let pools = function.versions.into_iter().map(|version| {
            let kept = before.filter(|before| before.arn == function.arn);
            let kept = kept.and_then(|before| before.pools.get(&version.version));
            let pool = match kept.filter(|pool| pool.version == version) {
                Some(pool) => Arc::clone(pool),
                None => Arc::new(Pool::new(&name, version, shared)),
            };
            (pool.version.version.clone(), pool)
        });
        Self {
            pools: pools.collect(),
            aliases: function.aliases.into_iter().map(|alias| (alias.name.clone(), alias)).collect(),
            event_invoke: function.event_invoke,
            reserved: function.reserved_concurrency,
            running: before.map(|before| Arc::clone(&before.running)).unwrap_or_default(),
            arn: function.arn,
        }
    }

    fn version<'a>(&'a self, qualifier: &'a str, random: Uuid) -> &'a str {
        let Some(alias) = self.aliases.get(qualifier) else { return qualifier };
        // The top 32 bits of a random UUID are random; that many make a fraction without loss.
        let mut share = f64::from(random.as_fields().0) / 2f64.powi(32);
        for (version, weight) in &alias.additional_version_weights {
            if share < *weight {
                return version;
            }
            share -= weight;
        }
        &alias.version
    }

    /// What holds for events that are sent to this qualifier.
    pub(crate) fn event_invoke(&self, qualifier: Option<&str>) -> EventInvokeConfig {
        self.event_invoke.get(qualifier.unwrap_or(LATEST)).cloned().unwrap_or_default()
    }

    /// A reservation of nothing: the function is switched off.
    pub(crate) fn is_stopped(&self) -> bool {
        self.reserved == Some(0)
    }
}
