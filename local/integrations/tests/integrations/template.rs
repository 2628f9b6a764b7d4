//! Templates: what they see, what they set, how they fail, and the control plane's page that renders them.
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Request;
use local_aws_api::AwsApi;
use local_integrations::{ControlPlaneTemplates, TemplateFailure, TemplateInput, Templates};
use serde_json::{Value, json};

use crate::server::{Answer, Server, response};
use crate::world::{Call, World, header};

/// A request and a response with a template each.
fn definition(uri: &str) -> Value {
    json!({
        "type": "http", "httpMethod": "POST", "uri": format!("{uri}/{{id}}"),
        "requestParameters": {
            "integration.request.path.id": "'mapped'",
            "integration.request.querystring.q": "'mapped'",
            "integration.request.header.x-a": "'mapped'",
            "integration.request.header.x-b": "'mapped'",
        },
        "requestTemplates": {"application/json": "{\"sent\":$body}"},
        "responses": {"default": {
            "statusCode": "200",
            "responseParameters": {"method.response.header.x-a": "'mapped'", "method.response.header.x-b": "'mapped'"},
            "responseTemplates": {"application/json": "{\"got\":$body}"},
        }},
    })
}

fn call() -> Call {
    Call::post("application/json; charset=utf-8", "1").path("p", "v").query("a", "1").query("a", "2").header("x-c", "d")
}

#[tokio::test]
async fn a_template_sees_the_method_request() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    let answer = world.respond(&definition(&endpoint.url()), &call()).await;
    assert_eq!(endpoint.only().body(), "{\"sent\":1}");
    assert_eq!(answer.body(), "{\"got\":2}");
    let parameters = world.templates.parameters.lock().expect("no panic").clone();
    assert_eq!((&parameters["path"], &parameters["querystring"]), (&json!({"p": "v"}), &json!({"a": "2"})));
    assert_eq!(parameters["header"]["x-c"], "d");
}

#[tokio::test]
async fn overrides_win_over_mappings() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    world.templates.set(
        json!({"path": {"id": "over"}, "querystring": {"q": "over", "r": 1}, "header": {"X-A": "over", "x-new": true}}),
        json!({"status": 418, "header": {"X-A": "over", "x-new": "new"}}),
    );
    let answer = world.respond(&definition(&endpoint.url()), &call()).await;
    let request = endpoint.only();
    assert_eq!(request.uri(), "/over?q=over&r=1");
    for (name, expected) in [("x-a", "over"), ("x-b", "mapped"), ("x-new", "true")] {
        assert_eq!(header(request.headers(), name), expected, "{name}");
    }
    assert_eq!(answer.status(), 418);
    for (name, expected) in [("x-a", "over"), ("x-b", "mapped"), ("x-new", "new")] {
        assert_eq!(header(answer.headers(), name), expected, "{name}");
    }
}

#[tokio::test]
async fn a_status_that_is_none_overrides_nothing() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    for (status, expected) in [(json!("404"), 404), (json!(99), 200), (json!(600), 200), (json!("none"), 200)] {
        world.templates.set(json!({}), json!({"status": status}));
        let answer = world.respond(&definition(&endpoint.url()), &call()).await;
        assert_eq!(answer.status().as_u16(), expected, "{status}");
    }
}

#[tokio::test]
async fn a_template_cannot_forge_a_header() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    for (overrides, problem) in [
        (json!({"header": {"x-a": "1\r\nx-b: 2"}}), "the value for header x-a has characters that none can have"),
        (json!({"header": {"x a": "1"}}), "'x a', which is no name"),
        (json!({"header": {"content-length": "1"}}), "content-length header already present"),
    ] {
        world.templates.set(overrides, json!({}));
        let (response_type, log) = world.fail(&definition(&endpoint.url()), &call()).await;
        assert_eq!(response_type, "API_CONFIGURATION_ERROR");
        assert!(log.contains(problem), "{log}");
    }
    assert!(endpoint.seen().is_empty());
}

#[tokio::test]
async fn a_failing_template_is_the_clients_or_ours() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    let failures = [
        (TemplateFailure::Body("Could not parse request body into json: x".into()), "BAD_REQUEST_BODY", 400),
        (TemplateFailure::Template("no such directive".into()), "DEFAULT_5XX", 500),
        (TemplateFailure::Unreachable("nobody renders".into()), "DEFAULT_5XX", 500),
    ];
    for (failure, response_type, status) in failures {
        world.templates.fail(failure.clone());
        let given = world.call(&definition(&endpoint.url()), &call()).await.result.expect_err("no method response");
        assert_eq!((given.response_type(), given.status()), (response_type, status));
        let told = if status == 400 { failure.to_string() } else { "Internal server error".to_owned() };
        assert_eq!(given.message(), told);
    }
    assert!(endpoint.seen().is_empty());
}

#[tokio::test]
async fn an_endpoints_body_that_a_template_cannot_read_is_never_the_clients_fault() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "no json")).await);
    let mut definition = definition(&endpoint.url());
    definition["requestTemplates"] = json!({});
    world.templates.fail(TemplateFailure::Body("Could not parse".into()));
    let (response_type, _) = world.fail(&definition, &call()).await;
    assert_eq!(response_type, "DEFAULT_5XX");
    assert_eq!(endpoint.seen().len(), 1);
}

#[tokio::test]
async fn a_mapping_of_a_body_that_is_no_json_is_refused() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let mut definition = definition(&endpoint.url());
    definition["requestParameters"]["integration.request.header.x-a"] = json!("method.request.body.a");
    let failure = world.call(&definition, &Call::post("text/plain", "{\"a\":")).await.result.expect_err("no response");
    assert_eq!((failure.response_type(), failure.message()), ("BAD_REQUEST_BODY", "Invalid JSON in request body"));
    assert!(endpoint.seen().is_empty());
}

#[tokio::test]
async fn a_binary_body_is_for_no_template_unless_it_is_made_text() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "2")).await);
    let mut definition = definition(&endpoint.url());
    definition["requestTemplates"] = json!({"image/png": "{\"sent\":\"$body\"}"});
    let call = Call::post("image/png", vec![0xff, b'h', b'i']).binary(&["image/png"]);
    let (response_type, log) = world.fail(&definition, &call).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.ends_with("Unable to transform request: the body is binary"), "{log}");
    definition["contentHandling"] = json!("CONVERT_TO_TEXT");
    world.respond(&definition, &call).await;
    assert_eq!(endpoint.only().body(), "{\"sent\":\"/2hp\"}");
}

/// The control plane's page, as it answers.
fn page(request: &Request<Bytes>) -> Answer {
    let asked: Value = serde_json::from_slice(request.body()).expect("JSON");
    let (status, answer) = match asked["template"].as_str().expect("a template") {
        "$body" => (400, json!({"message": "Could not parse request body into json", "reason": "body"})),
        "$broken" => (400, json!({"message": "no such directive", "reason": "template"})),
        "$empty" => (200, json!({})),
        template => (
            200,
            json!({
                "rendered": format!("{template} rendered"),
                "context": {"requestOverride": {"header": {"a": "1"}}, "responseOverride": {"status": 201}},
            }),
        ),
    };
    Answer::Response(response(status, &[("content-type", "application/json")], answer.to_string()))
}

#[tokio::test]
async fn the_control_plane_renders() {
    let server = Server::start(page).await;
    let aws = AwsApi::new(&server.url(), "eu-west-1").expect("an address on this machine");
    let templates = ControlPlaneTemplates::new(aws);
    let one = |name: &str| BTreeMap::from([(name.to_owned(), "1".to_owned())]);
    let (stage_variables, path, querystring, header) = (one("s"), one("p"), one("q"), one("h"));
    let input = |template| TemplateInput {
        template,
        body: "the body",
        context: &Value::Null,
        stage_variables: &stage_variables,
        path: &path,
        querystring: &querystring,
        header: &header,
    };
    let rendered = templates.render(input("$x")).await.expect("a text");
    assert_eq!(rendered.text, "$x rendered");
    assert_eq!(rendered.overrides.request, json!({"header": {"a": "1"}}));
    assert_eq!(rendered.overrides.response, json!({"status": 201}));
    let request = server.only();
    assert_eq!(request.uri(), "/_control_plane/vtl");
    let asked: Value = serde_json::from_slice(request.body()).expect("JSON");
    let expected = json!({
        "template": "$x",
        "body": "the body",
        "context": null,
        "stageVariables": {"s": "1"},
        "params": {"path": {"p": "1"}, "querystring": {"q": "1"}, "header": {"h": "1"}},
    });
    assert_eq!(asked, expected);

    let body = TemplateFailure::Body("Could not parse request body into json".into());
    assert_eq!(templates.render(input("$body")).await, Err(body));
    let broken = TemplateFailure::Template("no such directive".into());
    assert_eq!(templates.render(input("$broken")).await, Err(broken));
    let empty = TemplateFailure::Unreachable("/_control_plane/vtl: the answer has no `rendered`".into());
    assert_eq!(templates.render(input("$empty")).await, Err(empty));
}
