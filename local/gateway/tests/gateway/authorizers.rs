//! Lambda authorizers.

use local_gateway::{Invocation, Refusal};
use serde_json::{Value, json};

use crate::fixture::{Fixture, KEY, echo, function_error, payload, proxied, uri, with_plan};

const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/test";

fn definition(authorizer: &Value) -> Value {
    let mut source = json!({ "type": "token", "authorizerUri": uri("authorizer"), "authorizerResultTtlInSeconds": 0 });
    source.as_object_mut().unwrap().extend(authorizer.as_object().unwrap().clone());
    let mut any = proxied("backend");
    any["security"] = json!([{ "mine": [] }]);
    json!({
        "paths": { "/{proxy+}": { "x-amazon-apigateway-any-method": any } },
        "components": { "securitySchemes": { "mine": { "type": "apiKey", "name": "Authorization", "in": "header",
            "x-amazon-apigateway-authtype": "custom", "x-amazon-apigateway-authorizer": source } } },
    })
}

fn policy(effect: &str, resource: &str) -> Value {
    json!({ "principalId": "me", "context": { "number": 7, "flag": true },
        "policyDocument": { "Version": "2012-10-17",
            "Statement": [{ "Effect": effect, "Action": "execute-api:Invoke", "Resource": resource }] } })
}

/// The token says what is to happen.
fn by_token(arn: &str, event: &Value) -> Result<Invocation, Refusal> {
    if !arn.ends_with(":authorizer") {
        return echo(arn, event);
    }
    match event["authorizationToken"].as_str().unwrap_or("allow") {
        "allow" => payload(&policy("Allow", &format!("{STAGE}/*"))),
        "this" => payload(&policy("Allow", event["methodArn"].as_str().unwrap())),
        "other" => payload(&policy("Allow", &format!("{STAGE}/GET/other"))),
        "deny" => payload(&policy("Deny", "*")),
        "unauthorized" => function_error("Unauthorized"),
        "object" => {
            payload(&json!({ "principalId": "me", "policyDocument": { "Statement": [] }, "context": { "a": {} } }))
        }
        "gone" => Err(Refusal { status: 404, code: "ResourceNotFoundException".into(), message: "no".into() }),
        _ => function_error("boom"),
    }
}

#[tokio::test]
async fn the_function_decides() {
    let fixture = Fixture::new(definition(&json!({})), by_token);
    let not_authorized = "User is not authorized to access this resource";
    for (token, status, body, error) in [
        (Some("allow"), 200, None, ""),
        (Some("this"), 200, None, ""),
        (Some("other"), 403, Some(json!({ "Message": not_authorized })), "AccessDeniedException"),
        (
            Some("deny"),
            403,
            Some(json!({ "Message": format!("{not_authorized} with an explicit deny") })),
            "AccessDeniedException",
        ),
        (Some("unauthorized"), 401, Some(json!({ "message": "Unauthorized" })), "UnauthorizedException"),
        (None, 401, Some(json!({ "message": "Unauthorized" })), "UnauthorizedException"),
        (Some(""), 401, Some(json!({ "message": "Unauthorized" })), "UnauthorizedException"),
        (Some("boom"), 500, Some(json!({ "message": null })), "AuthorizerFailureException"),
        (Some("object"), 500, Some(json!({ "message": null })), "AuthorizerConfigurationException"),
        (Some("gone"), 500, Some(json!({ "message": null })), "AuthorizerConfigurationException"),
    ] {
        let headers: Vec<(&str, &str)> = token.iter().map(|token| ("authorization", *token)).collect();
        let answer = fixture.send("GET", "/hello", &headers, "").await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (status, error), "{token:?}");
        if let Some(body) = body {
            assert_eq!(answer.json(), body, "{token:?}");
        }
    }
    // Those without a token were not even asked about.
    assert_eq!((fixture.lambda.count(":authorizer"), fixture.lambda.count(":backend")), (8, 2));
}

#[tokio::test]
async fn the_function_sees_the_token_and_the_backend_who_it_is() {
    let fixture = Fixture::new(definition(&json!({})), by_token);
    fixture.send("POST", "/a/b%20c?q=1", &[("authorization", "allow")], "").await;
    let invocations = fixture.lambda.invocations();
    let expected =
        json!({ "type": "TOKEN", "authorizationToken": "allow", "methodArn": format!("{STAGE}/POST/a/b%20c") });
    assert_eq!(invocations[0].1, expected);
    let authorizer = &invocations[1].1["requestContext"]["authorizer"];
    assert_eq!(
        (&authorizer["principalId"], &authorizer["number"], &authorizer["flag"]),
        (&json!("me"), &json!("7"), &json!("true"))
    );
    assert!(authorizer["integrationLatency"].is_u64());
}

#[tokio::test]
async fn a_request_authorizer_sees_the_request_but_not_its_body() {
    let sources = "method.request.header.X-Who, method.request.querystring.q, stageVariables.alias";
    let source = json!({ "type": "request", "identitySource": sources, "authorizerResultTtlInSeconds": 300 });
    let fixture = Fixture::new(definition(&source), by_token);
    for (path, headers) in [("/a", &[("x-who", "me")][..]), ("/a?q=1", &[]), ("/a?q=", &[("x-who", "me")])] {
        assert_eq!(fixture.send("GET", path, headers, "").await.status, 401, "{path}");
    }
    assert_eq!(fixture.lambda.invocations().len(), 0);
    assert_eq!(fixture.send("POST", "/a?q=1", &[("x-who", "me")], "secret").await.status, 200);
    let event = &fixture.lambda.invocations()[0].1;
    assert_eq!((&event["type"], &event["methodArn"]), (&json!("REQUEST"), &json!(format!("{STAGE}/POST/a"))));
    assert_eq!((&event["path"], &event["resource"]), (&json!("/a"), &json!("/{proxy+}")));
    assert_eq!((&event["headers"]["x-who"], &event["queryStringParameters"]), (&json!("me"), &json!({ "q": "1" })));
    assert_eq!(event["stageVariables"], json!({ "alias": "test" }));
    assert!(event.get("body").is_none());
}

#[tokio::test]
async fn a_request_authorizer_without_a_cache_is_asked_whatever_there_is() {
    let source = json!({ "type": "request", "identitySource": "method.request.header.X-Who", "authorizerResultTtlInSeconds": 0 });
    let fixture = Fixture::new(definition(&source), by_token);
    assert_eq!(fixture.get("/a").await.status, 200);
    assert_eq!(fixture.get("/a").await.status, 200);
    assert_eq!(fixture.lambda.count(":authorizer"), 2);
}

#[tokio::test]
async fn an_answer_is_remembered_by_identity() {
    let fixture = Fixture::new(definition(&json!({ "authorizerResultTtlInSeconds": 300 })), by_token);
    for (token, path, status, asked) in [
        ("allow", "/a", 200, 1),
        ("allow", "/b", 200, 1),
        ("this", "/a", 200, 2),
        // What was said about one path is taken for all.
        ("this", "/b", 403, 2),
        ("deny", "/a", 403, 3),
        ("deny", "/a", 403, 3),
        // Failures are not remembered.
        ("boom", "/a", 500, 4),
        ("boom", "/a", 500, 5),
    ] {
        let answer = fixture.send("GET", path, &[("authorization", token)], "").await;
        assert_eq!((answer.status, fixture.lambda.count(":authorizer")), (status, asked), "{token} {path}");
    }
}

#[tokio::test]
async fn a_token_must_look_like_one() {
    let fixture = Fixture::new(definition(&json!({ "identityValidationExpression": "[a-z]{5}" })), by_token);
    for (token, status) in [("allow", 200), ("allowed", 401), ("ALLOW", 401)] {
        assert_eq!(fixture.send("GET", "/a", &[("authorization", token)], "").await.status, status, "{token}");
    }
}

#[tokio::test]
async fn an_authorizer_may_give_the_key() {
    let mut definition = definition(&json!({}));
    definition["x-amazon-apigateway-api-key-source"] = json!("AUTHORIZER");
    definition["components"]["securitySchemes"]["api_key"] =
        json!({ "type": "apiKey", "name": "x-api-key", "in": "header" });
    definition["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"]["security"] =
        json!([{ "mine": [], "api_key": [] }]);
    let snapshot = with_plan(definition, Default::default());
    let fixture = Fixture::with(snapshot, Default::default(), false, |arn, event| {
        let mut answer = policy("Allow", "*");
        match event["authorizationToken"].as_str() {
            Some("known") => answer["usageIdentifierKey"] = json!(KEY),
            Some(_) => {}
            None => return echo(arn, event),
        }
        payload(&answer)
    });
    for (headers, status) in
        [(&[("authorization", "known")][..], 200), (&[("authorization", "unknown"), ("x-api-key", KEY)], 403)]
    {
        assert_eq!(fixture.send("GET", "/a", headers, "").await.status, status, "{headers:?}");
    }
}

#[tokio::test]
async fn a_path_that_is_too_long_for_an_arn_is_refused() {
    let fixture = Fixture::new(definition(&json!({})), by_token);
    let answer = fixture.send("GET", &format!("/{}", "a".repeat(1600)), &[("authorization", "allow")], "").await;
    assert_eq!((answer.status, answer.json()), (414, json!({ "message": "Request URI too long" })));
}
