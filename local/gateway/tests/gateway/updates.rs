//! What is deployed changes while requests come.

use std::sync::Arc;

use serde_json::json;

use crate::fixture::{Fixture, echo, proxied, proxy_api, snapshot};

#[tokio::test]
async fn a_new_deployment_is_served_at_once() {
    let fixture = Fixture::new(proxy_api(), echo);
    assert_eq!(fixture.get("/a").await.status, 200);
    let mut changed = snapshot(proxy_api());
    let only_b = json!({ "paths": { "/b": { "get": proxied("backend") } } });
    changed.rest_apis[0].definitions.insert("new".into(), Arc::new(only_b));
    changed.rest_apis[0].stages[0].deployment_id = "new".into();
    fixture.gateway.update(changed);
    assert_eq!((fixture.get("/a").await.status, fixture.get("/b").await.status), (403, 200));
    fixture.gateway.update(Default::default());
    assert_eq!(fixture.get("/b").await.text(), r#"{"message":"Forbidden"}"#);
}

#[tokio::test]
async fn a_deployment_never_changes() {
    let fixture = Fixture::new(proxy_api(), echo);
    // The same deployment with another definition: there is no such thing, so it is not read again.
    fixture.gateway.update(snapshot(json!({ "paths": {} })));
    assert_eq!(fixture.get("/a").await.status, 200);
}

#[tokio::test]
async fn stage_variables_are_in_effect_at_once() {
    let fixture = Fixture::new(proxy_api(), echo);
    let mut changed = snapshot(proxy_api());
    changed.rest_apis[0].stages[0].variables.insert("alias".into(), "other".into());
    fixture.gateway.update(changed);
    fixture.get("/").await;
    assert_eq!(fixture.lambda.last_event()["stageVariables"]["alias"], "other");
}

#[tokio::test]
async fn a_stage_without_a_definition_is_not_served() {
    let mut broken = snapshot(proxy_api());
    broken.rest_apis[0].definitions.clear();
    let fixture = Fixture::with(broken, Default::default(), false, echo);
    assert_eq!(fixture.get("/").await.text(), r#"{"message":"Forbidden"}"#);
}
