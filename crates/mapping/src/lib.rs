//! The map that serves.
//!
//! A [`Mapping`] loads rules from a [`Source`], builds an [`Engine`] of them and keeps it fresh. Requests take the
//! engine that is current when they start ([`Mapping::serving`]) and keep it until they end; a new one is swapped in
//! atomically. When the source fails, or holds an invalid map, the last good engine keeps serving: [`Status`] shows its
//! age, the log says why, and a counter counts it.

mod config;
mod local;
mod source;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use replace::Engine;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{info, warn};

pub use config::{Config, Origin};
pub use local::{BuiltIn, File};
pub use source::{Fetched, Fetching, Source, SourceError, Version};

/// The longest that one read of the source may take in a process that runs all the time. A parameter takes tens of
/// milliseconds, a table of 100,000 rules takes seconds; what takes longer than this hangs.
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
    started: Instant,
    failures: AtomicU64,
    /// Held while a refresh runs, so that there is one at a time.
    schedule: Mutex<Schedule>,
}

/// When the source is to be read again.
struct Schedule {
    due: Instant,
    /// The pause after the next failure, while nothing serves.
    retry: Duration,
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
        let started = Instant::now();
        Arc::new(Self {
            source,
            refresh_every,
            serving: ArcSwapOption::empty(),
            confirmed: AtomicU64::new(0),
            started,
            failures: AtomicU64::new(0),
            schedule: Mutex::new(Schedule { due: started, retry: FIRST_RETRY.min(refresh_every) }),
        })
    }

    /// What serves now; `None` until a first map was loaded.
    pub fn serving(&self) -> Option<Arc<Serving>> {
        self.serving.load_full()
    }

    /// The same for use at once, before anything is waited for: without counting who uses it, since a count that all
    /// threads change travels from processor to processor with every request.
    pub fn serving_now(&self) -> impl Deref<Target = Option<Arc<Serving>>> {
        self.serving.load()
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
            age: Duration::from_millis(self.elapsed().saturating_sub(self.confirmed.load(Relaxed))),
        });
        Status { source: self.source.name().to_owned(), loaded }
    }

    /// Reads the source now. A failure is logged and counted here, and changes nothing else.
    pub async fn refresh(&self) {
        self.attempt(&mut *self.schedule.lock().await, FETCH_TIMEOUT).await;
    }

    /// Reads the source if that is due: at first, when what serves has become stale, and, while nothing serves, after
    /// a growing pause. `within` bounds the reading. Returns whether it was due.
    ///
    /// For a Lambda function, which has no time of its own between invocations: it calls this at start and after each
    /// response. A task left running beside the invocations would be frozen half-way, and wake up timed out.
    pub async fn refresh_if_due(&self, within: Duration) -> bool {
        // Whoever waited here for another's refresh finds that it is no longer due.
        let mut schedule = self.schedule.lock().await;
        let is_due = Instant::now() >= schedule.due;
        if is_due {
            self.attempt(&mut schedule, within).await;
        }
        is_due
    }

    /// Keeps the map fresh for as long as the runtime lives: for processes that run all the time.
    pub fn keep_fresh(self: &Arc<Self>) -> tokio::task::JoinHandle<()> {
        let mapping = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                let due = mapping.schedule.lock().await.due;
                sleep_until(due).await;
                mapping.refresh_if_due(FETCH_TIMEOUT).await;
            }
        })
    }

    async fn attempt(&self, schedule: &mut Schedule, within: Duration) {
        // Set before, too, so that a caller who gives up and drops this has had its attempt.
        schedule.due = Instant::now() + jittered(self.refresh_every);
        match self.read(within).await {
            Ok(()) => self.confirmed.store(self.elapsed(), Relaxed),
            Err(error) => {
                self.failures.fetch_add(1, Relaxed);
                let keeps = self.serving().map(|serving| serving.version.to_string());
                warn!(source = self.source.name(), keeps, "map not loaded: {error}");
            }
        }
        let pause = if self.serving.load().is_some() {
            self.refresh_every
        } else {
            let pause = schedule.retry;
            schedule.retry = (pause * 2).min(self.refresh_every);
            pause
        };
        schedule.due = Instant::now() + jittered(pause);
    }

    async fn read(&self, within: Duration) -> Result<(), SourceError> {
        let serving = self.serving();
        let fetching = self.source.fetch(serving.as_deref().map(Serving::version));
        let fetched = timeout(within, fetching)
            .await
            .map_err(|_| SourceError::unavailable(format!("no answer in {} s", within.as_secs_f32())))??;
        let Fetched::Changed { version, rules } = fetched else {
            return match serving {
                Some(_) => Ok(()),
                None => Err(SourceError::unavailable("it says that nothing has changed, but nothing was loaded")),
            };
        };
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

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// 90 % to 110 % of `pause`, so that a fleet that was started together does not ask together for ever.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.9 + 0.2 * fastrand::f64())
}
