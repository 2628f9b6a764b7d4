//! Reading a map whole, from many pages, as of one version.

use aws_sdk_dynamodb::types::AttributeValue;
use futures_util::stream::{FuturesUnordered, TryStreamExt};

use super::item::{self, Item};
use super::{MapTable, Placed, Revision, Snapshot, TableError};
use crate::AwsError;

/// A put deletes what it replaced, under the hands of whoever is reading that; the next try reads what it put.
const TRIES: u32 = 5;

/// Items per page. DynamoDB would fill pages up to 1 MB, which is several MB of memory once it is parsed, in each of
/// the 16 streams at a time.
pub(super) const PAGE: i32 = 1000;

impl MapTable {
    /// Reads the map as of one version; an empty [`Snapshot`] if the table holds none.
    pub async fn read(&self) -> Result<Snapshot, TableError> {
        let revision = self.revision().await?;
        self.read_from(revision).await
    }

    pub(super) async fn read_from(&self, mut revision: Option<Revision>) -> Result<Snapshot, TableError> {
        for _ in 0..TRIES {
            let Some(current) = revision else { return Ok(Snapshot::default()) };
            let rules = self.rules_of(current.generation).await;
            let now = self.revision().await?;
            if now == Some(current) {
                let rules = rules?;
                if rules.len() as u64 != current.rules {
                    return Err(TableError::Corrupt(format!(
                        "{} rule items where the version item says {}",
                        rules.len(),
                        current.rules
                    )));
                }
                return Ok(Snapshot { revision: Some(current), rules });
            }
            revision = now;
        }
        Err(TableError::Busy(TRIES))
    }

    /// Reads the version item alone; `None` if the table holds no map.
    pub async fn revision(&self) -> Result<Option<Revision>, TableError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .set_key(Some(item::version_key()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| AwsError::new("GetItem", &error))?;
        answer.item().map(Revision::from_item).transpose()
    }

    /// All rules of a generation, in document order.
    async fn rules_of(&self, generation: u64) -> Result<Vec<Placed>, TableError> {
        let shards: FuturesUnordered<_> =
            (0..item::SHARDS).map(|shard| self.shard(item::partition(generation, shard))).collect();
        let mut rules = shards.try_concat().await?;
        rules.sort_unstable_by(|a, b| (a.position, &a.rule.pattern).cmp(&(b.position, &b.rule.pattern)));
        Ok(rules)
    }

    async fn shard(&self, partition: String) -> Result<Vec<Placed>, TableError> {
        let mut rules = Vec::new();
        let mut after: Option<Item> = None;
        loop {
            // Consistent, because the version item is: a replica that lags would show a part of a new generation.
            let page = self
                .client
                .query()
                .table_name(&self.table)
                .key_condition_expression("#pk = :pk")
                .expression_attribute_names("#pk", item::PARTITION_KEY)
                .expression_attribute_values(":pk", AttributeValue::S(partition.clone()))
                .consistent_read(true)
                .limit(PAGE)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| AwsError::new("Query", &error))?;
            for item in page.items.unwrap_or_default() {
                rules.push(Placed::from_item(item)?);
            }
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return Ok(rules);
            }
        }
    }
}
