//! Loading, refreshing, and what goes on serving when the source fails: a scripted source under tokio's paused clock.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mapping::{FETCH_TIMEOUT, Fetched, Fetching, Mapping, Source, SourceError, Version};
use replace::{Rule, Rules};
use tokio::time::{Instant, sleep};

const EVERY: Duration = Duration::from_secs(60);
/// More than one interval with its jitter, less than two.
const A_ROUND: Duration = Duration::from_secs(70);

/// What the source does when it is asked.
#[derive(Clone)]
enum Step {
    Holds(&'static str),
    Unchanged,
    Fails,
    /// A map whose second rule has nothing to match.
    HoldsInvalid,
    Hangs,
    Takes(Duration, &'static str),
}
use Step::*;

/// What the source was asked: when, and with which version serving.
type Asked = Vec<(Instant, Option<String>)>;

/// Plays its steps one by one, and the last for ever.
struct Script {
    steps: Mutex<VecDeque<Step>>,
    asked: Arc<Mutex<Asked>>,
    running: Mutex<u32>,
}

impl Source for Script {
    fn fetch<'a>(&'a self, serving: Option<&'a Version>) -> Fetching<'a> {
        Box::pin(async move {
            self.asked.lock().unwrap().push((Instant::now(), serving.map(Version::to_string)));
            let step = {
                let mut steps = self.steps.lock().unwrap();
                if steps.len() > 1 { steps.pop_front().unwrap() } else { steps[0].clone() }
            };
            match step {
                Holds(version) => Ok(map(version)),
                Unchanged => Ok(Fetched::Unchanged),
                Fails => Err(SourceError::unavailable("connection refused")),
                HoldsInvalid => Ok(Fetched::Changed {
                    version: Version::new("broken"),
                    rules: Rules::from_iter([Rule::literal("ING", "ING BANK"), Rule::literal("", "nothing")]),
                }),
                Hangs => std::future::pending().await,
                Takes(time, version) => {
                    *self.running.lock().unwrap() += 1;
                    assert_eq!(*self.running.lock().unwrap(), 1, "two refreshes run together");
                    sleep(time).await;
                    *self.running.lock().unwrap() -= 1;
                    Ok(map(version))
                }
            }
        })
    }

    fn name(&self) -> &str {
        "script"
    }
}

fn map(version: &'static str) -> Fetched {
    Fetched::Changed { version: Version::new(version), rules: Rules::from_iter([Rule::literal("ING", version)]) }
}

fn scripted(steps: impl Into<VecDeque<Step>>) -> (Arc<Mapping>, Arc<Mutex<Asked>>) {
    heed_every_event();
    let asked = Arc::default();
    let source = Script { steps: Mutex::new(steps.into()), asked: Arc::clone(&asked), running: Mutex::new(0) };
    (Mapping::new(Box::new(source), EVERY), asked)
}

fn serves(mapping: &Mapping) -> Option<String> {
    mapping.serving().map(|serving| serving.version().to_string())
}

/// Collects what is logged on this thread while it lives.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

/// Sends what no test collects nowhere. Without any subscriber an event that is met first on one thread may be marked as
/// one that nobody wants, in the moment in which a test on another begins to collect.
fn heed_every_event() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| tracing_subscriber::fmt().with_writer(io::sink).init());
}

impl Log {
    fn collect() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone()).finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_down_at_start_is_asked_again_after_growing_pauses_until_it_recovers() {
    let (mapping, asked) = scripted([Fails, Fails, Fails, Fails, Holds("1")]);
    let keeping = mapping.keep_fresh();
    sleep(Duration::from_secs(3)).await;
    assert_eq!((serves(&mapping), mapping.status().loaded), (None, None));

    sleep(Duration::from_secs(7)).await;
    assert_eq!(serves(&mapping).as_deref(), Some("1"));
    assert_eq!(mapping.failures(), 4);
    let asked = asked.lock().unwrap();
    let pauses: Vec<_> = asked.windows(2).map(|pair| (pair[1].0 - pair[0].0).as_millis()).collect();
    for (pause, about) in pauses.iter().zip([500, 1000, 2000, 4000]) {
        assert!((about * 9 / 10..=about * 11 / 10 + 2).contains(pause), "{pauses:?}");
    }
    keeping.abort();
}

#[tokio::test(start_paused = true)]
async fn the_pauses_at_start_grow_no_longer_than_the_interval() {
    let (mapping, asked) = scripted([Fails]);
    let keeping = mapping.keep_fresh();
    sleep(EVERY * 20).await;
    let asked = asked.lock().unwrap();
    assert!(asked.windows(2).all(|pair| pair[1].0 - pair[0].0 <= EVERY.mul_f64(1.1) + Duration::from_millis(2)));
    assert!(asked.len() > 20);
    keeping.abort();
}

#[tokio::test(start_paused = true)]
async fn a_source_that_goes_down_leaves_the_old_map_serving_and_its_age_growing() {
    let (mapping, _) = scripted([Holds("1"), Fails]);
    let keeping = mapping.keep_fresh();
    sleep(A_ROUND).await;
    assert_eq!(serves(&mapping).as_deref(), Some("1"));
    assert_eq!(mapping.failures(), 1);
    let age = mapping.status().loaded.unwrap().age;
    assert!(age >= EVERY, "{age:?}");
    keeping.abort();
}

#[tokio::test(start_paused = true)]
async fn an_invalid_map_leaves_the_old_one_serving_and_the_warning_names_the_rule() {
    let (log, _collecting) = Log::collect();
    let (mapping, _) = scripted([Holds("1"), HoldsInvalid]);
    mapping.refresh().await;
    mapping.refresh().await;
    assert_eq!(serves(&mapping).as_deref(), Some("1"));
    assert_eq!(mapping.failures(), 1);
    let warning = log.text().lines().find(|line| line.contains("WARN")).unwrap().to_owned();
    assert!(
        warning.contains("rule 2") && warning.contains("not valid") && warning.contains(r#"keeps="1""#),
        "{warning}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_hangs_is_given_up_after_the_time_out() {
    let (mapping, _) = scripted([Hangs, Holds("1")]);
    let begun = Instant::now();
    mapping.refresh().await;
    assert!(begun.elapsed() >= FETCH_TIMEOUT && begun.elapsed() < FETCH_TIMEOUT * 2);
    assert_eq!((serves(&mapping), mapping.failures()), (None, 1));
    mapping.refresh().await;
    assert_eq!(serves(&mapping).as_deref(), Some("1"));
}

#[tokio::test(start_paused = true)]
async fn an_unchanged_version_confirms_what_serves_without_building_it_again() {
    for same in [Unchanged, Holds("1")] {
        let (mapping, asked) = scripted([Holds("1"), same]);
        mapping.refresh().await;
        let before = mapping.serving().unwrap();
        sleep(A_ROUND).await;
        mapping.refresh().await;
        assert!(Arc::ptr_eq(&before, &mapping.serving().unwrap()));
        assert_eq!(mapping.status().loaded.unwrap().age, Duration::ZERO);
        let versions: Vec<_> = asked.lock().unwrap().iter().map(|(_, serving)| serving.clone()).collect();
        assert_eq!(versions, [None, Some("1".to_owned())]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_calls_nothing_unchanged_has_failed() {
    let (mapping, _) = scripted([Unchanged]);
    mapping.refresh().await;
    assert_eq!((serves(&mapping), mapping.failures()), (None, 1));
}

#[tokio::test(start_paused = true)]
async fn two_refreshes_never_run_together_and_the_second_finds_nothing_due() {
    let (mapping, asked) = scripted([Takes(Duration::from_secs(1), "1")]);
    tokio::join!(mapping.refresh_if_due(FETCH_TIMEOUT), mapping.refresh_if_due(FETCH_TIMEOUT));
    assert_eq!(asked.lock().unwrap().len(), 1);
    tokio::join!(mapping.refresh(), mapping.refresh());
    assert_eq!(asked.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_request_keeps_the_engine_it_began_with_while_a_new_one_is_swapped_in() {
    let (mapping, _) = scripted([Holds("old"), Holds("new")]);
    mapping.refresh().await;
    let begun = mapping.serving().unwrap();
    mapping.refresh().await;
    assert_eq!(begun.version(), &Version::new("old"));
    assert_eq!(serves(&mapping).as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn what_serves_goes_on_serving_while_a_refresh_runs() {
    let (mapping, _) = scripted([Holds("old"), Takes(Duration::from_secs(5), "new")]);
    mapping.refresh().await;
    let refreshing = tokio::spawn({
        let mapping = Arc::clone(&mapping);
        async move { mapping.refresh().await }
    });
    sleep(Duration::from_secs(1)).await;
    assert_eq!(serves(&mapping).as_deref(), Some("old"));
    refreshing.await.unwrap();
    assert_eq!(serves(&mapping).as_deref(), Some("new"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_on_demand_runs_only_when_due() {
    let (mapping, asked) = scripted([Holds("1"), Holds("2")]);
    for _ in 0..3 {
        mapping.refresh_if_due(FETCH_TIMEOUT).await;
    }
    assert_eq!(asked.lock().unwrap().len(), 1);
    sleep(A_ROUND).await;
    for _ in 0..3 {
        mapping.refresh_if_due(FETCH_TIMEOUT).await;
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
    assert_eq!(serves(&mapping).as_deref(), Some("2"));
}

#[tokio::test(start_paused = true)]
async fn a_refresh_on_demand_is_bounded_by_its_caller_and_then_not_due_at_once() {
    let (mapping, asked) = scripted([Hangs]);
    let begun = Instant::now();
    for _ in 0..3 {
        mapping.refresh_if_due(Duration::from_secs(2)).await;
    }
    assert!((2..3).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    assert_eq!((asked.lock().unwrap().len(), mapping.failures()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_interval_is_jittered_by_a_tenth_at_most() {
    let (mapping, asked) = scripted([Holds("1")]);
    let keeping = mapping.keep_fresh();
    sleep(EVERY * 200).await;
    let asked = asked.lock().unwrap();
    let pauses: Vec<_> = asked.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let (shortest, longest) = (*pauses.iter().min().unwrap(), *pauses.iter().max().unwrap());
    assert!(shortest >= EVERY.mul_f64(0.9) && longest <= EVERY.mul_f64(1.1) + Duration::from_millis(2));
    assert!(longest - shortest > EVERY / 20, "no jitter: {shortest:?} to {longest:?}");
    keeping.abort();
}
