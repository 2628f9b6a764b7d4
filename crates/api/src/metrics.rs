//! What is counted, and the line that tells CloudWatch.
//!
//! CloudWatch makes metrics of log lines in its embedded metric format (EMF), so nothing is called: a process that runs
//! all the time writes a line a minute and one at its end, a Lambda function one where there is something to tell.
//! Counting is a few atomic additions to a request.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use env::{BadVariable, Env};
use http::StatusCode;
use mapping::Mapping;
use serde_json::{Map, Value, json};

/// The CloudWatch namespace of all metrics.
pub const NAMESPACE: &str = "Switchyard";

/// The dimension that tells the services apart.
const DIMENSION: &str = "Service";

/// Counters since they were last told.
#[derive(Default)]
pub struct Metrics {
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    replacements: AtomicU64,
    /// Of all requests: so it counts them too.
    latency: Histogram,
    /// Failures are counted by the mapping, for ever; this is how many of them were told.
    refresh_failures_told: AtomicU64,
}

impl Metrics {
    /// Reads `METRICS_SERVICE`: what the metrics' dimension says, `binary` if it says nothing else. Deployments that share
    /// an account need names of their own, or CloudWatch adds them up.
    pub fn service_from_env(env: &Env, binary: &str) -> Result<String, BadVariable> {
        // What CloudWatch takes as a dimension's value.
        let expected = "1 to 1024 printable ASCII characters";
        let fits =
            |value: &String| (1..=1024).contains(&value.len()) && value.bytes().all(|b| (b' '..=b'~').contains(&b));
        Ok(env.parse_if("METRICS_SERVICE", expected, fits)?.unwrap_or_else(|| binary.to_owned()))
    }

    /// Counts a request that was answered with `status` after `took`.
    pub fn answered(&self, status: StatusCode, took: Duration) {
        match status.as_u16() {
            400..=499 => _ = self.client_errors.fetch_add(1, Relaxed),
            500.. => _ = self.server_errors.fetch_add(1, Relaxed),
            _ => {}
        }
        self.latency.record(took);
    }

    /// Counts replacements made in a text.
    pub(crate) fn replaced(&self, replacements: usize) {
        if replacements > 0 {
            self.replacements.fetch_add(replacements as u64, Relaxed);
        }
    }

    /// The line for what was counted since the last one, without a line feed. `service` becomes its dimension. The
    /// map's age is left out until a map is loaded, the latency when there were no requests.
    pub fn take_line(&self, service: &str, mapping: &Mapping, now: SystemTime) -> String {
        let failures = mapping.failures();
        let (requests, latency) = self.latency.take();
        let mut values = vec![
            ("Requests", "Count", json!(requests)),
            ("ClientErrors", "Count", json!(self.client_errors.swap(0, Relaxed))),
            ("ServerErrors", "Count", json!(self.server_errors.swap(0, Relaxed))),
            ("Replacements", "Count", json!(self.replacements.swap(0, Relaxed))),
            (
                "MapRefreshFailures",
                "Count",
                json!(failures.saturating_sub(self.refresh_failures_told.swap(failures, Relaxed))),
            ),
        ];
        if let Some(loaded) = mapping.status().loaded {
            values.push(("MapAge", "Seconds", json!(loaded.age.as_secs())));
        }
        if let Some(latency) = latency {
            values.push(("Latency", "Milliseconds", latency));
        }
        let definitions: Vec<_> = values.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
        let milliseconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let mut line = Map::from_iter([
            (
                "_aws".to_owned(),
                json!({
                    "Timestamp": milliseconds,
                    "CloudWatchMetrics": [
                        {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": definitions},
                    ],
                }),
            ),
            (DIMENSION.to_owned(), json!(service)),
        ]);
        line.extend(values.into_iter().map(|(name, _, value)| (name.to_owned(), value)));
        Value::Object(line).to_string()
    }
}

/// Durations, counted in buckets that grow by a quarter of a power of two: each is told as its middle, so a percentile
/// is within an eighth of the truth.
struct Histogram {
    buckets: [AtomicU64; Histogram::BUCKETS],
}

impl Histogram {
    /// EMF takes at most 100 values of a metric in a line.
    const BUCKETS: usize = 96;
    /// The first bucket starts at 2^4 = 16 µs, the last ends at 2^28 µs, over four minutes. What is outside counts to
    /// the nearest.
    const LOWEST: u64 = 4;
    const HIGHEST: u64 = Self::LOWEST + Self::BUCKETS as u64 / 4;

    fn record(&self, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.buckets[Self::bucket(micros)].fetch_add(1, Relaxed);
    }

    fn bucket(micros: u64) -> usize {
        let micros = micros.clamp(1 << Self::LOWEST, (1 << Self::HIGHEST) - 1);
        let octave = u64::from(micros.ilog2());
        let quarter = (micros >> (octave - 2)) & 3;
        ((octave - Self::LOWEST) * 4 + quarter) as usize
    }

    /// The middle of a bucket, in milliseconds.
    fn middle(bucket: usize) -> f64 {
        let (octave, quarter) = (bucket as u64 / 4 + Self::LOWEST, bucket as u64 % 4);
        let width = (1_u64 << octave) / 4;
        let micros = (1 << octave) + quarter * width + width / 2;
        micros as f64 / 1000.0
    }

    /// How many there were since the last time, and their counts in the form that CloudWatch's own agent writes: values and
    /// how often each occurred. (A plain array of values, the other form there is, would have to repeat each of them.)
    fn take(&self) -> (u64, Option<Value>) {
        let (mut values, mut counts) = (Vec::new(), Vec::new());
        let (mut sum, mut total) = (0.0, 0);
        for (bucket, count) in self.buckets.iter().enumerate() {
            let count = count.swap(0, Relaxed);
            if count > 0 {
                let value = Self::middle(bucket);
                values.push(value);
                counts.push(count);
                sum += value * count as f64;
                total += count;
            }
        }
        let ends = values.first().zip(values.last());
        let told = ends.map(|(min, max)| {
            json!({"Values": values, "Counts": counts, "Min": min, "Max": max, "Sum": sum, "Count": total})
        });
        (total, told)
    }
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_the_binary_unless_it_is_named() {
        let read = |value: &str| Metrics::service_from_env(&Env::from_iter([("METRICS_SERVICE", value)]), "binary");
        assert_eq!(read("").as_deref(), Ok("binary"));
        assert_eq!(read("switchyard-test").as_deref(), Ok("switchyard-test"));
        for bad in [" ".to_owned(), "a\nb".to_owned(), "é".to_owned(), "x".repeat(1025)] {
            let expected =
                format!("METRICS_SERVICE={bad:?} cannot be used: it should be 1 to 1024 printable ASCII characters");
            assert_eq!(read(&bad).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn a_bucket_tells_what_it_counts_within_an_eighth() {
        for micros in (16..100_000).chain([1_000_000, 59_999_999, 200_000_000]) {
            let told = Histogram::middle(Histogram::bucket(micros)) * 1000.0;
            assert!((told / micros as f64 - 1.0).abs() <= 0.126, "{micros} µs told as {told}");
        }
    }

    #[test]
    fn durations_out_of_range_count_to_the_nearest_bucket() {
        assert_eq!(Histogram::bucket(0), 0);
        assert_eq!(Histogram::bucket(u64::MAX), Histogram::BUCKETS - 1);
    }
}
