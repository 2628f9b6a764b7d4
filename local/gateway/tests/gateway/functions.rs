//! `AWS_PROXY`: events to functions, and their answers.

use bytes::Bytes;
use http::Request;
use http::header::SET_COOKIE;
use http_body_util::Full;
use local_gateway::{HeaderSpellings, Invocation, Refusal};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use crate::fixture::{Fixture, echo, function_error, payload, proxy_api, snapshot};

#[tokio::test]
async fn the_event_has_every_member_that_aws_sends() {
    let fixture = Fixture::new(proxy_api(), echo);
    let headers = [
        ("content-type", "application/json"),
        ("x-color", "red"),
        ("x-color", "blue"),
        ("user-agent", "tests/1.0"),
        ("x-forwarded-for", "203.0.113.7"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678"),
        ("content-length", "7"),
        ("connection", "keep-alive"),
    ];
    let answer = fixture.send("POST", "/a%20b/c?x=1&y=2&x=3&z", &headers, r#"{"a":1}"#).await;
    assert_eq!(answer.status, 200);
    let mut event = fixture.lambda.last_event();
    let context = event["requestContext"].take();
    assert_eq!(
        event,
        json!({
            "resource": "/{proxy+}",
            "path": "/a%20b/c",
            "httpMethod": "POST",
            "headers": {
                "Host": "127.0.0.1:4566",
                "User-Agent": "tests/1.0",
                "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
                "X-Forwarded-For": "203.0.113.7, 127.0.0.1",
                "X-Forwarded-Port": "4566",
                "X-Forwarded-Proto": "http",
                "content-type": "application/json",
                "x-color": "blue",
            },
            "multiValueHeaders": {
                "Host": ["127.0.0.1:4566"],
                "User-Agent": ["tests/1.0"],
                "X-Amzn-Trace-Id": ["Root=1-67891233-abcdef012345678912345678"],
                "X-Forwarded-For": ["203.0.113.7, 127.0.0.1"],
                "X-Forwarded-Port": ["4566"],
                "X-Forwarded-Proto": ["http"],
                "content-type": ["application/json"],
                "x-color": ["red", "blue"],
            },
            "queryStringParameters": { "x": "3", "y": "2", "z": "" },
            "multiValueQueryStringParameters": { "x": ["1", "3"], "y": ["2"], "z": [""] },
            "pathParameters": { "proxy": "a b/c" },
            "stageVariables": { "alias": "test" },
            "requestContext": null,
            "body": r#"{"a":1}"#,
            "isBase64Encoded": false,
        })
    );
    for (name, expected) in [
        ("resourcePath", json!("/{proxy+}")),
        ("httpMethod", json!("POST")),
        ("path", json!("/test/a%20b/c")),
        ("accountId", json!("123456789012")),
        ("protocol", json!("HTTP/1.1")),
        ("stage", json!("test")),
        ("domainName", json!("a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com")),
        ("domainPrefix", json!("a1b2c3d4e5")),
        ("deploymentId", json!("d1e2f3")),
        ("apiId", json!("a1b2c3d4e5")),
        ("requestId", json!(answer.header("x-amzn-requestid"))),
        ("extendedRequestId", json!(answer.header("x-amz-apigw-id"))),
    ] {
        assert_eq!(context[name], expected, "{name}");
    }
    assert_eq!(context["identity"]["sourceIp"], "127.0.0.1");
    assert_eq!(context["identity"]["userAgent"], "tests/1.0");
    assert_eq!(context["identity"]["accountId"], Value::Null);
    assert!(context["requestTimeEpoch"].as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(answer.header("x-amzn-trace-id"), "Root=1-67891233-abcdef012345678912345678");
}

#[tokio::test]
async fn names_of_headers_are_spelled_as_the_client_does() {
    let (mut connection, spellings) =
        HeaderSpellings::watch(&b"GET / HTTP/1.1\r\nX-Color: red\r\naccept: */*\r\n\r\n"[..]);
    connection.read_to_end(&mut Vec::new()).await.unwrap();
    let fixture = Fixture::new(proxy_api(), echo);
    let request = Request::get(crate::fixture::PREFIX).header("x-color", "red").header("accept", "*/*");
    let request = request.extension(spellings.next()).body(Full::<Bytes>::default()).unwrap();
    fixture.gateway.handle(request, ([127, 0, 0, 1], 1).into()).await;
    let event = fixture.lambda.last_event();
    assert_eq!(
        (&event["headers"]["X-Color"], &event["multiValueHeaders"]["X-Color"]),
        (&json!("red"), &json!(["red"]))
    );
    assert_eq!(event["headers"]["accept"], "*/*");
}

#[tokio::test]
async fn what_a_request_lacks_is_null() {
    let mut without_variables = snapshot(proxy_api());
    without_variables.rest_apis[0].stages[0].variables.clear();
    let fixture = Fixture::with(without_variables, Default::default(), false, echo);
    assert_eq!(fixture.get("/").await.status, 200);
    let event = fixture.lambda.last_event();
    for name in ["queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "stageVariables", "body"]
    {
        assert_eq!(event[name], Value::Null, "{name}");
    }
    assert_eq!(event["isBase64Encoded"], false);
    assert!(event["headers"]["X-Amzn-Trace-Id"].as_str().unwrap().starts_with("Root=1-"));
}

#[tokio::test]
async fn bodies_of_binary_media_types_are_base64() {
    let mut definition = proxy_api();
    definition["x-amazon-apigateway-binary-media-types"] = json!(["image/png", "application/octet-stream"]);
    let fixture = Fixture::new(definition, echo);
    for (content_type, body, expected) in [
        ("image/png", &b"\x89PNG"[..], ("iVBORw==", true)),
        ("Image/PNG; a=b", b"\x89PNG", ("iVBORw==", true)),
        ("text/plain", "Grüße".as_bytes(), ("Grüße", false)),
        ("text/plain", b"\xff", ("\u{fffd}", false)),
    ] {
        fixture.send("POST", "/a", &[("content-type", content_type)], Bytes::copy_from_slice(body)).await;
        let event = fixture.lambda.last_event();
        assert_eq!((event["body"].as_str().unwrap(), event["isBase64Encoded"] == true), expected, "{content_type}");
    }
}

#[tokio::test]
async fn an_answer_becomes_the_response() {
    let fixture = Fixture::new(proxy_api(), |_, _| {
        payload(&json!({
            "statusCode": 201,
            "headers": { "Content-Type": "text/plain", "Date": "today", "x-amzn-RequestId": "forged" },
            "multiValueHeaders": { "Set-Cookie": ["a=1", "b=2"] },
            "body": "created",
        }))
    });
    let answer = fixture.get("/").await;
    assert_eq!((answer.status, answer.text()), (201, "created"));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("x-amzn-remapped-date"), "today");
    assert_eq!(answer.header("x-amzn-remapped-x-amzn-requestid"), "forged");
    assert_eq!(answer.header("x-amzn-requestid").len(), 36);
    assert_eq!(answer.headers.get_all(SET_COOKIE).iter().count(), 2);
}

#[tokio::test]
async fn what_goes_wrong_is_what_aws_answers() {
    type Behaviour = fn(&str, &Value) -> Result<Invocation, Refusal>;
    let cases: [(Behaviour, u16, &str); 6] = [
        (|_, _| function_error("boom"), 502, "Internal server error"),
        (|_, _| payload(&json!("text")), 502, "Internal server error"),
        (|_, _| payload(&json!({ "cookies": [] })), 502, "Internal server error"),
        (
            |_, _| Err(Refusal { status: 404, code: "ResourceNotFoundException".into(), message: "no".into() }),
            500,
            "Internal server error",
        ),
        (
            |_, _| Err(Refusal { status: 429, code: "TooManyRequestsException".into(), message: "no".into() }),
            500,
            "Internal server error",
        ),
        (
            |_, _| Err(Refusal { status: 413, code: "RequestTooLargeException".into(), message: "no".into() }),
            413,
            "Request Too Long",
        ),
    ];
    for (index, (behaviour, status, message)) in cases.into_iter().enumerate() {
        let answer = Fixture::new(proxy_api(), behaviour).get("/").await;
        assert_eq!((answer.status, answer.json()), (status, json!({ "message": message })), "case {index}");
        let error = if status == 413 { "RequestTooLargeException" } else { "InternalServerErrorException" };
        assert_eq!(answer.header("x-amzn-errortype"), error, "case {index}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_takes_too_long_is_not_waited_for() {
    let mut definition = proxy_api();
    definition["paths"]["/"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]["timeoutInMillis"] =
        json!(1500);
    let fixture = Fixture::with(snapshot(definition), Default::default(), true, echo);
    let answer = fixture.get("/").await;
    assert_eq!((answer.status, answer.json()), (504, json!({ "message": "Endpoint request timed out" })));
}

#[tokio::test]
async fn stage_variables_choose_the_function() {
    let mut definition = proxy_api();
    let integration =
        &mut definition["paths"]["/"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
    integration["uri"] = json!(crate::fixture::uri("replace:${stageVariables.alias}"));
    let integration =
        &mut definition["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"];
    integration["uri"] = json!(crate::fixture::uri("replace:${stageVariables.missing}"));
    let fixture = Fixture::new(definition, echo);
    assert_eq!(fixture.get("/").await.status, 200);
    assert_eq!(fixture.lambda.count(":function:replace:test"), 1);
    let answer = fixture.get("/other").await;
    assert_eq!((answer.status, answer.json()), (500, json!({ "message": "Internal server error" })));
}

#[tokio::test]
async fn a_function_is_invoked_with_its_own_permission_only() {
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:backend";
    let policy = |source: &str| {
        let statement = json!({ "Effect": "Allow", "Principal": { "Service": "apigateway.amazonaws.com" },
            "Action": "lambda:InvokeFunction", "Resource": arn, "Condition": { "ArnLike": { "AWS:SourceArn": source } } });
        Some(std::sync::Arc::new(json!({ "Version": "2012-10-17", "Statement": [statement] })))
    };
    for (policy, status) in [
        (policy("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/*"), 200),
        (policy("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/test/*/{proxy+}"), 200),
        (policy("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*"), 500),
        (policy("arn:aws:execute-api:eu-west-1:123456789012:other/*"), 500),
        (None, 500),
    ] {
        let mut snapshot = snapshot(proxy_api());
        snapshot.function_policies.insert(arn.into(), policy.clone());
        let fixture = Fixture::with(snapshot, Default::default(), false, echo);
        assert_eq!(fixture.get("/a").await.status, status, "{policy:?}");
        assert_eq!(fixture.lambda.invocations().len(), usize::from(status == 200));
    }
}

#[tokio::test]
async fn head_has_the_length_of_the_body_and_no_body() {
    let fixture = Fixture::new(proxy_api(), |_, _| payload(&json!({ "body": "hello" })));
    let answer = fixture.send("HEAD", "/", &[], "").await;
    assert_eq!((answer.status, answer.text(), answer.header("content-length")), (200, "", "5"));
}
