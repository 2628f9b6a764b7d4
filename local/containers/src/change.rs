//! That something changed: who waits for a state looks again.

use tokio::sync::watch;

/// Counts changes of tasks, targets and deployments. Clones count together.
#[derive(Debug, Clone)]
pub struct Changes(watch::Sender<u64>);

impl Changes {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Something changed.
    pub fn record(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Sees every change from now on.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }

    /// Waits until `is_so`, which is asked again after each change.
    pub async fn until(&self, mut is_so: impl FnMut() -> bool) {
        let mut changes = self.watch();
        // Asked without holding anything of the channel's: it takes locks under which others record changes. The sender is
        // part of `self`, so it cannot be gone.
        while !is_so() {
            _ = changes.changed().await;
        }
    }
}
