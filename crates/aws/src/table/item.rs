//! Rules and the version as DynamoDB items, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use replace::{Kind, Rule};

use super::{Placed, Revision, TableError};

pub(super) type Item = HashMap<String, AttributeValue>;

pub(super) const PARTITION_KEY: &str = "pk";
pub(super) const SORT_KEY: &str = "sk";

/// A part of the stored format: changing it loses rules.
pub(super) const SHARDS: u64 = 16;

/// DynamoDB's limit for a sort key, in bytes.
pub(super) const LONGEST_MATCH: usize = 1024;

/// DynamoDB's limit for an item is 400 KB, names of attributes included; all that is not text fits into the rest.
pub(super) const LONGEST_RULE: usize = 400 * 1024 - 512;

pub(super) fn partition(generation: u64, shard: u64) -> String {
    format!("g{generation}#{shard:02}")
}

/// The generation of a rule item's partition key; `None` for any other item's.
pub(super) fn generation(partition: &str) -> Option<u64> {
    partition.strip_prefix('g')?.split_once('#')?.0.parse().ok()
}

/// FNV-1a: it must give the same on every machine and in every version.
fn shard(pattern: &str) -> u64 {
    let hash = pattern
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    // FNV mixes short texts badly into any few bits; Fibonacci hashing mixes all into the highest.
    hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - SHARDS.ilog2())
}

pub(super) fn key(partition: &str, sort: &str) -> Item {
    Item::from([(PARTITION_KEY.into(), text(partition)), (SORT_KEY.into(), text(sort))])
}

pub(super) fn version_key() -> Item {
    key("version", "version")
}

pub(super) fn generations_key() -> Item {
    key("version", "generations")
}

pub(super) fn rule_key(generation: u64, pattern: &str) -> Item {
    key(&partition(generation, shard(pattern)), pattern)
}

impl Placed {
    pub(super) fn to_item(&self, generation: u64) -> Item {
        let mut item = rule_key(generation, &self.rule.pattern);
        let kind = match self.rule.kind {
            Kind::Literal => "literal",
            Kind::Regex => "regex",
        };
        item.extend([
            ("replace".into(), text(&self.rule.replace)),
            ("kind".into(), text(kind)),
            ("case_sensitive".into(), AttributeValue::Bool(self.rule.case_sensitive)),
            ("whole_word".into(), AttributeValue::Bool(self.rule.whole_word)),
            ("position".into(), number(self.position)),
        ]);
        item
    }

    pub(super) fn from_item(mut item: Item) -> Result<Self, TableError> {
        let pattern = match item.remove(SORT_KEY) {
            Some(AttributeValue::S(pattern)) => pattern,
            _ => return Err(TableError::Corrupt("an item without a sort key".into())),
        };
        let faulty = |attribute: &str, expected: &str| {
            TableError::Corrupt(format!("the rule item {pattern:?} has no attribute `{attribute}` that is {expected}"))
        };
        let flag = |attribute: &str| match item.get(attribute) {
            Some(AttributeValue::Bool(flag)) => Ok(*flag),
            _ => Err(faulty(attribute, "a boolean")),
        };
        let (case_sensitive, whole_word) = (flag("case_sensitive")?, flag("whole_word")?);
        let kind = match item.get("kind") {
            Some(AttributeValue::S(kind)) if kind == "literal" => Kind::Literal,
            Some(AttributeValue::S(kind)) if kind == "regex" => Kind::Regex,
            _ => return Err(faulty("kind", "`literal` or `regex`")),
        };
        let position = read_number(&item, "position").ok_or_else(|| faulty("position", "a number"))?;
        let replace = match item.remove("replace") {
            Some(AttributeValue::S(replace)) => replace,
            _ => return Err(faulty("replace", "a string")),
        };
        Ok(Self { position, rule: Rule { pattern, replace, kind, case_sensitive, whole_word } })
    }
}

impl Revision {
    pub(super) fn to_item(self) -> Item {
        let mut item = version_key();
        item.extend([
            ("generation".into(), number(self.generation)),
            ("version".into(), number(self.version)),
            ("rules".into(), number(self.rules)),
            ("next_position".into(), number(self.next_position)),
        ]);
        item
    }

    pub(super) fn from_item(item: &Item) -> Result<Self, TableError> {
        let read = |attribute: &str| {
            read_number(item, attribute).ok_or_else(|| {
                TableError::Corrupt(format!("the version item has no attribute `{attribute}` that is a number"))
            })
        };
        Ok(Self {
            generation: read("generation")?,
            version: read("version")?,
            rules: read("rules")?,
            next_position: read("next_position")?,
        })
    }
}

pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn read_number(item: &Item, attribute: &str) -> Option<u64> {
    match item.get(attribute)? {
        AttributeValue::N(number) => number.parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_the_way_there_and_back() {
        for kind in [Kind::Literal, Kind::Regex] {
            let rule = Rule { kind, case_sensitive: true, whole_word: false, ..Rule::literal("straße", "road") };
            let placed = Placed { position: 7, rule };
            assert_eq!(Placed::from_item(placed.to_item(3)).unwrap(), placed);
        }
    }

    #[test]
    fn the_revision_survives_the_way_there_and_back() {
        let revision = Revision { generation: 3, version: 9, rules: 2, next_position: 4 };
        assert_eq!(Revision::from_item(&revision.to_item()).unwrap(), revision);
    }

    #[test]
    fn an_item_that_lacks_something_is_named_with_what_it_lacks() {
        for attribute in ["replace", "kind", "case_sensitive", "whole_word", "position"] {
            let mut item = Placed { position: 0, rule: Rule::literal("ING", "ING BANK") }.to_item(1);
            item.remove(attribute);
            let error = Placed::from_item(item).unwrap_err().to_string();
            assert!(error.contains(r#""ING""#) && error.contains(attribute), "{error}");
        }
    }

    #[test]
    fn the_stored_format_does_not_drift() {
        let places: Vec<_> = ["ABN", "ING", "Rabo", "straße"].map(shard).into();
        assert_eq!(places, SHARDS_OF_THESE);
        assert_eq!(partition(12, 3), "g12#03");
        assert_eq!((generation("g12#03"), generation("version")), (Some(12), None));
    }

    /// As computed once: a map stored by an older version must be found by a newer one.
    const SHARDS_OF_THESE: [u64; 4] = [6, 0, 14, 12];

    #[test]
    fn every_shard_gets_its_share() {
        let mut counts = [0; SHARDS as usize];
        for n in 0..16_000 {
            counts[shard(&format!("word{n}")) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}
