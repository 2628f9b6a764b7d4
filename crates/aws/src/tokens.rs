//! The tokens of those who may call, in a DynamoDB table. `scripts/main.py token` writes it.
//!
//! The table has a partition key `pk`, a string, and holds for each token
//!
//! | `pk` | attributes |
//! |---|---|
//! | `token#<SHA-256 in hexadecimal>` | `name`, `scopes` (string set), `expires_at` (seconds since 1970; may be missing), `disabled` |
//! | `name#<name>` | `digest`: which token has this name, so that a name is given once |

use std::collections::HashMap;

use ::tokens::{Digest, Grant, Looking, Store, StoreError};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use env::{BadVariable, Env};

use crate::{AwsError, connection};

/// A DynamoDB table of tokens.
pub struct TokenTable {
    client: Client,
    table: String,
}

impl TokenTable {
    /// The table called `table`; nothing is read yet.
    pub fn new(table: &str, env: &Env) -> Result<Self, BadVariable> {
        let client = Client::new(&connection::config(env, "AWS_ENDPOINT_URL_DYNAMODB")?);
        Ok(Self { client, table: table.to_owned() })
    }

    async fn look_up(&self, digest: Digest) -> Result<Option<Grant>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(format!("token#{digest}")))
            // A token that was revoked a moment ago must not come in.
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| StoreError::new(AwsError::new("GetItem", &error)))?;
        answer.item().map(grant).transpose()
    }
}

impl Store for TokenTable {
    fn find(&self, digest: Digest) -> Looking<'_> {
        Box::pin(self.look_up(digest))
    }
}

/// Reads an item. One that is not what it should be lets nobody in: it may have lost the very attribute that says so.
fn grant(item: &HashMap<String, AttributeValue>) -> Result<Grant, StoreError> {
    let wrong = |name: &str, expected: &str| StoreError::new(format!("a token's attribute '{name}' is not {expected}"));
    let name = item.get("name").and_then(|value| value.as_s().ok()).ok_or_else(|| wrong("name", "a string"))?;
    let scopes =
        item.get("scopes").and_then(|value| value.as_ss().ok()).ok_or_else(|| wrong("scopes", "a string set"))?;
    let disabled =
        item.get("disabled").and_then(|value| value.as_bool().ok()).ok_or_else(|| wrong("disabled", "a boolean"))?;
    let expires_at = item
        .get("expires_at")
        .map(|value| value.as_n().ok().and_then(|number| number.parse().ok()))
        .map(|seconds| seconds.ok_or_else(|| wrong("expires_at", "a whole number of seconds")))
        .transpose()?;
    Ok(Grant { name: name.clone(), scopes: scopes.clone(), expires_at, disabled: *disabled })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(more: &[(&str, AttributeValue)]) -> HashMap<String, AttributeValue> {
        let whole = [
            ("pk", AttributeValue::S("token#00".into())),
            ("name", AttributeValue::S("alice".into())),
            ("scopes", AttributeValue::Ss(vec!["publish".into()])),
            ("disabled", AttributeValue::Bool(false)),
        ];
        whole.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn an_item_is_a_grant() {
        let expected =
            Grant { name: "alice".into(), scopes: vec!["publish".into()], expires_at: None, disabled: false };
        assert_eq!(grant(&item(&[])).unwrap(), expected);
        let expiring = item(&[("expires_at", AttributeValue::N("1700000000".into()))]);
        assert_eq!(grant(&expiring).unwrap().expires_at, Some(1_700_000_000));
    }

    #[test]
    fn an_item_that_lost_something_lets_nobody_in() {
        for name in ["name", "scopes", "disabled"] {
            let mut broken = item(&[]);
            broken.remove(name);
            assert!(grant(&broken).unwrap_err().to_string().contains(name));
        }
        let error = grant(&item(&[("expires_at", AttributeValue::S("soon".into()))])).unwrap_err().to_string();
        assert!(error.contains("expires_at"), "{error}");
    }
}
