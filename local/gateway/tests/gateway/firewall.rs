//! A web ACL before a stage. How it decides is its own crate's business.

use std::sync::Arc;

use local_waf::{Firewall, WebAcl};
use serde_json::{Value, json};

use crate::fixture::{Fixture, echo, proxy_api, snapshot};

fn fixture(definition: Value) -> Fixture {
    let stage = "arn:aws:apigateway:eu-west-1::/restapis/a1b2c3d4e5/stages/test".to_owned();
    let web_acl = WebAcl::parse(&definition).unwrap();
    let firewall = Firewall::protecting([(stage, Arc::new(web_acl))]);
    Fixture::with(snapshot(proxy_api()), firewall, false, echo)
}

#[tokio::test]
async fn what_the_web_acl_allows_goes_on() {
    let fixture = fixture(json!({ "Name": "mine", "DefaultAction": { "Allow": {} } }));
    let answer = fixture.send("GET", "/", &[("x-local-explain", "true")], "").await;
    assert!(answer.text().contains("Web ACL mine allows the request"), "{}", answer.text());
    assert_eq!(fixture.get("/").await.status, 200);
}

#[tokio::test]
async fn what_it_blocks_is_forbidden() {
    let fixture = fixture(json!({ "Name": "mine", "DefaultAction": { "Block": {} } }));
    let answer = fixture.get("/").await;
    assert_eq!((answer.status, answer.text()), (403, r#"{"message":"Forbidden"}"#));
    assert_eq!(answer.header("x-amzn-errortype"), "ForbiddenException");
    assert_eq!(fixture.gateway.recent()[0].gateway_response, Some("WAF_FILTERED"));
    assert_eq!(fixture.lambda.invocations().len(), 0);
}

#[tokio::test]
async fn its_own_response_comes_before_every_other() {
    let block = json!({ "CustomResponse": { "ResponseCode": 418, "CustomResponseBodyKey": "tea",
        "ResponseHeaders": [{ "Name": "x-pot", "Value": "full" }] } });
    let bodies = json!({ "tea": { "ContentType": "TEXT_PLAIN", "Content": "a teapot" } });
    let fixture =
        fixture(json!({ "Name": "mine", "DefaultAction": { "Block": block }, "CustomResponseBodies": bodies }));
    let answer = fixture.get("/").await;
    assert_eq!((answer.status, answer.text(), answer.header("x-pot")), (418, "a teapot", "full"));
}
