//! Changing a map: all of it, or one rule. Every change is conditional on the version that it is based on, and every
//! map is built before it is stored, so that an invalid one cannot be.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    Delete, DeleteRequest, Put, PutRequest, ReturnValue, TransactWriteItem, Update, WriteRequest,
};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use replace::{Engine, Rule, Rules};

use super::item::{self, Item, LONGEST_MATCH, LONGEST_RULE, PARTITION_KEY, SORT_KEY};
use super::read::PAGE;
use super::{MapTable, Placed, Revision, Snapshot, TableError};
use crate::AwsError;

/// What BatchWriteItem takes.
const BATCH: usize = 25;

/// Batches in flight: enough to hide the round trips, few enough for a new on-demand table (4,000 writes a second).
const WRITERS: usize = 8;

/// How often the items that DynamoDB did not take from a batch are offered again, and the pause before the first time;
/// it doubles each time, so they have about 50 s.
const OFFERS: u32 = 10;
const FIRST_PAUSE: Duration = Duration::from_millis(50);

impl MapTable {
    /// Stores a whole map in place of the one that `base` was read from. `progress` is called with the number of rules
    /// written so far.
    pub async fn put(
        &self,
        base: Option<Revision>,
        rules: &Rules,
        progress: impl FnMut(usize),
    ) -> Result<Revision, TableError> {
        check(rules)?;
        let revision = Revision {
            generation: self.begin_generation().await?,
            version: base.map_or(1, |base| base.version + 1),
            rules: rules.len() as u64,
            next_position: rules.len() as u64,
        };
        let items = rules.iter().zip(0..).map(|(rule, position)| {
            let item = Placed { position, rule: rule.clone() }.to_item(revision.generation);
            let put = PutRequest::builder().set_item(Some(item)).build().expect("an item is set");
            WriteRequest::builder().put_request(put).build()
        });
        self.write_all(items.collect(), progress).await?;
        match self.point_at(revision, base).await {
            Ok(()) => {}
            Err(TableError::Conflict) => {
                self.delete_generations(|generation| generation == revision.generation).await?;
                return Err(TableError::Conflict);
            }
            Err(error) => return Err(error),
        }
        // Older ones only: a newer one is another put at work. The first has none before it.
        if revision.generation > 1 {
            self.delete_generations(|generation| generation < revision.generation)
                .await
                .map_err(|error| TableError::NotTidied(Box::new(error)))?;
        }
        Ok(revision)
    }

    /// Adds `rule` to the map, or puts it in the place of the one with the same match text.
    pub async fn set(&self, base: &Snapshot, rule: Rule) -> Result<Revision, TableError> {
        let Some(revision) = base.revision else {
            return self.put(None, &Rules::from_iter([rule]), |_| ()).await;
        };
        let found = base.find(&rule.pattern);
        let position = found.map_or(revision.next_position, |at| base.rules[at].position);
        let placed = Placed { position, rule: rule.clone() };
        let mut rules: Vec<_> = base.rules().cloned().collect();
        match found {
            Some(at) => rules[at] = rule,
            None => rules.push(rule),
        }
        let rules = Rules::from_iter(rules);
        check(&rules)?;

        let put = Put::builder().table_name(&self.table).set_item(Some(placed.to_item(revision.generation)));
        let write = TransactWriteItem::builder().put(put.build().expect("table and item are set")).build();
        let next_position = revision.next_position.max(position + 1);
        self.change(write, revision, Revision { rules: rules.len() as u64, next_position, ..revision }).await
    }

    /// Takes the rule with this match text out of the map.
    pub async fn delete(&self, base: &Snapshot, pattern: &str) -> Result<Revision, TableError> {
        let (Some(revision), Some(at)) = (base.revision, base.find(pattern)) else {
            return Err(TableError::NoSuchRule(pattern.to_owned()));
        };
        let mut rules: Vec<_> = base.rules().cloned().collect();
        rules.remove(at);
        let rules = Rules::from_iter(rules);
        check(&rules)?;

        let delete =
            Delete::builder().table_name(&self.table).set_key(Some(item::rule_key(revision.generation, pattern)));
        let write = TransactWriteItem::builder().delete(delete.build().expect("table and key are set")).build();
        self.change(write, revision, Revision { rules: rules.len() as u64, ..revision }).await
    }

    /// One rule's write and the version's, both or neither.
    async fn change(&self, rule: TransactWriteItem, base: Revision, new: Revision) -> Result<Revision, TableError> {
        let new = Revision { version: base.version + 1, ..new };
        let version = Update::builder()
            .table_name(&self.table)
            .set_key(Some(item::version_key()))
            .condition_expression("#generation = :generation AND #version = :base")
            .update_expression("SET #version = :version, #rules = :rules, #next_position = :next_position")
            .expression_attribute_names("#generation", "generation")
            .expression_attribute_names("#version", "version")
            .expression_attribute_names("#rules", "rules")
            .expression_attribute_names("#next_position", "next_position")
            .expression_attribute_values(":generation", item::number(base.generation))
            .expression_attribute_values(":base", item::number(base.version))
            .expression_attribute_values(":version", item::number(new.version))
            .expression_attribute_values(":rules", item::number(new.rules))
            .expression_attribute_values(":next_position", item::number(new.next_position))
            .build()
            .expect("table, key and expression are set");
        self.client
            .transact_write_items()
            .transact_items(rule)
            .transact_items(TransactWriteItem::builder().update(version).build())
            .send()
            .await
            .map_err(|error| match error.as_service_error() {
                Some(TransactWriteItemsError::TransactionCanceledException(canceled))
                    if canceled.cancellation_reasons().iter().any(|reason| {
                        matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict"))
                    }) =>
                {
                    TableError::Conflict
                }
                _ => AwsError::new("TransactWriteItems", &error).into(),
            })?;
        Ok(new)
    }

    /// A generation that nobody else writes: not even two puts at a time, or one after another that was interrupted.
    async fn begin_generation(&self) -> Result<u64, TableError> {
        let answer = self
            .client
            .update_item()
            .table_name(&self.table)
            .set_key(Some(item::generations_key()))
            .update_expression("ADD #last :one")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":one", item::number(1))
            .return_values(ReturnValue::UpdatedNew)
            .send()
            .await
            .map_err(|error| AwsError::new("UpdateItem", &error))?;
        answer
            .attributes()
            .and_then(|attributes| item::read_number(attributes, "last"))
            .ok_or_else(|| TableError::Corrupt("the item of generations has no number `last`".into()))
    }

    async fn point_at(&self, revision: Revision, base: Option<Revision>) -> Result<(), TableError> {
        let put = self.client.put_item().table_name(&self.table).set_item(Some(revision.to_item()));
        let put = match base {
            None => {
                put.condition_expression("attribute_not_exists(#pk)").expression_attribute_names("#pk", PARTITION_KEY)
            }
            Some(base) => put
                .condition_expression("#generation = :generation AND #version = :version")
                .expression_attribute_names("#generation", "generation")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":generation", item::number(base.generation))
                .expression_attribute_values(":version", item::number(base.version)),
        };
        match put.send().await {
            Ok(_) => Ok(()),
            // A first try whose answer was lost has already pointed at it, and the second then finds that it moved.
            Err(error) if is_failed_condition(&error) && self.revision().await? == Some(revision) => Ok(()),
            Err(error) if is_failed_condition(&error) => Err(TableError::Conflict),
            Err(error) => Err(AwsError::new("PutItem", &error).into()),
        }
    }

    /// Deletes the rule items of the generations that `fits` says, wherever they come from.
    async fn delete_generations(&self, fits: impl Fn(u64) -> bool) -> Result<(), TableError> {
        let mut after: Option<Item> = None;
        loop {
            let page = self
                .client
                .scan()
                .table_name(&self.table)
                .projection_expression("#pk, #sk")
                .expression_attribute_names("#pk", PARTITION_KEY)
                .expression_attribute_names("#sk", SORT_KEY)
                .limit(PAGE)
                .set_exclusive_start_key(after)
                .send()
                .await
                .map_err(|error| AwsError::new("Scan", &error))?;
            let obsolete = page.items.unwrap_or_default().into_iter().filter(|key| {
                let partition = key.get(PARTITION_KEY).and_then(|partition| partition.as_s().ok());
                partition.and_then(|partition| item::generation(partition)).is_some_and(&fits)
            });
            let deletes = obsolete.map(|key| {
                let delete = DeleteRequest::builder().set_key(Some(key)).build().expect("a key is set");
                WriteRequest::builder().delete_request(delete).build()
            });
            self.write_all(deletes.collect(), |_| ()).await?;
            after = page.last_evaluated_key.filter(|key| !key.is_empty());
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn write_all(
        &self,
        mut writes: Vec<WriteRequest>,
        mut progress: impl FnMut(usize),
    ) -> Result<(), TableError> {
        let mut batches = Vec::with_capacity(writes.len().div_ceil(BATCH));
        while !writes.is_empty() {
            batches.push(self.write_batch(writes.split_off(writes.len().saturating_sub(BATCH))));
        }
        let mut written = stream::iter(batches).buffer_unordered(WRITERS);
        let mut total = 0;
        while let Some(count) = written.try_next().await? {
            total += count;
            progress(total);
        }
        Ok(())
    }

    async fn write_batch(&self, batch: Vec<WriteRequest>) -> Result<usize, TableError> {
        let count = batch.len();
        let mut left = HashMap::from([(self.table.clone(), batch)]);
        let mut pause = FIRST_PAUSE;
        for _ in 0..OFFERS {
            let answer = self
                .client
                .batch_write_item()
                .set_request_items(Some(left))
                .send()
                .await
                .map_err(|error| AwsError::new("BatchWriteItem", &error))?;
            left = answer.unprocessed_items.unwrap_or_default();
            if left.values().all(Vec::is_empty) {
                return Ok(count);
            }
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        Err(TableError::Unprocessed(left.values().map(Vec::len).sum()))
    }
}

fn is_failed_condition<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    error.as_service_error().and_then(ProvideErrorMetadata::code) == Some("ConditionalCheckFailedException")
}

/// Whether these rules are a valid map, and one that fits into a table.
fn check(rules: &Rules) -> Result<(), TableError> {
    Engine::new(rules)?;
    let mut seen = HashMap::with_capacity(rules.len());
    for (rule, position) in rules.iter().zip(1..) {
        let unfit = |reason: String| {
            Err(TableError::Unfit { position, start: rule.pattern.chars().take(40).collect(), reason })
        };
        if rule.pattern.len() > LONGEST_MATCH {
            return unfit(format!(
                "its match text has {} bytes; the table's sort key takes {LONGEST_MATCH}",
                rule.pattern.len()
            ));
        }
        if rule.pattern.len() + rule.replace.len() > LONGEST_RULE {
            return unfit(format!(
                "its texts have {} bytes; an item of the table takes {LONGEST_RULE}",
                rule.pattern.len() + rule.replace.len()
            ));
        }
        // Rules of different kinds may share a text as far as the engine is concerned, but not a key.
        if let Some(first) = seen.insert(&rule.pattern, position) {
            return unfit(format!("rule {first} has the same match text, which is the key in a table"));
        }
    }
    Ok(())
}
