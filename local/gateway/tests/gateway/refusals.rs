//! What the gateway itself answers.

use serde_json::{Value, json};

use crate::fixture::{Fixture, echo, proxied, proxy_api, snapshot};
use local_gateway::LONGEST_BODY;

fn validated() -> Value {
    let mut post = proxied("backend");
    post["parameters"] = json!([
        { "name": "q1", "in": "query", "required": true },
        { "name": "h1", "in": "header", "required": true },
        { "name": "h2", "in": "header" },
    ]);
    post["requestBody"] =
        json!({ "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } });
    json!({
        "paths": { "/pets": { "post": post } },
        "components": { "schemas": { "Pet": { "type": "object", "required": ["name"] } } },
        "x-amazon-apigateway-request-validators": { "all": { "validateRequestBody": true, "validateRequestParameters": true } },
        "x-amazon-apigateway-request-validator": "all",
        "x-amazon-apigateway-gateway-responses": { "BAD_REQUEST_BODY": { "responseTemplates": {
            "application/json": "{\"message\":$context.error.messageString,\"why\":\"$context.error.responseType\"}" } } },
    })
}

#[tokio::test]
async fn requests_are_validated() {
    let fixture = Fixture::new(validated(), echo);
    let bad_body = json!({ "message": "Invalid request body", "why": "BAD_REQUEST_BODY" });
    let missing = |names: &str| json!({ "message": format!("Missing required request parameters: [{names}]") });
    for (path, headers, body, status, expected) in [
        ("/pets?q1=a", &[("h1", "b")][..], r#"{"name":"x"}"#, 200, None),
        (
            "/pets?q1=a",
            &[("h1", "b"), ("content-type", "application/json; charset=utf-8")],
            r#"{"name":"x"}"#,
            200,
            None,
        ),
        ("/pets?q1=a", &[("h1", "b"), ("content-type", "text/plain")], "anything", 200, None),
        ("/pets", &[], "", 400, Some(missing("h1, q1"))),
        ("/pets?q1=", &[("h1", " ")], "", 400, Some(missing("h1, q1"))),
        ("/pets?q1=a", &[], r#"{"name":"x"}"#, 400, Some(missing("h1"))),
        ("/pets?q1=a", &[("h1", "b")], "{}", 400, Some(bad_body.clone())),
        ("/pets?q1=a", &[("h1", "b")], "", 400, Some(bad_body.clone())),
        ("/pets?q1=a", &[("h1", "b")], "{", 400, Some(bad_body)),
    ] {
        let answer = fixture.send("POST", path, headers, body).await;
        assert_eq!(answer.status, status, "{path} {headers:?} {body}");
        if let Some(expected) = expected {
            assert_eq!(answer.json(), expected, "{path} {headers:?} {body}");
            assert_eq!(answer.header("x-amzn-errortype"), "BadRequestException");
        }
    }
    assert_eq!(fixture.lambda.invocations().len(), 3);
}

#[tokio::test]
async fn what_is_undefined_has_no_authentication_token() {
    let fixture = Fixture::new(validated(), echo);
    for (method, path) in [("GET", "/pets"), ("POST", "/"), ("POST", "/Pets"), ("POST", "/pets/7")] {
        let answer = fixture.send(method, path, &[], "").await;
        assert_eq!(
            (answer.status, answer.text()),
            (403, r#"{"message":"Missing Authentication Token"}"#),
            "{method} {path}"
        );
        assert_eq!(answer.header("x-amzn-errortype"), "MissingAuthenticationTokenException");
        assert!(answer.headers.contains_key("x-amzn-requestid") && answer.headers.contains_key("x-amz-apigw-id"));
    }
}

#[tokio::test]
async fn what_leads_to_no_stage_is_forbidden() {
    let fixture = Fixture::new(validated(), echo);
    for path in ["/_aws/execute-api/a1b2c3d4e5/prod/pets", "/_aws/execute-api/none/test/pets", "/_aws/execute-api/"] {
        let answer = fixture.get(path).await;
        assert_eq!((answer.status, answer.text()), (403, r#"{"message":"Forbidden"}"#), "{path}");
        assert_eq!(answer.header("x-amzn-errortype"), "ForbiddenException");
    }
}

#[tokio::test]
async fn ten_megabytes_are_taken_and_one_byte_more_is_not() {
    let fixture = Fixture::new(proxy_api(), |_, event| {
        let length = event["body"].as_str().unwrap().len();
        crate::fixture::payload(&json!({ "body": length.to_string() }))
    });
    let answer = fixture.send("POST", "/", &[], vec![b'a'; LONGEST_BODY]).await;
    assert_eq!(answer.text(), LONGEST_BODY.to_string());
    let answer = fixture.send("POST", "/", &[], vec![b'a'; LONGEST_BODY + 1]).await;
    assert_eq!((answer.status, answer.json()), (413, json!({ "message": "Request Too Long" })));
    let answer = fixture.send("POST", "/", &[("content-length", "10485761")], "announced").await;
    assert_eq!(answer.status, 413);
}

#[tokio::test]
async fn a_mock_answers_and_what_cannot_be_carried_out_is_a_configuration_error() {
    let mock = json!({ "responses": { "204": { "description": "" } }, "x-amazon-apigateway-integration": { "type": "mock",
        "requestTemplates": { "application/json": "{\"statusCode\": 204}" },
        "responses": { "default": { "statusCode": "204" } } } });
    let definition = json!({ "paths": {
        "/mock": { "options": mock },
        "/none": { "get": {} },
        "/wrong": { "get": { "x-amazon-apigateway-integration": { "type": "aws_proxy", "httpMethod": "GET", "uri": "x" } } },
    } });
    let fixture = Fixture::new(definition, echo);
    assert_eq!(fixture.send("OPTIONS", "/mock", &[], "").await.status, 204);
    for path in ["/none", "/wrong"] {
        let answer = fixture.get(path).await;
        assert_eq!((answer.status, answer.json()), (500, json!({ "message": "Internal server error" })), "{path}");
    }
}

#[tokio::test]
async fn a_resource_policy_denies_addresses() {
    let denies = |effect: &str, range: &str| {
        json!({ "Effect": effect, "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
            "Condition": { "IpAddress": { "aws:SourceIp": range } } })
    };
    let anybody =
        json!({ "Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*" });
    let message = "User: anonymous is not authorized to perform: execute-api:Invoke on resource: \
                   arn:aws:execute-api:eu-west-1:********9012:a1b2c3d4e5/test/GET/";
    for (statements, status, expected) in [
        (json!([anybody]), 200, String::new()),
        (json!([anybody, denies("Deny", "10.0.0.0/8")]), 200, String::new()),
        (json!([denies("Allow", "127.0.0.0/8")]), 200, String::new()),
        (json!([anybody, denies("Deny", "127.0.0.0/8")]), 403, format!("{message} with an explicit deny")),
        (json!([denies("Allow", "10.0.0.0/8")]), 403, message.to_owned()),
    ] {
        let mut definition = proxy_api();
        definition["x-amazon-apigateway-policy"] = json!({ "Version": "2012-10-17", "Statement": statements });
        let answer = Fixture::new(definition, echo).get("/").await;
        assert_eq!(answer.status, status, "{statements}");
        if status == 403 {
            assert_eq!(answer.json(), json!({ "Message": expected }));
        }
    }
}

#[tokio::test]
async fn a_stage_and_the_account_throttle_everybody() {
    let throttle = |burst| local_gateway::Throttle { rate: 0.0, burst };
    let mut by_stage = snapshot(proxy_api());
    by_stage.rest_apis[0].stages[0].method_throttles =
        [("*/*".to_owned(), throttle(1)), ("//ANY".to_owned(), throttle(2))].into();
    let mut by_account = snapshot(proxy_api());
    by_account.account_throttle = Some(throttle(2));
    for (snapshot, path, allowed) in [(by_stage.clone(), "/", 2), (by_stage, "/a", 1), (by_account, "/", 2)] {
        let fixture = Fixture::with(snapshot, Default::default(), false, echo);
        for request in 0..allowed + 2 {
            let answer = fixture.get(path).await;
            assert_eq!(answer.status, if request < allowed { 200 } else { 429 }, "{path} {request}");
            if answer.status == 429 {
                assert_eq!(answer.json(), json!({ "message": "Too Many Requests" }));
                assert_eq!(answer.header("x-amzn-errortype"), "TooManyRequestsException");
            }
        }
    }
}
