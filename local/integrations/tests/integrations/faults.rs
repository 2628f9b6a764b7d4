//! Endpoints that are away, slow or broken, and that the next request finds them well.
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::net::TcpSocket;

use crate::server::{Answer, End, Server, response};
use crate::world::{Call, ROLE, World};

fn endpoint(uri: &str) -> Value {
    json!({"type": "http", "httpMethod": "GET", "uri": uri, "timeoutInMillis": 29_000,
        "responses": {"default": {"statusCode": "200"}}})
}

/// An address at which nobody listens, for as long as the socket is there.
fn nowhere() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a free port");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

/// The failure's status, and its text for the client.
async fn failure(world: &World, definition: &Value) -> (u16, &'static str, String) {
    let failure = world.call(definition, &Call::get()).await.result.expect_err("no method response");
    (failure.status(), failure.response_type(), failure.message().to_owned())
}

#[tokio::test]
async fn a_refused_connection_is_a_failure() {
    let world = World::new().await;
    let (_held, address) = nowhere();
    let outcome = failure(&world, &endpoint(&format!("http://{address}"))).await;
    assert_eq!(outcome, (504, "INTEGRATION_FAILURE", "Network error communicating with endpoint".to_owned()));
}

/// https://repost.aws/knowledge-center/api-gateway-500-error-vpc
#[tokio::test]
async fn nothing_behind_a_vpc_link_is_a_mistake() {
    let world = World::new().await;
    let (_held, address) = nowhere();
    world.network.put("nlb.example.com", 81, Some("link"), address);
    for port in [80, 81] {
        let mut definition = endpoint(&format!("http://nlb.example.com:{port}"));
        definition["connectionType"] = json!("VPC_LINK");
        definition["connectionId"] = json!("link");
        let (response_type, log) = world.fail(&definition, &Call::get()).await;
        assert_eq!(response_type, "API_CONFIGURATION_ERROR");
        assert!(log.contains("There was an internal error while executing your request: VPC link link"), "{log}");
    }
}

#[tokio::test]
async fn a_host_that_nobody_knows_is_a_mistake() {
    let world = World::new().await;
    let (response_type, log) = world.fail(&endpoint("http://host.invalid/"), &Call::get()).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.contains("Invalid endpoint address: host host.invalid has no address"), "{log}");
}

#[tokio::test]
async fn an_address_that_is_none_is_a_mistake() {
    let world = World::new().await;
    for (host, problem) in
        [("", "Invalid endpoint address http:///x"), ("a b", "Invalid endpoint address http://a b/x")]
    {
        let definition = endpoint("http://${stageVariables.host}/x");
        let (response_type, log) = world.fail(&definition, &Call::get().stage_variable("host", host)).await;
        assert_eq!(response_type, "API_CONFIGURATION_ERROR");
        assert!(log.contains(problem), "{log}");
    }
}

#[tokio::test]
async fn silence_ends_with_the_integrations_time() {
    let (world, server) = (World::new().await, Server::start(|_| Answer::Silence).await);
    let mut definition = endpoint(&server.url());
    definition["timeoutInMillis"] = json!(50);
    let outcome = failure(&world, &definition).await;
    assert_eq!(outcome, (504, "INTEGRATION_TIMEOUT", "Endpoint request timed out".to_owned()));
}

#[tokio::test]
async fn a_service_that_is_silent_times_out_too() {
    let world = World::with_services(|_| Answer::Silence).await;
    let definition = json!({
        "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:firehose:action/PutRecord",
        "credentials": ROLE, "timeoutInMillis": 500, "responses": {"default": {"statusCode": "200"}},
    });
    let (response_type, log) = world.fail(&definition, &Call::post("application/json", "{}")).await;
    assert_eq!(response_type, "INTEGRATION_TIMEOUT");
    assert!(log.ends_with("no answer within 500 ms"), "{log}");
}

#[tokio::test]
async fn a_broken_response_is_a_failure_and_the_next_is_well() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let server = Server::start(move |_| match broken.load(Ordering::SeqCst) {
        true => Answer::Chunks(vec![Bytes::from_static(b"half")], End::Broken),
        false => Answer::Response(response(200, &[], "whole")),
    });
    let (world, server) = (World::new().await, server.await);
    let definition = endpoint(&server.url());
    let (status, response_type, _) = failure(&world, &definition).await;
    assert_eq!((status, response_type), (504, "INTEGRATION_FAILURE"));
    is_broken.store(false, Ordering::SeqCst);
    assert_eq!(world.respond(&definition, &Call::get()).await.body(), "whole");
}

#[tokio::test]
async fn without_the_control_plane_services_fail_and_endpoints_do_not() {
    let (_held, address) = nowhere();
    let world =
        World::with_control_plane_at(&format!("http://{address}"), Server::always(response(200, &[], "ok")).await);
    let definition = json!({
        "type": "aws", "httpMethod": "POST", "uri": "arn:aws:apigateway:eu-west-1:firehose:action/PutRecord",
        "credentials": ROLE, "responses": {"default": {"statusCode": "200"}},
    });
    let (response_type, log) = world.fail(&definition, &Call::post("application/json", "{}")).await;
    assert_eq!(response_type, "INTEGRATION_FAILURE", "{log}");
    assert_eq!(world.respond(&endpoint(&world.server.url()), &Call::get()).await.body(), "ok");
}
