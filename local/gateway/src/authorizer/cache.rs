//! Answers of authorizers, remembered for a while by the caller's identity alone: the path and the method are no part of
//! the key, so an answer must hold for the whole stage.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use super::Identity;

/// More than these are not remembered at a time; the oldest make room.
const MOST_ANSWERS: usize = 10_000;

#[derive(Debug, Default)]
pub(crate) struct AuthorizerCache(Mutex<HashMap<Key, Entry>>);

/// Whose answer: a stage's authorizer and an identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Key(Vec<String>);

#[derive(Debug)]
struct Entry {
    identity: Arc<Identity>,
    until: Instant,
}

impl Key {
    pub fn new(api_id: &str, stage: &str, authorizer: &str, identity: &[String]) -> Self {
        Self([api_id, stage, authorizer].into_iter().map(str::to_owned).chain(identity.iter().cloned()).collect())
    }
}

impl AuthorizerCache {
    pub fn find(&self, key: &Key, now: Instant) -> Option<Arc<Identity>> {
        let entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.get(key).filter(|entry| entry.until > now).map(|entry| Arc::clone(&entry.identity))
    }

    /// Remembers an answer; one that is remembered already keeps the end that it has.
    pub fn keep(&self, key: Key, identity: &Arc<Identity>, until: Instant, now: Instant) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if entries.get(&key).is_some_and(|entry| entry.until > now) {
            return;
        }
        if entries.len() >= MOST_ANSWERS {
            entries.retain(|_, entry| entry.until > now);
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.until).map(|(key, _)| key.clone());
            if let (true, Some(oldest)) = (entries.len() >= MOST_ANSWERS, oldest) {
                entries.remove(&oldest);
            }
        }
        entries.insert(key, Entry { identity: Arc::clone(identity), until });
    }

    /// Forgets the answers for stages that `keep` does not want, as a new deployment does in AWS.
    pub fn retain(&self, keep: impl Fn(&str, &str) -> bool) {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|Key(parts), _| keep(&parts[0], &parts[1]));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn identity() -> Arc<Identity> {
        let policy = r#"{"principalId":"me","policyDocument":{"Statement":[]}}"#;
        Arc::new(Identity::parse(policy.as_bytes()).unwrap())
    }

    #[test]
    fn an_answer_stands_until_its_end() {
        let (cache, now) = (AuthorizerCache::default(), Instant::now());
        let key = |token: &str| Key::new("a", "test", "mine", &[token.to_owned()]);
        let second = Duration::from_secs(1);
        cache.keep(key("t"), &identity(), now + second, now);
        // Being used does not make it last longer.
        cache.keep(key("t"), &identity(), now + 9 * second, now + second / 2);
        assert!(cache.find(&key("t"), now + second / 2).is_some());
        assert!(cache.find(&key("t"), now + second).is_none());
        assert!(cache.find(&key("other"), now).is_none());
        cache.retain(|api, stage| (api, stage) != ("a", "test"));
        assert!(cache.find(&key("t"), now).is_none());
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let (cache, now) = (AuthorizerCache::default(), Instant::now());
        let identity = identity();
        for index in 0..MOST_ANSWERS + 5 {
            let until = now + Duration::from_secs(1) + Duration::from_millis(index as u64);
            cache.keep(Key::new("a", "t", "m", &[index.to_string()]), &identity, until, now);
        }
        assert_eq!(cache.0.lock().unwrap().len(), MOST_ANSWERS);
        assert!(cache.find(&Key::new("a", "t", "m", &["0".into()]), now).is_none(), "the oldest made room");
    }
}
