//! The map that serves.
//!
//! A [`Mapping`] loads rules from a [`Source`], builds an [`Engine`] of them and keeps it fresh. Requests take the
//! engine that is current when they start ([`Mapping::serving`]) and keep it until they end; a new one is swapped in
//! atomically. When the source fails, or holds an invalid map, the last good engine keeps serving: [`Status`] shows its
//! age, the log says why, and a counter counts it.

mod config;
mod local;
mod source;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use replace::Engine;
use tokio::sync::Mutex;
use tracing::{info, warn};

pub use config::{Config, Origin};
pub use local::{BuiltIn, File};
pub use source::{Fetched, Fetching, Source, SourceError, Version};

/// The longest that one read of the source may take. A parameter takes tens of milliseconds, a table of 100,000 rules
/// takes seconds; what takes longer than this hangs.
pub const FETCH_TIMEOUT: Duration = Duration::from_secs(20);

/// While no map was ever loaded the source is asked again after this, doubled each time up to the refresh interval.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// The current engine and the means to renew it. Shared by all requests.
pub struct Mapping {
    source: Box<dyn Source>,
    refresh_every: Duration,
    serving: ArcSwapOption<Serving>,
    /// Milliseconds from `started` to when the source last confirmed what serves.
    confirmed: AtomicU64,
    /// The same for the last attempt, whatever came of it.
    attempted: AtomicU64,
    started: Instant,
    failures: AtomicU64,
    /// One refresh at a time.
    refreshing: Mutex<()>,
}

/// An engine and the version of the map that it was built from.
pub struct Serving {
    engine: Engine,
    version: Version,
}

impl Serving {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The version of its map.
    pub fn version(&self) -> &Version {
        &self.version
    }
}

/// What serves; never its contents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Where the map comes from.
    pub source: String,
    /// What is loaded; `None` until a first map is.
    pub loaded: Option<Loaded>,
}

/// The loaded map, as [`Status`] shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its version.
    pub version: String,
    /// The number of its rules.
    pub rules: usize,
    /// How long ago the source last confirmed it.
    pub age: Duration,
}

impl Mapping {
    /// A mapping that has loaded nothing yet. `refresh_every`: how old what serves may grow before it is read again.
    pub fn new(source: Box<dyn Source>, refresh_every: Duration) -> Arc<Self> {
        Arc::new(Self {
            source,
            refresh_every,
            serving: ArcSwapOption::empty(),
            confirmed: AtomicU64::new(0),
            attempted: AtomicU64::new(0),
            started: Instant::now(),
            failures: AtomicU64::new(0),
            refreshing: Mutex::new(()),
        })
    }

    /// What serves now; `None` until a first map was loaded.
    pub fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.load_full()
    }

    /// How many times the source failed or held an invalid map.
    pub fn failures(&self) -> u64 {
        self.failures.load(Relaxed)
    }

    /// What serves, for readiness.
    pub fn status(&self) -> Status {
        let loaded = self.serving().map(|serving| Loaded {
            version: serving.version.to_string(),
            rules: serving.engine.rules(),
            age: self.since(&self.confirmed),
        });
        Status { source: self.source.name().to_owned(), loaded }
    }

    /// Reads the source once. A failure is logged and counted here, and changes nothing else.
    pub async fn refresh(&self) {
        let _one_at_a_time = self.refreshing.lock().await;
        self.attempted.store(self.elapsed(), Relaxed);
        match self.read().await {
            Ok(()) => self.confirmed.store(self.elapsed(), Relaxed),
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                let keeps = self.serving().map(|serving| serving.version.to_string());
                warn!(source = self.source.name(), keeps, "map not loaded: {error}");
            }
        }
    }

    async fn read(&self) -> Result<(), SourceError> {
        let serving = self.serving();
        let fetching = self.source.fetch(serving.as_deref().map(Serving::version));
        let fetched = tokio::time::timeout(FETCH_TIMEOUT, fetching)
            .await
            .map_err(|_| SourceError::unavailable(format!("no answer in {} s", FETCH_TIMEOUT.as_secs())))??;
        let Fetched::Changed { version, rules } = fetched else { return Ok(()) };
        if serving.as_ref().is_some_and(|serving| serving.version == version) {
            return Ok(());
        }
        // While requests are being served the build (30 ms at 100,000 rules) must not hold up the threads they run on;
        // at start there is nothing to hold up, and a thread less to start.
        let engine = if serving.is_some() {
            tokio::task::spawn_blocking(move || Engine::new(&rules)).await.map_err(SourceError::unavailable)??
        } else {
            Engine::new(&rules)?
        };
        info!(source = self.source.name(), %version, rules = engine.rules(), "map loaded");
        self.serving.store(Some(Arc::new(Serving { engine, version })));
        Ok(())
    }

    /// Keeps the map fresh for as long as the runtime lives: for processes that run all the time.
    pub fn keep_fresh(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let mapping = Arc::clone(self);
        tokio::spawn(async move {
            let mut retry = FIRST_RETRY.min(mapping.refresh_every);
            loop {
                let pause = if mapping.serving.load().is_some() {
                    mapping.refresh_every
                } else {
                    let pause = retry;
                    retry = (pause * 2).min(mapping.refresh_every);
                    pause
                };
                tokio::time::sleep(jittered(pause)).await;
                mapping.refresh().await;
            }
        })
    }

    /// Starts a refresh beside the caller if what serves is stale, and waits for it only when nothing serves at all:
    /// for a Lambda function, which has no time of its own between invocations.
    pub async fn refresh_if_stale(self: &Arc<Self>) {
        if self.serving.load().is_none() {
            self.refresh().await;
        } else if self.since(&self.attempted) >= self.refresh_every {
            // Claimed before it runs, so that one invocation starts it and not each that comes meanwhile.
            self.attempted.store(self.elapsed(), Relaxed);
            let mapping = Arc::clone(self);
            tokio::spawn(async move { mapping.refresh().await });
        }
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn since(&self, moment: &AtomicU64) -> Duration {
        Duration::from_millis(self.elapsed().saturating_sub(moment.load(Relaxed)))
    }
}

/// 90 % to 110 % of `pause`, so that a fleet that was started together does not ask together for ever.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
