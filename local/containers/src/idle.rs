//! When something last went either way.

use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use crate::target_group::lock;

/// Of one request and its response.
#[derive(Debug)]
pub struct Progress(Mutex<Instant>);

impl Progress {
    /// Now.
    pub fn new() -> Self {
        Self(Mutex::new(Instant::now()))
    }

    /// Something went.
    pub fn made(&self) {
        *lock(&self.0) = Instant::now();
    }

    /// When something last did.
    pub fn last(&self) -> Instant {
        *lock(&self.0)
    }

    /// Returns when nothing has gone for so long.
    pub async fn quiet_for(&self, time: Duration) {
        loop {
            let until = self.last() + time;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until).await;
        }
    }
}
