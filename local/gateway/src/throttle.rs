//! Token buckets: how many requests at once, and how many per second.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::snapshot::Throttle;

/// All buckets, each under a name that says whose it is. They outlive a change of what is deployed, as they do in AWS.
#[derive(Debug, Default)]
pub(crate) struct Buckets(Mutex<HashMap<String, TokenBucket>>);

impl Buckets {
    /// Takes a token from the bucket of that name; `false` if there is none.
    pub fn take(&self, name: String, limit: Throttle, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buckets.entry(name).or_insert_with(|| TokenBucket::full(limit, now)).take(limit, now)
    }

    /// Forgets the buckets that `keep` does not want, so that those of what is gone do not pile up.
    pub fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|name, _| keep(name));
    }
}

#[derive(Debug)]
struct TokenBucket {
    tokens: f64,
    filled_at: Instant,
}

impl TokenBucket {
    fn full(limit: Throttle, now: Instant) -> Self {
        Self { tokens: limit.burst as f64, filled_at: now }
    }

    fn take(&mut self, limit: Throttle, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * limit.rate).min(limit.burst as f64);
        self.filled_at = now;
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let (buckets, start) = (Buckets::default(), Instant::now());
        let limit = Throttle { rate: 2.0, burst: 3 };
        let take = |milliseconds| buckets.take("a".into(), limit, start + Duration::from_millis(milliseconds));
        let taken: Vec<bool> = [0, 0, 0, 0, 400, 500, 500, 1000, 60_000, 60_000, 60_000, 60_000].map(take).into();
        let expected = [true, true, true, false, false, true, false, true, true, true, true, false];
        assert_eq!(taken, expected);
    }

    #[test]
    fn each_name_has_a_bucket_of_its_own() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        let limit = Throttle { rate: 0.0, burst: 1 };
        assert!(buckets.take("a".into(), limit, now) && buckets.take("b".into(), limit, now));
        assert!(!buckets.take("a".into(), limit, now));
    }

    #[test]
    fn a_raised_limit_is_in_effect_at_once() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        assert!(!buckets.take("a".into(), Throttle { rate: 0.0, burst: 0 }, now));
        let raised = Throttle { rate: 100.0, burst: 5 };
        assert!(buckets.take("a".into(), raised, now + Duration::from_millis(20)));
    }

    #[test]
    fn what_nobody_wants_is_forgotten() {
        let (buckets, now) = (Buckets::default(), Instant::now());
        let limit = Throttle { rate: 0.0, burst: 1 };
        assert!(buckets.take("a".into(), limit, now));
        buckets.retain(|name| name != "a");
        assert!(buckets.take("a".into(), limit, now), "a new bucket is full");
    }
}
