//! API keys and what their plans allow.

use local_gateway::{Period, PlanStage, Quota, Throttle, UsagePlan};
use serde_json::{Value, json};

use crate::fixture::{Fixture, KEY, echo, proxied, with_plan};

fn definition() -> Value {
    let mut get = proxied("backend");
    get["security"] = json!([{ "api_key": [] }]);
    json!({
        "paths": { "/closed": { "get": get }, "/also": { "get": get }, "/open": { "get": proxied("backend") } },
        "components": { "securitySchemes": { "api_key": { "type": "apiKey", "name": "x-api-key", "in": "header" } } },
    })
}

fn fixture(plan: UsagePlan) -> Fixture {
    Fixture::with(with_plan(definition(), plan), Default::default(), false, echo)
}

#[tokio::test]
async fn a_key_opens_what_requires_one() {
    let fixture = fixture(UsagePlan::default());
    for (path, headers, status) in [
        ("/open", &[][..], 200),
        ("/open", &[("x-api-key", "unknown")], 200),
        ("/closed", &[("x-api-key", KEY)], 200),
        ("/closed", &[], 403),
        ("/closed", &[("x-api-key", "")], 403),
        ("/closed", &[("x-api-key", "unknown")], 403),
        ("/closed", &[("authorization", KEY)], 403),
    ] {
        let answer = fixture.send("GET", path, headers, "").await;
        assert_eq!(answer.status, status, "{path} {headers:?}");
        if status == 403 {
            assert_eq!(answer.text(), r#"{"message":"Forbidden"}"#);
            assert_eq!(answer.header("x-amzn-errortype"), "ForbiddenException");
        }
    }
    let identity = &fixture.lambda.last_event()["requestContext"]["identity"];
    assert_eq!((&identity["apiKey"], &identity["apiKeyId"]), (&json!(KEY), &json!("k1e2y3")));
}

#[tokio::test]
async fn a_plan_limits_each_of_its_keys() {
    let nothing = Throttle { rate: 0.0, burst: 2 };
    let stage = |throttles: &[(&str, Throttle)]| PlanStage {
        method_throttles: throttles.iter().map(|(name, throttle)| ((*name).to_owned(), *throttle)).collect(),
        ..PlanStage::default()
    };
    let by_key = UsagePlan { throttle: Some(nothing), ..UsagePlan::default() };
    let by_method = UsagePlan { stages: vec![stage(&[("/closed/GET", nothing)])], ..UsagePlan::default() };
    let quota = Quota { limit: 3, offset: 1, period: Period::Month };
    let by_quota = UsagePlan { quota: Some(quota), ..UsagePlan::default() };
    let (throttled, exceeded) =
        (("Too Many Requests", "TooManyRequestsException"), ("Limit Exceeded", "LimitExceededException"));
    for (plan, (message, error), other_path) in
        [(by_key, throttled, 429), (by_method, throttled, 200), (by_quota, exceeded, 429)]
    {
        let fixture = fixture(plan);
        let key = [("x-api-key", KEY)];
        for _ in 0..2 {
            assert_eq!(fixture.send("GET", "/closed", &key, "").await.status, 200, "{message}");
        }
        let answer = fixture.send("GET", "/closed", &key, "").await;
        assert_eq!((answer.status, answer.json()), (429, json!({ "message": message })));
        assert_eq!(answer.header("x-amzn-errortype"), error);
        assert_eq!(fixture.send("GET", "/also", &key, "").await.status, other_path, "{message}");
        assert_eq!(fixture.get("/open").await.status, 200);
    }
}
