//! AWS: services through the control plane, and functions.
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-api-integration-types.html

use bytes::Bytes;
use http::{Method, Request};
use local_integrations::MAX_PAYLOAD_BYTES;
use serde_json::{Value, json};

use crate::server::{Answer, response};
use crate::world::{Call, Invoked, Log, ROLE, TRACE_ID, World, header, is_for_iam};

const FUNCTION: &str = "arn:aws:lambda:eu-west-1:123456789012:function:f:${stageVariables.alias}";

/// A service that takes everything.
async fn world() -> World {
    World::with_services(|_| Answer::Response(response(200, &[("x-amzn-requestid", "service-1")], "{}"))).await
}

fn service(uri: &str) -> Value {
    json!({
        "type": "aws",
        "httpMethod": "POST",
        "uri": format!("arn:aws:apigateway:eu-west-1:{uri}"),
        "credentials": ROLE,
        "responses": {"default": {"statusCode": "200"}},
    })
}

fn function() -> Value {
    let mut definition = service(&format!("lambda:path/2015-03-31/functions/{FUNCTION}/invocations"));
    definition["responses"] = json!({
        "default": {"statusCode": "200"},
        "Malformed.*": {"statusCode": "400"},
        "Task timed out.*": {"statusCode": "500"},
        "429": {"statusCode": "429"},
    });
    definition.as_object_mut().expect("members").remove("credentials");
    definition
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-s3.html
#[tokio::test]
async fn ten_megabytes_reach_a_bucket_untouched() {
    let world = World::with_services(|_| Answer::Response(response(200, &[("x-amz-request-id", "s3-1")], ""))).await;
    let mut definition = service("s3:path/${stageVariables.bucket}/incoming/{key}");
    definition["httpMethod"] = json!("PUT");
    definition["requestParameters"] = json!({
        "integration.request.path.key": "context.requestId",
        "integration.request.header.Content-Type": "method.request.header.Content-Type",
        "integration.request.header.x-amz-meta-principal": "context.identity.sourceIp",
        "integration.request.header.x-amz-meta-trace": "method.request.header.X-Amzn-Trace-Id",
    });
    definition["responses"]["default"] =
        json!({"statusCode": "202", "responseTemplates": {"application/json": "{\"id\":\"$requestId\"}"}});
    let body: Bytes = (0..MAX_PAYLOAD_BYTES).map(|index| (index % 253) as u8).collect::<Vec<_>>().into();
    let call = Call::post("application/x-any", body.clone()).binary(&["*/*"]).stage_variable("bucket", "captured");
    let outcome = world.call(&definition, &call).await;

    assert_eq!(outcome.request_id.as_deref(), Some("s3-1"));
    let answer = outcome.result.expect("a method response");
    assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (202, &b"{\"id\":\"request-1\"}"[..]));
    let requests = world.service_requests();
    let [request] = &requests[..] else { panic!("{} requests", requests.len()) };
    assert_eq!((request.method(), request.uri().path()), (&Method::PUT, "/captured/incoming/request-1"));
    assert!(request.body() == &body, "{} bytes arrived", request.body().len());
    assert!(header(request.headers(), "authorization").contains("/eu-west-1/s3/aws4_request"));
    for (name, expected) in [
        ("content-type", "application/x-any"),
        ("content-length", "10485760"),
        ("x-amz-meta-principal", "192.0.2.1"),
        ("x-amz-meta-trace", TRACE_ID),
        ("user-agent", "AmazonAPIGateway_api1"),
    ] {
        assert_eq!(header(request.headers(), name), expected, "{name}");
    }
}

#[tokio::test]
async fn an_action_is_called_by_the_services_protocol() {
    for (uri, target, content_type, path_and_query) in [
        ("firehose:action/PutRecord", "Firehose_20150804.PutRecord", "application/x-amz-json-1.1", "/"),
        ("kinesis:action/PutRecord", "Kinesis_20131202.PutRecord", "application/x-amz-json-1.1", "/"),
        ("dynamodb:action/GetItem", "DynamoDB_20120810.GetItem", "application/x-amz-json-1.0", "/"),
        ("states:action/StartExecution", "AWSStepFunctions.StartExecution", "application/x-amz-json-1.0", "/"),
        (
            "sqs:action/SendMessage",
            "",
            "application/x-www-form-urlencoded",
            "/?Action=SendMessage&QueueUrl=http%3A%2F%2Fq",
        ),
        ("sns:action/Publish", "", "application/x-www-form-urlencoded", "/?Action=Publish&QueueUrl=http%3A%2F%2Fq"),
        ("sqs:path/123456789012/q", "", "application/json", "/123456789012/q?QueueUrl=http%3A%2F%2Fq"),
    ] {
        let world = world().await;
        let mut definition = service(uri);
        if path_and_query != "/" {
            definition["requestParameters"] = json!({"integration.request.querystring.QueueUrl": "'http://q'"});
        }
        let outcome = world.call(&definition, &Call::post("application/json", "{\"Data\":\"eA==\"}")).await;
        assert_eq!(outcome.result.expect("a method response").status(), 200, "{uri}");
        assert_eq!(outcome.request_id.as_deref(), Some("service-1"), "{uri}");
        let requests = world.service_requests();
        let [request] = &requests[..] else { panic!("{uri}: {} requests", requests.len()) };
        assert_eq!(request.uri(), path_and_query, "{uri}");
        assert_eq!(header(request.headers(), "x-amz-target"), target, "{uri}");
        assert_eq!(header(request.headers(), "content-type"), content_type, "{uri}");
        assert_eq!(request.body(), "{\"Data\":\"eA==\"}", "{uri}");
        let service = uri.split(':').next().unwrap_or_default();
        let scope = format!("/eu-west-1/{service}/aws4_request");
        assert!(header(request.headers(), "authorization").contains(&scope), "{uri}");
    }
}

#[tokio::test]
async fn a_query_can_be_a_form() {
    let world = world().await;
    let mut definition = service("sqs:path/123456789012/q");
    definition["requestParameters"] =
        json!({"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"});
    definition["requestTemplates"] = json!({"application/json": "Action=SendMessage&MessageBody=$body"});
    world.respond(&definition, &Call::post("application/json", "7")).await;
    let requests = world.service_requests();
    assert_eq!(requests[0].body(), "Action=SendMessage&MessageBody=7");
    assert_eq!(header(requests[0].headers(), "content-type"), "application/x-www-form-urlencoded");
}

#[tokio::test]
async fn a_buckets_host_name_becomes_a_path() {
    let world = world().await;
    let mut definition = service("my-bucket.s3:path/{key}");
    definition["httpMethod"] = json!("GET");
    definition["requestParameters"] = json!({"integration.request.path.key": "method.request.path.key"});
    world.respond(&definition, &Call::get().path("key", "a/b c.txt")).await;
    assert_eq!(world.service_requests()[0].uri(), "/my-bucket/a/b%20c.txt");
}

#[tokio::test]
async fn the_status_of_a_services_answer_selects_the_response() {
    let world = World::with_services(|request: &Request<Bytes>| {
        let status = String::from_utf8_lossy(request.body()).parse().expect("a status");
        Answer::Response(response(status, &[], "{\"__type\":\"ServiceUnavailableException\"}"))
    });
    let world = world.await;
    let mut definition = service("firehose:action/PutRecord");
    definition["responses"] = json!({
        "200": {"statusCode": "200", "responseTemplates": {"application/json": "{\"status\":\"OK\"}"}},
        "4\\d{2}": {"statusCode": "400", "responseTemplates": {"application/json": "refused $body"}},
        "default": {"statusCode": "503"},
    });
    for (status, expected, body) in [
        ("200", 200, "{\"status\":\"OK\"}"),
        ("400", 400, "refused {\"__type\":\"ServiceUnavailableException\"}"),
        ("500", 503, "{\"__type\":\"ServiceUnavailableException\"}"),
    ] {
        let outcome = world.call(&definition, &Call::post("application/json", status)).await;
        assert_eq!(outcome.status.map(|code| code.to_string()).as_deref(), Some(status));
        let answer = outcome.result.expect("a method response");
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (expected, body.as_bytes()), "{status}");
    }
}

#[tokio::test]
async fn a_service_wants_a_role_that_there_is() {
    let world = world().await;
    for (credentials, expected) in [
        (json!(null), Some("The integration has no IAM role")),
        (
            json!("arn:aws:iam::123456789012:role/nobody"),
            Some("permission to assume the provided role arn:aws:iam::123456789012:role/nobody"),
        ),
        (json!(ROLE), None),
        (json!("${stageVariables.role}"), None),
        (json!("arn:aws:iam::*:user/*"), None),
    ] {
        let mut definition = service("firehose:action/PutRecord");
        definition["credentials"] = credentials.clone();
        let call = Call::post("application/json", "{}").stage_variable("role", ROLE);
        let before = world.service_requests().len();
        match expected {
            Some(problem) => {
                let (response_type, log) = world.fail(&definition, &call).await;
                assert_eq!(response_type, "API_CONFIGURATION_ERROR");
                assert!(log.contains(problem), "{credentials}: {log}");
                assert_eq!(world.service_requests().len(), before, "{credentials}");
            }
            None => {
                world.respond(&definition, &call).await;
                assert_eq!(world.service_requests().len(), before + 1, "{credentials}");
            }
        }
    }
    let asked = world.server.seen().iter().filter(|request| is_for_iam(request)).count();
    assert_eq!(asked, 2, "one question for each role");
}

#[tokio::test]
async fn a_signed_requests_headers_cannot_be_mapped() {
    let world = world().await;
    let mut definition = service("s3:path/bucket/key");
    definition["requestParameters"] =
        json!({"integration.request.header.Authorization": "method.request.header.Authorization"});
    let call = Call::post("text/plain", "x").header("authorization", "Bearer token");
    let (response_type, log) = world.fail(&definition, &call).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.ends_with("authorization header already present"), "{log}");
}

#[tokio::test]
async fn a_function_is_invoked_by_its_alias() {
    let world = World::new().await;
    world.functions.answer("{\"a\":1}", false);
    let mut definition = function();
    definition["requestTemplates"] = json!({"application/json": "{\"given\":$body}"});
    let call = Call::post("application/json", "[1]").stage_variable("alias", "prod");
    let log = Log::default();
    let outcome = world.explained(&definition, &call, &log).await;
    assert_eq!(outcome.status, Some(200));
    assert_eq!(outcome.result.expect("a method response").body(), "{\"a\":1}");
    let invoked = Invoked {
        arn: FUNCTION.replace("${stageVariables.alias}", "prod"),
        payload: Bytes::from_static(b"{\"given\":[1]}"),
        trace_id: TRACE_ID.to_owned(),
        event: false,
    };
    assert_eq!(*world.functions.invoked.lock().expect("no panic"), [invoked]);
    let uri = "https://lambda.eu-west-1.amazonaws.com/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f:prod/invocations";
    assert!(log.lines().contains(&format!("Endpoint request URI: {uri}")), "{:?}", log.lines());
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html
#[tokio::test]
async fn a_functions_error_message_selects_the_response() {
    let world = World::new().await;
    let call = Call::post("application/json", "{}").stage_variable("alias", "prod");
    for (payload, function_error, expected) in [
        ("{\"errorMessage\":\"Malformed input ...\",\"errorType\":\"E\"}", true, 400),
        ("{\"errorMessage\":\"Task timed out\"}", true, 500),
        ("{\"errorMessage\":\"Malformed\"}", false, 200),
        ("\"no error\"", false, 200),
    ] {
        world.functions.answer(payload, function_error);
        let answer = world.respond(&function(), &call).await;
        assert_eq!((answer.status().as_u16(), answer.body().as_ref()), (expected, payload.as_bytes()));
    }
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html#handle-custom-errors-in-lambda-integration
#[tokio::test]
async fn a_custom_errors_members_can_be_mapped() {
    let world = World::new().await;
    let mut definition = function();
    definition["responses"] = json!({"default": {"statusCode": "200", "responseParameters": {
        "method.response.header.error_status": "integration.response.body.errorMessage.httpStatus",
        "method.response.header.error_trace": "integration.response.body.errorMessage.trace",
    }}});
    let custom = json!({"httpStatus": 500, "trace": {"line": 123}}).to_string();
    let call = Call::post("application/json", "{}").stage_variable("alias", "prod");
    for (message, function_error, expected) in [
        (custom.as_str(), true, [Some("500"), Some(r#"{"line":123}"#)]),
        (&custom, false, [None; 2]),
        ("text", true, [None; 2]),
    ] {
        world.functions.answer(&json!({"errorMessage": message}).to_string(), function_error);
        let answer = world.respond(&definition, &call).await;
        let found = ["error_status", "error_trace"]
            .map(|name| answer.headers().get(name).map(|value| value.to_str().expect("text")));
        assert_eq!(found, expected, "{message}");
    }
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-integration-async.html
#[tokio::test]
async fn nobody_waits_for_an_event() {
    let world = World::new().await;
    world.functions.answer("", false);
    let mut definition = function();
    definition["requestParameters"] = json!({"integration.request.header.X-Amz-Invocation-Type": "'Event'"});
    let outcome = world.call(&definition, &Call::post("application/json", "{}").stage_variable("alias", "prod")).await;
    assert_eq!(outcome.status, Some(202));
    assert_eq!(outcome.result.expect("a method response").body(), "");
    assert!(world.functions.invoked.lock().expect("no panic")[0].event);
}

#[tokio::test]
async fn a_refused_invocation_is_a_mistake_or_an_answer() {
    let world = World::new().await;
    let call = Call::post("application/json", "{}").stage_variable("alias", "prod");
    for (status, code) in [(404, "ResourceNotFoundException"), (403, "AccessDeniedException")] {
        world.functions.refuse(status, code);
        let (response_type, log) = world.fail(&function(), &call).await;
        assert_eq!(response_type, "API_CONFIGURATION_ERROR");
        assert!(log.contains("Invalid permissions on Lambda function") && log.contains(code), "{log}");
    }
    world.functions.refuse(429, "TooManyRequestsException");
    let answer = world.respond(&function(), &call).await;
    assert_eq!(
        (answer.status().as_u16(), answer.body().as_ref()),
        (429, &b"{\"Type\":\"User\",\"message\":\"not now\"}"[..])
    );
}

/// https://repost.aws/knowledge-center/api-gateway-lambda-template-invoke-error
#[tokio::test]
async fn a_function_is_invoked_by_post_alone() {
    let world = World::new().await;
    let mut definition = function();
    definition["httpMethod"] = json!("GET");
    let (response_type, log) = world.fail(&definition, &Call::get().stage_variable("alias", "prod")).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.contains("give the integration `httpMethod: POST`"), "{log}");
    assert!(world.functions.invoked.lock().expect("no panic").is_empty());
}

#[tokio::test]
async fn a_stage_variable_that_is_missing_is_named() {
    let world = World::new().await;
    let (response_type, log) = world.fail(&function(), &Call::post("application/json", "{}")).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.ends_with("the stage has no variable 'alias'"), "{log}");
}
