//! Where a map comes from.

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use replace::{Rules, RulesError};

/// A place that holds a map: an SSM parameter, a DynamoDB table, a file.
///
/// One method, and no type of any SDK in it: the crates that know AWS implement it, the rest of the service only sees
/// this.
pub trait Source: Send + Sync + 'static {
    /// Reads the map. `serving` is the version in use, if any: a source that can tell cheaply that nothing has changed
    /// answers [`Fetched::Unchanged`] instead of reading everything again.
    ///
    /// The caller bounds the time ([`crate::FETCH_TIMEOUT`]); a source has no time-out of its own to tune.
    fn fetch<'a>(&'a self, serving: Option<&'a Version>) -> Fetching<'a>;

    /// What this is, for people: `ssm:/switchyard/map`, `dynamodb:switchyard-map`, `file:/etc/map.json`, `built-in`.
    fn name(&self) -> &str;
}

/// The future of [`Source::fetch`].
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Fetched, SourceError>> + Send + 'a>>;

/// What a source answered.
#[derive(Debug)]
pub enum Fetched {
    /// The version in use is still the newest.
    Unchanged,
    /// Another version, whole.
    Changed {
        /// Its version, in the source's own terms.
        version: Version,
        /// Its rules.
        rules: Rules,
    },
}

/// A map's version as its source counts: SSM's parameter version, the table's version item, a file's hash. Compared for
/// equality only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version(String);

impl Version {
    /// Wraps the source's own term for the version.
    pub fn new(version: impl ToString) -> Self {
        Self(version.to_string())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why no map could be had.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The source could not be read. The cause is for the log.
    #[error("the source could not be read: {0}")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// It was read, but holds no valid map. The cause names the rule at fault.
    #[error("the map is not valid: {0}")]
    Invalid(#[source] Box<dyn Error + Send + Sync>),
}

impl From<RulesError> for SourceError {
    fn from(fault: RulesError) -> Self {
        Self::invalid(fault)
    }
}

impl SourceError {
    /// Wraps the error of whatever was asked.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// Wraps what is wrong with the map.
    pub fn invalid(fault: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Invalid(fault.into())
    }
}
