//! Receipts of published bodies, in a DynamoDB table with the partition key `id`, a string.
//!
//! | attribute | what it is |
//! |---|---|
//! | `principal` | who sent the body |
//! | `status` | `processing`, `done` or `failed` |
//! | `attempts` | how many were begun |
//! | `lease_until` | when whoever is processing is taken for dead, in milliseconds since 1970 |
//! | `size` | of the result in bytes, once it is there |
//! | `reason` | why the last attempt failed |
//! | `expires_at` | when DynamoDB may delete the item, in seconds since 1970 |

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use env::{BadVariable, Env};
use publish::{Begun, Id, Receipt, Receipts, Status, StoreError, Storing};

use crate::{AwsError, connection};

/// As long as the bodies themselves are kept.
const KEEP: Duration = Duration::from_secs(14 * 24 * 3600);

const PROCESSING: &str = "processing";
const DONE: &str = "done";
const FAILED: &str = "failed";

type Item = HashMap<String, AttributeValue>;

/// A DynamoDB table of receipts.
pub struct ReceiptTable {
    client: Client,
    table: String,
    lease: Duration,
}

impl ReceiptTable {
    /// The table called `table`, with attempts that are taken for dead after `lease`; nothing is read yet.
    pub fn new(table: &str, lease: Duration, env: &Env) -> Result<Self, BadVariable> {
        let client = Client::new(&connection::config(env, "AWS_ENDPOINT_URL_DYNAMODB")?);
        Ok(Self { client, table: table.to_owned(), lease })
    }

    fn update(&self, id: &Id) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":processing", text(PROCESSING))
    }

    async fn begin_attempt(&self, id: &Id, principal: &str) -> Result<Begun, StoreError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(StoreError::new)?;
        let answer = self
            .update(id)
            .condition_expression(
                "attribute_not_exists(id) OR #status = :failed OR (#status = :processing AND lease_until <= :now)",
            )
            .update_expression(
                "SET #status = :processing, principal = :principal, lease_until = :until, expires_at = :expiry \
                 REMOVE reason ADD attempts :one",
            )
            .expression_attribute_values(":failed", text(FAILED))
            .expression_attribute_values(":principal", text(principal))
            .expression_attribute_values(":now", number(now.as_millis()))
            .expression_attribute_values(":until", number((now + self.lease).as_millis()))
            .expression_attribute_values(":expiry", number((now + KEEP).as_secs()))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::UpdatedNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        let refused = match answer {
            Ok(answer) => return Ok(Begun::Attempt(number_of(answer.attributes(), "attempts")?)),
            Err(error) => error,
        };
        let condition = refused.as_service_error().and_then(|error| match error {
            aws_sdk_dynamodb::operation::update_item::UpdateItemError::ConditionalCheckFailedException(failed) => {
                Some(failed)
            }
            _ => None,
        });
        match condition.map(|failed| failed.item().and_then(|item| item.get("status"))) {
            Some(Some(AttributeValue::S(status))) if status == DONE => Ok(Begun::Done),
            Some(_) => Ok(Begun::Busy),
            None => Err(StoreError::new(AwsError::new("UpdateItem", &refused))),
        }
    }

    /// Ends an attempt; false, if the receipt has become another's.
    async fn end(
        &self,
        id: &Id,
        attempt: u64,
        status: &str,
        name: &str,
        value: AttributeValue,
    ) -> Result<bool, StoreError> {
        let answer = self
            .update(id)
            .condition_expression("#status = :processing AND attempts = :attempt")
            .update_expression("SET #status = :status, #name = :value REMOVE lease_until")
            .expression_attribute_names("#name", name)
            .expression_attribute_values(":attempt", number(attempt))
            .expression_attribute_values(":status", text(status))
            .expression_attribute_values(":value", value)
            .send()
            .await;
        match answer {
            Ok(_) => Ok(true),
            Err(error)
                if error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::new(AwsError::new("UpdateItem", &error))),
        }
    }

    async fn look_up(&self, id: &Id) -> Result<Option<Receipt>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("id", AttributeValue::S(id.to_string()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::new(AwsError::new("GetItem", &error)))?;
        answer.item().map(receipt).transpose()
    }
}

impl Receipts for ReceiptTable {
    fn begin<'a>(&'a self, id: &'a Id, principal: &'a str) -> Storing<'a, Begun> {
        Box::pin(self.begin_attempt(id, principal))
    }

    fn done<'a>(&'a self, id: &'a Id, attempt: u64, size: u64) -> Storing<'a, bool> {
        Box::pin(self.end(id, attempt, DONE, "size", number(size)))
    }

    fn failed<'a>(&'a self, id: &'a Id, attempt: u64, reason: &'a str) -> Storing<'a, bool> {
        Box::pin(self.end(id, attempt, FAILED, "reason", text(reason)))
    }

    fn find<'a>(&'a self, id: &'a Id) -> Storing<'a, Option<Receipt>> {
        Box::pin(self.look_up(id))
    }
}

fn receipt(item: &Item) -> Result<Receipt, StoreError> {
    let status = match text_of(item, "status")? {
        PROCESSING => Status::Processing,
        DONE => Status::Done { size: number_of(Some(item), "size")? },
        FAILED => Status::Failed { reason: text_of(item, "reason")?.to_owned() },
        other => return Err(StoreError::new(format!("a receipt's status is '{other}'"))),
    };
    let (principal, attempts) = (text_of(item, "principal")?.to_owned(), number_of(Some(item), "attempts")?);
    Ok(Receipt { principal, status, attempts })
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

fn number(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn text_of<'i>(item: &'i Item, name: &str) -> Result<&'i str, StoreError> {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map(String::as_str).ok_or_else(|| StoreError::new(format!("a receipt's '{name}' is not a string")))
}

fn number_of(item: Option<&Item>, name: &str) -> Result<u64, StoreError> {
    let value = item.and_then(|item| item.get(name)).and_then(|value| value.as_n().ok());
    let number = value.and_then(|text| text.parse().ok());
    number.ok_or_else(|| StoreError::new(format!("a receipt's '{name}' is not a whole number")))
}
