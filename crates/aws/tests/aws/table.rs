//! The map in a table: reading it whole, changing it without anybody seeing a half of it.

use std::sync::Arc;

use aws::{MapTable, Snapshot, TableError};
use aws_sdk_dynamodb::types::AttributeValue;
use mapping::{Fetched, Source, SourceError, Version};
use replace::{Kind, Rule, Rules};
use serde_json::json;

use crate::moto::Moto;
use crate::server::{Server, Step, env_for};

/// A table of this test's own in moto.
struct Fixture {
    moto: Arc<Moto>,
    name: String,
    table: MapTable,
}

impl Fixture {
    async fn new(name: &str) -> Self {
        let moto = Moto::shared();
        // moto's tables outlive a test, should one be run twice against it.
        let name = format!("{name}-{:?}", std::thread::current().id()).replace(['(', ')'], "");
        moto.create_table(&name).await;
        let table = MapTable::new(&name, &env_for(&moto.url)).unwrap();
        Self { moto, name, table }
    }

    async fn holding(name: &str, rules: &Rules) -> Self {
        let fixture = Self::new(name).await;
        fixture.table.put(None, rules, |_| ()).await.unwrap();
        fixture
    }

    /// All items: the rules, the version, the generations.
    async fn items(&self) -> usize {
        let pages = self.moto.client().scan().table_name(&self.name).send().await.unwrap();
        assert!(pages.last_evaluated_key().is_none(), "more than a page");
        pages.items().len()
    }

    async fn listed(&self) -> Vec<(String, String)> {
        let snapshot = self.table.read().await.unwrap();
        snapshot.rules().map(|rule| (rule.pattern.clone(), rule.replace.clone())).collect()
    }
}

fn rules(pairs: &[(&str, &str)]) -> Rules {
    pairs.iter().map(|(pattern, replace)| Rule::literal(*pattern, *replace)).collect()
}

fn many(count: usize, replace: &str) -> Rules {
    (0..count).map(|n| Rule::literal(format!("word{n}"), replace)).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(pattern, replace)| (pattern.to_string(), replace.to_string())).collect()
}

const BANKS: [(&str, &str); 3] = [("ING", "ING BANK"), ("ABN", "ABN AMRO"), ("Rabo", "Rabobank")];

#[tokio::test]
async fn an_empty_table_says_how_to_fill_it() {
    let fixture = Fixture::new("empty").await;
    let error = fixture.table.fetch(None).await.unwrap_err().to_string();
    assert!(error.contains("no map yet") && error.contains("switchyard-map put"), "{error}");
    assert_eq!(fixture.table.name(), format!("dynamodb:{}", fixture.name));
}

#[tokio::test]
async fn two_thousand_rules_come_back_whole_and_in_order() {
    let map = many(2000, "x");
    let fixture = Fixture::new("thousands").await;
    let mut told = Vec::new();
    let revision = fixture.table.put(None, &map, |written| told.push(written)).await.unwrap();
    assert!(told.is_sorted() && told.last() == Some(&2000), "{told:?}");

    let Fetched::Changed { version, rules } = fixture.table.fetch(None).await.unwrap() else { panic!("unchanged") };
    assert_eq!((&version, &rules), (&revision.version(), &map));
    assert!(matches!(fixture.table.fetch(Some(&version)).await.unwrap(), Fetched::Unchanged));
}

#[tokio::test]
async fn every_property_of_a_rule_is_kept() {
    let map = Rules::from_iter([
        Rule { kind: Kind::Regex, ..Rule::literal(r"(\d+) EUR", "€$1") },
        Rule { case_sensitive: true, ..Rule::literal("ING", "") },
        Rule { whole_word: false, ..Rule::literal("straße", "🏦") },
    ]);
    let fixture = Fixture::holding("properties", &map).await;
    assert_eq!(fixture.table.read().await.unwrap().rules().cloned().collect::<Rules>(), map);
}

#[tokio::test]
async fn a_new_map_replaces_the_old_one_entirely() {
    let fixture = Fixture::holding("replaced", &rules(&BANKS)).await;
    let base = fixture.table.read().await.unwrap().revision();
    let new = [("Triodos", "Triodos Bank"), ("ING", "changed")];
    fixture.table.put(base, &rules(&new), |_| ()).await.unwrap();
    assert_eq!(fixture.listed().await, pairs(&new));
    assert_eq!(fixture.items().await, 2 + 2);
}

#[tokio::test]
async fn what_an_interrupted_put_left_behind_is_not_read_and_goes_with_the_next_put() {
    let fixture = Fixture::holding("interrupted", &rules(&BANKS)).await;
    let generations = |last: u64| {
        fixture
            .moto
            .client()
            .put_item()
            .table_name(&fixture.name)
            .item("pk", AttributeValue::S("version".into()))
            .item("sk", AttributeValue::S("generations".into()))
            .item("last", AttributeValue::N(last.to_string()))
            .send()
    };
    generations(2).await.unwrap();
    let orphan = fixture.moto.client().put_item().table_name(&fixture.name);
    let orphan = orphan.item("pk", AttributeValue::S("g2#00".into())).item("sk", AttributeValue::S("orphan".into()));
    orphan.send().await.unwrap();
    assert_eq!(fixture.listed().await, pairs(&BANKS));

    let base = fixture.table.read().await.unwrap().revision();
    fixture.table.put(base, &rules(&BANKS[..1]), |_| ()).await.unwrap();
    assert_eq!(fixture.listed().await, pairs(&BANKS[..1]));
    assert_eq!(fixture.items().await, 1 + 2);
}

#[tokio::test]
async fn one_rule_is_changed_in_its_place_added_at_the_end_and_deleted() {
    let fixture = Fixture::holding("single", &rules(&BANKS)).await;
    let before = fixture.table.read().await.unwrap();
    let version = before.revision().unwrap().version();

    let changed = fixture.table.set(&before, Rule::literal("ABN", "changed")).await.unwrap();
    assert_ne!(changed.version(), version);
    let snapshot = fixture.table.read().await.unwrap();
    assert_eq!(snapshot.revision(), Some(changed));
    fixture.table.set(&snapshot, Rule::literal("Triodos", "added")).await.unwrap();
    assert_eq!(fixture.listed().await, pairs(&[BANKS[0], ("ABN", "changed"), BANKS[2], ("Triodos", "added")]));

    let snapshot = fixture.table.read().await.unwrap();
    fixture.table.delete(&snapshot, "ING").await.unwrap();
    let snapshot = fixture.table.read().await.unwrap();
    fixture.table.set(&snapshot, Rule::literal("ING", "back, at the end")).await.unwrap();
    assert_eq!(
        fixture.listed().await,
        pairs(&[("ABN", "changed"), BANKS[2], ("Triodos", "added"), ("ING", "back, at the end")])
    );
}

#[tokio::test]
async fn the_first_rule_of_an_empty_table_makes_a_map() {
    let fixture = Fixture::new("first").await;
    fixture.table.set(&Snapshot::default(), Rule::literal("ING", "ING BANK")).await.unwrap();
    assert_eq!(fixture.listed().await, pairs(&BANKS[..1]));
}

#[tokio::test]
async fn a_change_based_on_an_old_version_is_refused_and_stores_nothing() {
    let fixture = Fixture::holding("conflict", &rules(&BANKS)).await;
    let old = fixture.table.read().await.unwrap();
    fixture.table.set(&old, Rule::literal("ING", "newer")).await.unwrap();
    let (listed, items) = (fixture.listed().await, fixture.items().await);

    for refused in [
        fixture.table.set(&old, Rule::literal("ABN", "stale")).await,
        fixture.table.set(&old, Rule::literal("Triodos", "stale")).await,
        fixture.table.delete(&old, "Rabo").await,
        fixture.table.put(old.revision(), &rules(&[("stale", "stale")]), |_| ()).await,
        fixture.table.put(None, &rules(&[("stale", "stale")]), |_| ()).await,
    ] {
        assert!(matches!(refused, Err(TableError::Conflict)), "{refused:?}");
    }
    assert_eq!((fixture.listed().await, fixture.items().await), (listed, items));
}

#[tokio::test]
async fn what_is_not_a_valid_map_is_never_stored() {
    let fixture = Fixture::holding("invalid", &rules(&BANKS)).await;
    let base = fixture.table.read().await.unwrap();
    let regex = |pattern: &str| Rule { kind: Kind::Regex, ..Rule::literal(pattern, "x") };
    for (rule, named) in [
        (regex("("), "rule 4"),
        (Rule::literal("", "x"), "rule 4"),
        (Rule::literal("ing", "the same, folded"), "ing"),
        (Rule::literal("é".repeat(600), "x"), "1200 bytes"),
        (Rule::literal("big", "x".repeat(400 * 1024)), "rule 4 (\"big\")"),
    ] {
        let one = fixture.table.set(&base, rule.clone()).await.unwrap_err().to_string();
        assert!(one.contains(named), "{one}");
        let all = Rules::from_iter(base.rules().cloned().chain([rule]));
        let all = fixture.table.put(base.revision(), &all, |_| ()).await.unwrap_err().to_string();
        assert!(all.contains(named), "{all}");
    }
    assert_eq!(fixture.listed().await, pairs(&BANKS));
    assert_eq!(fixture.items().await, 3 + 2);
}

#[tokio::test]
async fn a_rule_that_is_not_there_cannot_be_deleted() {
    let fixture = Fixture::holding("absent", &rules(&BANKS)).await;
    let base = fixture.table.read().await.unwrap();
    let error = fixture.table.delete(&base, "ing").await.unwrap_err();
    assert!(matches!(&error, TableError::NoSuchRule(pattern) if pattern == "ing"), "{error}");
}

#[tokio::test]
async fn a_rule_item_that_is_missing_or_spoilt_makes_the_map_invalid() {
    let fixture = Fixture::holding("spoilt", &rules(&BANKS)).await;
    let client = fixture.moto.client();
    let items = client.scan().table_name(&fixture.name).send().await.unwrap();
    let mut rule = items.items().iter().find(|item| item["sk"].as_s().unwrap() == "ABN").unwrap().clone();
    let key = [("pk".to_owned(), rule["pk"].clone()), ("sk".to_owned(), rule["sk"].clone())];

    rule.insert("kind".into(), AttributeValue::S("glob".into()));
    client.put_item().table_name(&fixture.name).set_item(Some(rule)).send().await.unwrap();
    let error = fixture.table.fetch(None).await.unwrap_err();
    assert!(matches!(error, SourceError::Invalid(_)) && error.to_string().contains("\"ABN\""), "{error}");

    client.delete_item().table_name(&fixture.name).set_key(Some(key.into())).send().await.unwrap();
    let error = fixture.table.fetch(None).await.unwrap_err();
    assert!(matches!(error, SourceError::Invalid(_)), "{error}");
    assert!(error.to_string().contains("2 rule items where the version item says 3"), "{error}");
}

#[tokio::test]
async fn a_reader_never_sees_a_mixture_of_two_maps() {
    let fixture = Arc::new(Fixture::holding("mixture", &many(100, "0")).await);
    let writing = tokio::spawn({
        let fixture = Arc::clone(&fixture);
        async move {
            for round in 1..6 {
                let base = fixture.table.read().await.unwrap();
                fixture.table.put(base.revision(), &many(100 + round, &round.to_string()), |_| ()).await.unwrap();
            }
        }
    });
    let mut seen = 0;
    while !writing.is_finished() {
        match fixture.table.read().await {
            Ok(snapshot) => {
                let all: Vec<_> = snapshot.rules().collect();
                let round = &all[0].replace;
                assert!(all.iter().all(|rule| rule.replace == *round));
                assert_eq!(all.len(), 100 + round.parse::<usize>().unwrap());
                seen += 1;
            }
            Err(TableError::Busy(_)) => {}
            Err(error) => panic!("{error}"),
        }
    }
    writing.await.unwrap();
    assert!(seen > 0);
}

/// A version item as DynamoDB answers it.
fn version(generation: u64, version: u64, rules: u64) -> Step {
    let number = |n: u64| json!({"N": n.to_string()});
    let item = json!({
        "pk": {"S": "version"}, "sk": {"S": "version"}, "generation": number(generation), "version": number(version),
        "rules": number(rules), "next_position": number(rules),
    });
    Step::Answer(200, json!({"Item": item}).to_string())
}

#[tokio::test]
async fn an_unchanged_version_costs_one_read() {
    let server = Server::play([version(3, 12, 100_000)]).await;
    let table = MapTable::new("map", &server.env()).unwrap();
    assert!(matches!(table.fetch(Some(&Version::new("3.12"))).await.unwrap(), Fetched::Unchanged));
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert_eq!(asked[0].target, "DynamoDB_20120810.GetItem");
    assert_eq!(asked[0].body["ConsistentRead"], true);
}

#[tokio::test]
async fn a_map_that_never_holds_still_is_given_up() {
    let nothing = || Step::Answer(200, json!({"Items": [], "Count": 0}).to_string());
    let mut script = vec![version(1, 1, 0)];
    for n in 2..20 {
        script.extend((0..16).map(|_| nothing()));
        script.push(version(1, n, 0));
    }
    let server = Server::play(script).await;
    let error = MapTable::new("map", &server.env()).unwrap().read().await.unwrap_err();
    assert!(matches!(error, TableError::Busy(5)), "{error}");
    let queries: Vec<_> = server.asked().into_iter().filter(|asked| asked.target.ends_with("Query")).collect();
    assert!(queries.iter().all(|query| query.body["ConsistentRead"] == true));
}

#[tokio::test]
async fn what_a_batch_leaves_unwritten_is_written_by_the_next() {
    let put = |word: &str| json!({"PutRequest": {"Item": {"pk": {"S": "g1#00"}, "sk": {"S": word}}}});
    let server = Server::play([
        Step::Answer(200, json!({"Attributes": {"last": {"N": "1"}}}).to_string()),
        Step::Answer(200, json!({"UnprocessedItems": {"map": [put("word1"), put("word2")]}}).to_string()),
        Step::Answer(200, json!({"UnprocessedItems": {"map": [put("word2")]}}).to_string()),
        Step::Answer(200, json!({"UnprocessedItems": {}}).to_string()),
        Step::Answer(200, "{}".to_owned()), // PutItem
    ])
    .await;
    MapTable::new("map", &server.env()).unwrap().put(None, &many(3, "x"), |_| ()).await.unwrap();
    let sizes: Vec<_> = server
        .asked()
        .iter()
        .filter_map(|asked| Some(asked.body.get("RequestItems")?["map"].as_array()?.len()))
        .collect();
    assert_eq!(sizes, [3, 2, 1]);
}
