//! When the process has to end.

use std::{os::unix::process::parent_id, time::Duration};

use tokio::{
    signal::unix::{SignalKind, signal},
    time::sleep,
};
use tracing::info;

/// A parent that is killed cannot tell its children; a child whose parent is gone gets a new one. This often, it looks.
const PARENT_CHECK: Duration = Duration::from_millis(500);

/// The parent that the process has at its start.
#[derive(Debug, Clone, Copy)]
pub struct Parent(u32);

impl Parent {
    pub fn now() -> Self {
        Self(parent_id())
    }
}

/// Resolves on SIGTERM, on SIGINT, and when the parent is gone.
///
/// # Errors
/// When the signals cannot be heard.
pub async fn asked(parent: Parent) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let reason = tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
        () = orphaned(parent) => "whoever started it is gone",
    };
    info!(target: "data_plane", "ending: {reason}");
    Ok(())
}

async fn orphaned(parent: Parent) {
    while parent_id() == parent.0 {
        sleep(PARENT_CHECK).await;
    }
}
