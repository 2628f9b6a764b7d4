//! Counting requests.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A window moves in so many steps, so that an instance's memory does not grow with its requests.
const STEPS: u32 = 60;
/// As many instances as WAF limits for one rule.
/// <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-rate-based-limitations.html>
const MOST_INSTANCES: usize = 10_000;

/// The requests that each aggregation instance of a rule made in the window that ends now.
#[derive(Debug)]
pub struct Counts {
    window: Duration,
    instances: Mutex<HashMap<String, Steps>>,
}

/// Requests by the step in which they came, oldest first.
#[derive(Debug, Default)]
struct Steps {
    counted: VecDeque<(Instant, u64)>,
    sum: u64,
}

impl Counts {
    pub fn new(window: Duration) -> Self {
        Self { window, instances: Mutex::default() }
    }

    /// Counts a request, and says how many there were in the window, this one included.
    pub fn count(&self, instance: &str, now: Instant) -> u64 {
        let mut instances = self.instances.lock().unwrap_or_else(PoisonError::into_inner);
        if !instances.contains_key(instance) && instances.len() >= MOST_INSTANCES {
            self.make_room(&mut instances, now);
        }
        let steps = instances.entry(instance.into()).or_default();
        steps.forget(self.window, now);
        match steps.counted.back_mut() {
            Some((began, requests)) if now.saturating_duration_since(*began) < self.window / STEPS => *requests += 1,
            _ => steps.counted.push_back((now, 1)),
        }
        steps.sum += 1;
        steps.sum
    }

    /// WAF keeps the instances with the highest rates, so those with the lowest go.
    fn make_room(&self, instances: &mut HashMap<String, Steps>, now: Instant) {
        instances.retain(|_, steps| {
            steps.forget(self.window, now);
            steps.sum > 0
        });
        if instances.len() >= MOST_INSTANCES {
            let mut sums: Vec<u64> = instances.values().map(|steps| steps.sum).collect();
            let (_, median, _) = sums.select_nth_unstable(MOST_INSTANCES / 2);
            let median = *median;
            let mut to_remove = MOST_INSTANCES / 2;
            instances.retain(|_, steps| {
                let stays = steps.sum > median || to_remove == 0;
                to_remove -= usize::from(!stays);
                stays
            });
        }
    }
}

impl Steps {
    fn forget(&mut self, window: Duration, now: Instant) {
        while let Some((began, requests)) = self.counted.front()
            && now.saturating_duration_since(*began) >= window
        {
            self.sum -= requests;
            self.counted.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(60);

    #[test]
    fn the_window_moves_with_the_clock() {
        let counts = Counts::new(WINDOW);
        let start = Instant::now();
        assert_eq!(counts.count("a", start), 1);
        assert_eq!(counts.count("a", start + WINDOW / 2), 2);
        assert_eq!(counts.count("a", start + WINDOW), 2, "the first is a window old");
        assert_eq!(counts.count("a", start + WINDOW * 3), 1, "all are");
    }

    #[test]
    fn instances_are_counted_apart() {
        let counts = Counts::new(WINDOW);
        let now = Instant::now();
        counts.count("a", now);
        assert_eq!(counts.count("b", now), 1);
        assert_eq!(counts.count("a", now), 2);
    }

    #[test]
    fn an_instance_takes_no_more_memory_than_the_steps_of_its_window() {
        let counts = Counts::new(WINDOW);
        let start = Instant::now();
        for millisecond in 0..200_000 {
            counts.count("a", start + Duration::from_millis(millisecond));
        }
        let instances = counts.instances.lock().unwrap();
        assert!(instances["a"].counted.len() <= STEPS as usize + 1, "{}", instances["a"].counted.len());
    }

    #[test]
    fn the_busiest_instance_survives_any_number_of_others() {
        let counts = Counts::new(WINDOW);
        let now = Instant::now();
        for _ in 0..50 {
            counts.count("busy", now);
        }
        for other in 0..3 * MOST_INSTANCES {
            counts.count(&other.to_string(), now);
        }
        assert!(counts.instances.lock().unwrap().len() <= MOST_INSTANCES);
        assert_eq!(counts.count("busy", now), 51);
    }
}
