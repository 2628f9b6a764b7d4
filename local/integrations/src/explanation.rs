//! What each step did, in the words of TestInvokeMethod's execution log.

use std::fmt;

/// Hears what each step did. Arguments are formatted only by a listener that wants them, so an explanation that nobody
/// asked for costs next to nothing.
pub trait Explain: Send + Sync {
    /// One line of the execution log, such as `Endpoint request URI: https://...`.
    fn say(&self, line: fmt::Arguments<'_>);
}

/// Nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Explain for Silent {
    fn say(&self, _: fmt::Arguments<'_>) {}
}
