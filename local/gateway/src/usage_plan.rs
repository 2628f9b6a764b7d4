//! Usage plans: which keys open which stages, how fast and how often.
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-usage-plans.html>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Civil;
use crate::snapshot::{ApiKey, Period, Quota, Throttle, UsagePlan};

/// All API keys by value, and their plans.
#[derive(Debug, Default)]
pub(crate) struct KeyRing {
    keys: HashMap<String, Arc<ApiKey>>,
    /// (key, API, stage) → what the key may do there.
    grants: HashMap<(String, String, String), Arc<Grant>>,
}

/// What a plan allows each of its keys on one stage.
#[derive(Debug)]
pub(crate) struct Grant {
    pub plan_id: String,
    pub throttle: Option<Throttle>,
    pub quota: Option<Quota>,
    pub method_throttles: HashMap<String, Throttle>,
}

impl KeyRing {
    pub fn new(keys: &[ApiKey], plans: &[UsagePlan]) -> Self {
        let mut grants = HashMap::new();
        for plan in plans {
            for stage in &plan.stages {
                let grant = Arc::new(Grant {
                    plan_id: plan.id.clone(),
                    throttle: plan.throttle,
                    quota: plan.quota,
                    method_throttles: stage.method_throttles.clone(),
                });
                for key in &plan.key_ids {
                    grants.insert((key.clone(), stage.api_id.clone(), stage.stage.clone()), Arc::clone(&grant));
                }
            }
        }
        let keys = keys.iter().map(|key| (key.value.clone(), Arc::new(key.clone()))).collect();
        Self { keys, grants }
    }

    /// The key of that value, and what it may do on a stage.
    ///
    /// # Errors
    /// Why it may do nothing, for the execution log.
    pub fn find(&self, value: &str, api_id: &str, stage: &str) -> Result<(Arc<ApiKey>, Arc<Grant>), &'static str> {
        let key = self.keys.get(value).ok_or("API Key not found")?;
        if !key.enabled {
            return Err("API Key is disabled");
        }
        let grant = self.grants.get(&(key.id.clone(), api_id.to_owned(), stage.to_owned()));
        let grant = grant.ok_or("API Key is in no usage plan of this stage")?;
        Ok((Arc::clone(key), Arc::clone(grant)))
    }
}

/// How many requests each key has made in the current period of each plan. It outlives a change of what is deployed.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<HashMap<(String, String), Count>>);

#[derive(Debug)]
struct Count {
    period: u64,
    first_period: u64,
    used: u64,
}

impl Usage {
    /// Counts a request; `false` if the quota is used up.
    pub fn count(&self, plan_id: &str, key_id: &str, quota: Quota, now: Civil) -> bool {
        let current = number(quota.period, now);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry((plan_id.to_owned(), key_id.to_owned())).or_insert(Count {
            period: current,
            first_period: current,
            used: 0,
        });
        if count.period != current {
            count.period = current;
            count.used = 0;
        }
        let offset = if count.period == count.first_period { quota.offset } else { 0 };
        if count.used >= quota.limit.saturating_sub(offset) {
            return false;
        }
        count.used += 1;
        true
    }
}

/// The number of a period: the same for all points in time in it.
fn number(period: Period, now: Civil) -> u64 {
    match period {
        Period::Day => now.day_number,
        Period::Week => (now.day_number - now.weekday().min(now.day_number)) / 7,
        Period::Month => now.year * 12 + now.month,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::PlanStage;

    const DAY: u64 = 24 * 60 * 60 * 1000;
    /// Friday, 2026-01-30.
    const FRIDAY: u64 = 20_483 * DAY;

    fn key(id: &str, enabled: bool) -> ApiKey {
        ApiKey { id: id.into(), name: id.into(), value: format!("value-{id}"), enabled }
    }

    fn plan() -> UsagePlan {
        UsagePlan {
            id: "p".into(),
            stages: vec![PlanStage { api_id: "a".into(), stage: "test".into(), ..Default::default() }],
            key_ids: vec!["k".into(), "off".into()],
            ..Default::default()
        }
    }

    #[test]
    fn a_key_opens_the_stages_of_its_plans() {
        let ring = KeyRing::new(&[key("k", true), key("off", false), key("lone", true)], &[plan()]);
        let (found, grant) = ring.find("value-k", "a", "test").unwrap();
        assert_eq!((found.id.as_str(), grant.plan_id.as_str()), ("k", "p"));
        for (value, stage, expected) in [
            ("value-k", "prod", "API Key is in no usage plan of this stage"),
            ("value-lone", "test", "API Key is in no usage plan of this stage"),
            ("value-off", "test", "API Key is disabled"),
            ("k", "test", "API Key not found"),
            ("", "test", "API Key not found"),
        ] {
            assert_eq!(ring.find(value, "a", stage).unwrap_err(), expected, "{value} {stage}");
        }
    }

    #[test]
    fn a_quota_begins_again_with_each_period() {
        for (period, next) in
            [(Period::Day, FRIDAY + DAY), (Period::Week, FRIDAY + 2 * DAY), (Period::Month, FRIDAY + 2 * DAY)]
        {
            let usage = Usage::default();
            let quota = Quota { limit: 2, offset: 1, period };
            let count = |at| usage.count("p", "k", quota, Civil::at(at));
            assert_eq!([count(FRIDAY), count(FRIDAY + DAY - 1)], [true, false], "{period:?}: the offset is taken off");
            assert_eq!([count(next), count(next), count(next)], [true, true, false], "{period:?}");
        }
    }

    #[test]
    fn each_key_has_the_whole_quota() {
        let usage = Usage::default();
        let quota = Quota { limit: 1, offset: 0, period: Period::Day };
        let now = Civil::at(FRIDAY);
        assert!(usage.count("p", "a", quota, now) && usage.count("p", "b", quota, now));
        assert!(!usage.count("p", "a", quota, now));
    }
}
