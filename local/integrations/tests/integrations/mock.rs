//! MOCK, and what every mapped response has in common.
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-mock-integration.html

use http::Method;
use local_integrations::{Integration, Silent};
use serde_json::{Value, json};

use crate::world::{Call, Log, World, header};

fn not_found() -> Value {
    json!({
        "type": "mock",
        "passthroughBehavior": "never",
        "requestTemplates": {"application/json": "{\"statusCode\": 404}"},
        "responses": {"default": {
            "statusCode": "404",
            "responseTemplates": {"application/json": "{\"message\":\"Not Found\"}"},
        }},
    })
}

#[tokio::test]
async fn answers_without_an_endpoint() {
    let world = World::new().await;
    let outcome = world.call(&not_found(), &Call::get()).await;
    assert_eq!(outcome.status, Some(404));
    let response = outcome.result.expect("a method response");
    assert_eq!(response.status(), 404);
    assert_eq!(response.body(), "{\"message\":\"Not Found\"}");
    assert_eq!(header(response.headers(), "content-type"), "application/json");
    assert_eq!(*world.templates.rendered.lock().expect("no panic"), 0, "nothing was to be rendered");
}

#[tokio::test]
async fn takes_no_body_that_no_template_matches() {
    let world = World::new().await;
    let (response_type, _) = world.fail(&not_found(), &Call::post("text/plain", "{\"statusCode\": 200}")).await;
    assert_eq!(response_type, "UNSUPPORTED_MEDIA_TYPE");
}

#[tokio::test]
async fn a_body_that_is_passed_on_is_its_answer() {
    let world = World::new().await;
    let definition = json!({"type": "mock", "responses": {
        "default": {"statusCode": "200"}, "4..": {"statusCode": "418"},
    }});
    for (body, expected) in [("{\"statusCode\": 200}", 200), ("{\"statusCode\": 404}", 418)] {
        let response = world.respond(&definition, &Call::post("text/plain", body)).await;
        assert_eq!((response.status().as_u16(), response.body().as_ref()), (expected, &b""[..]), "{body}");
    }
}

#[tokio::test]
async fn without_a_status_it_is_misconfigured() {
    let world = World::new().await;
    let definition = json!({"type": "mock", "responses": {"default": {"statusCode": "200"}}});
    let (response_type, log) = world.fail(&definition, &Call::get()).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.contains("Unable to parse statusCode"), "{log}");
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-cors.html
#[tokio::test]
async fn answers_a_pre_flight() {
    let world = World::new().await;
    let definition = json!({
        "type": "mock",
        "requestTemplates": {"application/json": "{statusCode: 200}"},
        "responses": {"default": {"statusCode": "204", "responseParameters": {
            "method.response.header.Access-Control-Allow-Origin": "'*'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,POST'",
            "method.response.header.X-Request": "context.requestId",
            "method.response.header.X-None": "integration.response.header.none",
        }}},
    });
    let response = world.respond(&definition, &Call::new(Method::OPTIONS)).await;
    assert_eq!(response.status(), 204);
    assert_eq!(header(response.headers(), "access-control-allow-origin"), "*");
    assert_eq!(header(response.headers(), "access-control-allow-methods"), "GET,POST");
    assert_eq!(header(response.headers(), "x-request"), "request-1");
    assert!(!response.headers().contains_key("x-none"));
}

#[tokio::test]
async fn a_response_that_nothing_selects_is_a_mistake() {
    let world = World::new().await;
    let definition = json!({
        "type": "mock",
        "requestTemplates": {"application/json": "{\"statusCode\": 500}"},
        "responses": {"2..": {"statusCode": "200"}},
    });
    let (response_type, log) = world.fail(&definition, &Call::get()).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    let expected =
        "No match for output mapping and no default output mapping configured. Endpoint Response Status Code: 500";
    assert!(log.ends_with(expected), "{log}");
}

/// https://repost.aws/knowledge-center/api-gateway-internal-server-error
#[tokio::test]
async fn a_response_that_the_method_does_not_declare_is_a_mistake() {
    let world = World::new().await;
    let integration = Integration::parse(&not_found()).expect("a definition");
    for (declared, expected) in [(json!({"404": {}}), Ok(404)), (json!({"200": {}}), Err("API_CONFIGURATION_ERROR"))] {
        let integration = integration.clone().with_method_responses(&declared).expect("statuses");
        let call = Call::get();
        let outcome = world.integrations.call(&integration, &call.request(), &Silent).await;
        let outcome = outcome.result.map(|response| response.status().as_u16());
        assert_eq!(outcome.map_err(|failure| failure.response_type()), expected, "{declared}");
    }
}

#[tokio::test]
async fn the_content_type_is_that_of_the_mapping_the_template_or_the_model() {
    let world = World::new().await;
    let mapped = json!({"method.response.header.Content-Type": "'text/css'"});
    let html = json!({"text/html": "<p>"});
    for (parameters, templates, declared, expected) in [
        (&mapped, &html, "text/csv", "text/css"),
        (&json!({}), &html, "text/csv", "text/html"),
        (&json!({}), &json!({}), "text/csv", "text/csv"),
    ] {
        let definition = json!({
            "type": "mock",
            "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
            "responses": {"default": {
                "statusCode": "200", "responseParameters": parameters, "responseTemplates": templates,
            }},
        });
        let integration = Integration::parse(&definition).expect("a definition");
        let integration = integration.with_method_responses(&json!({"200": {"content": {declared: {}}}}));
        let call = Call::get();
        let outcome = world.integrations.call(&integration.expect("statuses"), &call.request(), &Silent).await;
        let response = outcome.result.expect("a method response");
        assert_eq!(header(response.headers(), "content-type"), expected);
    }
}

/// The words of a test in the console.
/// https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-test-method.html
#[tokio::test]
async fn every_step_is_explained() {
    let (world, log) = (World::new().await, Log::default());
    world.explained(&not_found(), &Call::get(), &log).await.result.expect("a method response");
    let lines = log.lines();
    let expected = [
        "Request template: the one for application/json",
        "Endpoint request body after transformations: {\"statusCode\": 404}",
        "Received response. Status: 404, Integration latency: ",
        "Endpoint response headers: {}",
        "Endpoint response body before transformations: ",
        "Integration response: default → 404",
        "Response template: the one for application/json",
        "Method response body after transformations: {\"message\":\"Not Found\"}",
        "Method response headers: {content-type=application/json}",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line} instead of {expected}");
    }
}
