//! A map in a DynamoDB table: for maps beyond a parameter's 8 KB, and for changing one rule alone.
//!
//! The table has a partition key `pk` and a sort key `sk`, both strings, and holds:
//!
//! | `pk` | `sk` | attributes |
//! |---|---|---|
//! | `version` | `version` | `generation`, `version`, `rules`, `next_position`: which rule items are the map |
//! | `version` | `generations` | `last`: the highest generation that was ever begun |
//! | `g<generation>#<shard>` | the rule's match text | `replace`, `kind`, `case_sensitive`, `whole_word`, `position` |
//!
//! Each put of a whole map writes a generation of its own, then points the version item at it, and deletes the others
//! last; a change of one rule writes the rule and the version item in one transaction. Both are conditional on the
//! version that they started from. A reader reads the version item before and after the rules, and starts again when it
//! moved meanwhile: nobody ever serves a mixture. The 16 shards, by a hash of the match text, are read in parallel, and
//! keep a map of 100,000 rules from queueing at one DynamoDB partition.

mod item;
mod read;
mod write;

use aws_sdk_dynamodb::Client;
use env::{BadVariable, Env};
use mapping::{Fetched, Fetching, Source, SourceError, Version};
use replace::{Rule, Rules, RulesError};

use crate::{AwsError, connection};

/// A DynamoDB table that holds a map.
pub struct MapTable {
    client: Client,
    table: String,
    name: String,
}

impl MapTable {
    /// The table called `table`; nothing is read yet.
    pub fn new(table: &str, env: &Env) -> Result<Self, BadVariable> {
        let client = Client::new(&connection::config(env, "AWS_ENDPOINT_URL_DYNAMODB")?);
        Ok(Self { client, table: table.to_owned(), name: format!("dynamodb:{table}") })
    }
}

impl Source for MapTable {
    fn fetch<'a>(&'a self, serving: Option<&'a Version>) -> Fetching<'a> {
        Box::pin(async move {
            let revision = self.revision().await?.ok_or(TableError::Empty)?;
            if serving == Some(&revision.version()) {
                return Ok(Fetched::Unchanged);
            }
            let snapshot = self.read_from(Some(revision)).await?;
            let revision = snapshot.revision.ok_or(TableError::Empty)?;
            Ok(Fetched::Changed { version: revision.version(), rules: snapshot.into_rules() })
        })
    }

    fn name(&self) -> &str {
        &self.name
    }
}

/// The version item: which rule items are the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revision {
    generation: u64,
    version: u64,
    rules: u64,
    next_position: u64,
}

impl Revision {
    /// `generation.version`: the version counts each change, and the generation tells apart two maps that both began
    /// at 1, should somebody have emptied the table by hand.
    pub fn version(&self) -> Version {
        Version::new(format_args!("{}.{}", self.generation, self.version))
    }
}

/// A map as it was read, to be listed or to base a change on.
#[derive(Debug, Default)]
pub struct Snapshot {
    revision: Option<Revision>,
    /// In document order.
    rules: Vec<Placed>,
}

impl Snapshot {
    /// Its revision; `None` if the table holds no map.
    pub fn revision(&self) -> Option<Revision> {
        self.revision
    }

    /// Its rules, in document order.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().map(|placed| &placed.rule)
    }

    fn into_rules(self) -> Rules {
        self.rules.into_iter().map(|placed| placed.rule).collect()
    }

    fn find(&self, pattern: &str) -> Option<usize> {
        self.rules.iter().position(|placed| placed.rule.pattern == pattern)
    }
}

/// A rule and its place in document order.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Placed {
    position: u64,
    rule: Rule,
}

/// Why a table could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It holds no map.
    #[error("the table holds no map yet; put one with `switchyard-map put FILE`")]
    Empty,
    /// The map to be stored is not valid.
    #[error(transparent)]
    Invalid(#[from] RulesError),
    /// A rule of it is valid, but does not fit into the table.
    #[error("rule {position} ({start:?}): {reason}")]
    Unfit {
        /// Counted from 1.
        position: usize,
        /// The start of the match text.
        start: String,
        /// What is wrong.
        reason: String,
    },
    /// There is no rule with this match text.
    #[error("there is no rule that matches {0:?}")]
    NoSuchRule(String),
    /// Somebody else changed the map between the reading and the writing.
    #[error("the map was changed by somebody else meanwhile; nothing was stored, try again")]
    Conflict,
    /// The map changed on every try to read it whole.
    #[error("the map kept changing while it was read ({0} tries)")]
    Busy(u32),
    /// An item is not what this crate writes.
    #[error("the table holds something else than a map: {0}")]
    Corrupt(String),
    /// DynamoDB kept putting off a batch.
    #[error("DynamoDB left {0} items of a batch unwritten, however often it was asked")]
    Unprocessed(usize),
    /// The new map is stored and serves, but what it replaced could not be deleted. The next put deletes it.
    #[error("the map is stored; only the items that it replaced could not be deleted: {0}")]
    NotTidied(Box<TableError>),
    /// A request failed.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl From<TableError> for SourceError {
    fn from(error: TableError) -> Self {
        match error {
            TableError::Corrupt(_) => Self::invalid(error),
            error => Self::unavailable(error),
        }
    }
}
