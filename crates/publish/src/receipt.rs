//! The receipt of a body, and where receipts are kept.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::str::FromStr;

/// The id of a published body: that of the request which brought it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(String);

/// It is no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is 1 to 64 letters, digits and hyphens")]
pub struct BadId;

impl FromStr for Id {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        if fits { Ok(Self(text.to_owned())) } else { Err(BadId) }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How far a body has come. One that has no receipt yet is captured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// An attempt is running, or died.
    Processing,
    /// The result is there.
    Done {
        /// Its size in bytes.
        size: u64,
    },
    /// The last attempt failed. Another may follow.
    Failed {
        /// Why, for whoever sent it.
        reason: String,
    },
}

/// What is known of a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Who sent it.
    pub principal: String,
    /// How far it has come.
    pub status: Status,
    /// How many attempts were begun.
    pub attempts: u64,
}

/// What a receipt says to somebody who wants to process the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begun {
    /// It is yours. The number is the attempt's, from 1; it is asked for again when you are done.
    Attempt(u64),
    /// Somebody else is at it.
    Busy,
    /// It was done before.
    Done,
}

/// A receipt on its way to or from where it is kept.
pub type Storing<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// Where receipts are kept. Each write is conditional on what the receipt says; two at the same time cannot both succeed.
pub trait Receipts: Send + Sync {
    /// Begins an attempt, unless the table in this crate's description says otherwise.
    fn begin<'a>(&'a self, id: &'a Id, principal: &'a str) -> Storing<'a, Begun>;

    /// Ends the attempt with a result of that size; false, if the receipt has become another attempt's.
    fn done<'a>(&'a self, id: &'a Id, attempt: u64, size: u64) -> Storing<'a, bool>;

    /// Ends the attempt without one; false, if the receipt has become another attempt's.
    fn failed<'a>(&'a self, id: &'a Id, attempt: u64, reason: &'a str) -> Storing<'a, bool>;

    /// The receipt of a body, if there is one.
    fn find<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Receipt>>;
}

/// The store gave no answer that can be relied on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl StoreError {
    /// For that reason.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn an_id_is_a_plain_word() {
        for id in ["c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "1", &"x".repeat(64)] {
            assert_eq!(id.parse::<Id>().unwrap().to_string(), id);
        }
        for id in ["", "a/b", "..", "a b", "é", &"x".repeat(65)] {
            assert!(id.parse::<Id>().is_err(), "{id}");
        }
    }
}
