//! HTTP and HTTP_PROXY.
//! https://docs.aws.amazon.com/apigateway/latest/developerguide/setup-http-integrations.html

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Version};
use local_integrations::MAX_PAYLOAD_BYTES;
use serde_json::{Value, json};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::server::{Answer, End, Server, response};
use crate::world::{Call, Log, TRACE_ID, World, header};

/// Passes everything on, whatever the method.
fn proxy(uri: &str) -> Value {
    json!({
        "type": "http_proxy",
        "httpMethod": "ANY",
        "uri": format!("{uri}/{{proxy}}"),
        "requestParameters": {"integration.request.path.proxy": "method.request.path.proxy"},
    })
}

/// Bytes that are no text, and that no conversion leaves alone.
fn binary(length: usize) -> Bytes {
    (0..length).map(|index| (index * 31 % 251) as u8 ^ 0x80).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn a_request_is_mapped_to_the_endpoint() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let definition = json!({
        "type": "http",
        "httpMethod": "PUT",
        "uri": "http://${stageVariables.host}/pets/{id}?fixed=1",
        "requestParameters": {
            "integration.request.path.id": "method.request.path.petId",
            "integration.request.querystring.type": "method.request.querystring.kind",
            "integration.request.querystring.all": "method.request.multivaluequerystring.tag",
            "integration.request.header.X-Name": "method.request.body.name",
            "integration.request.header.X-Source": "context.identity.sourceIp",
            "integration.request.header.X-Fixed": "'yes'",
            "integration.request.header.X-None": "method.request.header.none",
        },
        "responses": {"default": {"statusCode": "200"}},
    });
    let call = Call::post("application/json", "{\"name\":\"Rex\"}")
        .path("petId", "a b")
        .query("kind", "dog")
        .query("tag", "1")
        .query("tag", "2&3")
        .header("x-private", "stays here")
        .stage_variable("host", &endpoint.address.to_string());
    world.respond(&definition, &call).await;

    let request = endpoint.only();
    assert_eq!((request.method(), request.version()), (&Method::PUT, Version::HTTP_11));
    assert_eq!(request.uri(), "/pets/a%20b?fixed=1&all=1&all=2%263&type=dog");
    assert_eq!(request.body(), "{\"name\":\"Rex\"}");
    for (name, expected) in [
        ("x-name", "Rex"),
        ("x-source", "192.0.2.1"),
        ("x-fixed", "yes"),
        ("x-none", ""),
        ("x-private", ""),
        ("accept", "application/json"),
        ("content-type", "application/json"),
        ("content-length", "14"),
        ("user-agent", "AmazonAPIGateway_api1"),
        ("x-amzn-apigateway-api-id", "api1"),
        ("x-amzn-trace-id", TRACE_ID),
        ("host", &endpoint.address.to_string()),
    ] {
        assert_eq!(header(request.headers(), name), expected, "{name}");
    }
}

#[tokio::test]
async fn a_response_is_mapped_to_the_method() {
    let answer = response(
        404,
        &[("etag", "\"1\""), ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-else", "no")],
        "{\"a\":{\"b\":7}}",
    );
    let (world, endpoint) = (World::new().await, Server::always(answer).await);
    let definition = json!({
        "type": "http", "httpMethod": "GET", "uri": endpoint.url(),
        "responses": {
            "default": {"statusCode": "200"},
            "4\\d{2}": {"statusCode": "410", "responseParameters": {
                "method.response.header.X-Tag": "integration.response.header.ETag",
                "method.response.header.X-Cookies": "integration.response.multivalueheader.Set-Cookie",
                "method.response.header.X-Field": "integration.response.body.a.b",
                "method.response.header.X-Body": "integration.response.body",
                "method.response.header.Server": "'ours'",
            }},
        },
    });
    let outcome = world.call(&definition, &Call::get()).await;
    assert_eq!(outcome.status, Some(404));
    let response = outcome.result.expect("a method response");
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (410, &b"{\"a\":{\"b\":7}}"[..]));
    for (name, expected) in [
        ("x-tag", "\"1\""),
        ("x-cookies", "a=1,b=2"),
        ("x-field", "7"),
        ("x-body", "{\"a\":{\"b\":7}}"),
        ("x-else", ""),
        ("server", ""),
        ("x-amzn-remapped-server", "ours"),
        ("content-type", "application/json"),
    ] {
        assert_eq!(header(response.headers(), name), expected, "{name}");
    }
}

/// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html
#[tokio::test]
async fn a_proxy_passes_on_what_the_client_sent() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let mut definition = proxy(&endpoint.url());
    definition["requestParameters"]["integration.request.header.X-Who"] = json!("'mapped'");
    definition["requestParameters"]["integration.request.querystring.more"] = json!("'1'");
    let mut call = Call::new(Method::PATCH)
        .path("proxy", "a/b c")
        .query("x", "1")
        .query("x", "ü")
        .header("accept", "text/html")
        .header("authorization", "Bearer token")
        .header("cookie", "a=1")
        .header("host", "api1.execute-api.eu-west-1.amazonaws.com")
        .header("te", "trailers")
        .header("user-agent", "curl/8")
        .header("x-forwarded-for", "192.0.2.1")
        .header("x-many", "1")
        .header("x-many", "2")
        .header("x-who", "client");
    call.body = Bytes::from_static(b"text");
    world.respond(&definition, &call).await;

    let request = endpoint.only();
    assert_eq!(request.method(), Method::PATCH);
    assert_eq!(request.uri(), "/a/b%20c?x=1&x=%C3%BC&more=1");
    assert_eq!(request.body(), "text");
    for (name, expected) in [
        ("accept", "text/html"),
        ("authorization", "Bearer token"),
        ("cookie", "a=1"),
        ("host", &endpoint.address.to_string()),
        ("te", ""),
        ("content-type", ""),
        ("user-agent", "curl/8"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-who", "mapped"),
        ("x-amzn-trace-id", TRACE_ID),
        ("x-amzn-apigateway-api-id", "api1"),
    ] {
        assert_eq!(header(request.headers(), name), expected, "{name}");
    }
    let many: Vec<_> = request.headers().get_all("x-many").iter().collect();
    assert_eq!(many, ["1", "2"]);
}

#[tokio::test]
async fn a_proxy_gives_back_what_the_endpoint_answered() {
    let answer = response(
        418,
        &[
            ("content-type", "text/plain"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2"),
            ("server", "teapot"),
            ("via", "x"),
        ],
        "short and stout",
    );
    let (world, endpoint) = (World::new().await, Server::always(answer).await);
    let response = world.respond(&proxy(&endpoint.url()), &Call::get().path("proxy", "tea")).await;
    assert_eq!((response.status().as_u16(), response.body().as_ref()), (418, &b"short and stout"[..]));
    for (name, expected) in [
        ("content-type", "text/plain"),
        ("server", ""),
        ("x-amzn-remapped-server", "teapot"),
        ("content-length", ""),
        ("x-amzn-remapped-content-length", "15"),
        ("via", ""),
    ] {
        assert_eq!(header(response.headers(), name), expected, "{name}");
    }
    let cookies: Vec<_> = response.headers().get_all("set-cookie").iter().collect();
    assert_eq!(cookies, ["a=1", "b=2"]);
}

/// The client's Host is API Gateway's own; a mapping may say another.
#[tokio::test]
async fn a_host_can_be_mapped() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    world.network.put("alb.example.com", 80, None, endpoint.address);
    for uri in ["http://alb.example.com".to_owned(), endpoint.url()] {
        let mut definition = proxy(&uri);
        definition["requestParameters"]["integration.request.header.Host"] = json!("'other.example.com'");
        let call = Call::get().path("proxy", "x").header("host", "client.example.com");
        world.respond(&definition, &call).await;
    }
    let hosts: Vec<_> = endpoint.seen().iter().map(|request| header(request.headers(), "host").to_owned()).collect();
    assert_eq!(hosts, ["other.example.com", "other.example.com"]);
}

#[tokio::test]
async fn what_belongs_to_the_connection_cannot_be_mapped() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let mut definition = proxy(&endpoint.url());
    definition["requestParameters"]["integration.request.header.Transfer-Encoding"] = json!("'chunked'");
    let (response_type, log) = world.fail(&definition, &Call::get().path("proxy", "x")).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR");
    assert!(log.ends_with("transfer-encoding header already present"), "{log}");
    assert!(endpoint.seen().is_empty());
}

#[tokio::test]
async fn ten_megabytes_pass_untouched_both_ways() {
    let world = World::new().await;
    let endpoint = Server::start(|request| {
        Answer::Response(response(200, &[("content-type", "application/x-any")], request.body().clone()))
    });
    let endpoint = endpoint.await;
    let body = binary(MAX_PAYLOAD_BYTES);
    let call = Call::post("application/octet-stream", body.clone()).path("proxy", "echo").binary(&["*/*"]);
    let mapped = json!({
        "type": "http", "httpMethod": "POST", "uri": endpoint.url(), "responses": {"default": {"statusCode": "200"}},
    });
    for definition in [proxy(&endpoint.url()), mapped] {
        let response = world.respond(&definition, &call).await;
        assert!(response.body() == &body, "{} bytes came back", response.body().len());
    }
    assert!(endpoint.seen().iter().all(|request| request.body() == &body));
}

/// The same body, of a type that is not in the API's list, is taken for a text, and broken.
#[tokio::test]
async fn a_binary_body_of_a_type_that_is_none_is_taken_for_text() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let call = Call::post("image/png", vec![0xff, b'a']).path("proxy", "x").binary(&["image/jpeg"]);
    world.respond(&proxy(&endpoint.url()), &call).await;
    assert_eq!(endpoint.only().body(), "\u{fffd}a");
}

#[tokio::test]
async fn more_than_ten_megabytes_are_not_given_back() {
    let world = World::new().await;
    let known = Server::always(response(200, &[], binary(MAX_PAYLOAD_BYTES + 1))).await;
    let unknown = Server::start(|_| {
        Answer::Chunks(vec![Bytes::from(vec![0; MAX_PAYLOAD_BYTES]), Bytes::from_static(b"x")], End::Proper)
    });
    for endpoint in [known, unknown.await] {
        let call = Call::get().path("proxy", "x").binary(&["*/*"]);
        let (response_type, log) = world.fail(&proxy(&endpoint.url()), &call).await;
        assert_eq!(response_type, "API_CONFIGURATION_ERROR");
        assert!(log.ends_with("larger than allowed maximum of 10485760 bytes."), "{log}");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let answer = response(302, &[("location", "http://127.0.0.1:1/elsewhere")], "");
    let (world, endpoint) = (World::new().await, Server::always(answer).await);
    let response = world.respond(&proxy(&endpoint.url()), &Call::get().path("proxy", "x")).await;
    assert_eq!(response.status(), 302);
    assert_eq!(header(response.headers(), "location"), "http://127.0.0.1:1/elsewhere");
}

#[tokio::test]
async fn a_get_has_no_body() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "")).await);
    let definition = json!({
        "type": "http", "httpMethod": "GET", "uri": endpoint.url(),
        "requestTemplates": {"application/json": "{\"a\":1}"},
        "responses": {"default": {"statusCode": "200"}},
    });
    world.respond(&definition, &Call::get()).await;
    assert_eq!(endpoint.only().body(), "");
}

#[tokio::test]
async fn a_load_balancers_name_leads_to_this_machine() {
    let (world, endpoint) = (World::new().await, Server::always(response(200, &[], "ok")).await);
    world.network.put("nlb.elb.eu-west-1.amazonaws.com", 80, Some("link1"), endpoint.address);
    world.network.put("alb.example.com", 8443, None, endpoint.address);
    let mut behind_link = proxy("http://nlb.elb.eu-west-1.amazonaws.com");
    behind_link["connectionType"] = json!("VPC_LINK");
    behind_link["connectionId"] = json!("${stageVariables.link}");
    let call = Call::get().path("proxy", "x").stage_variable("link", "link1");
    // TLS ends before what is local.
    for definition in [behind_link, proxy("https://alb.example.com:8443")] {
        assert_eq!(world.respond(&definition, &call).await.body(), "ok");
    }
    let hosts: Vec<_> = endpoint.seen().iter().map(|request| header(request.headers(), "host").to_owned()).collect();
    assert_eq!(hosts, ["nlb.elb.eu-west-1.amazonaws.com", "alb.example.com:8443"]);
}

/// https://docs.aws.amazon.com/apigateway/latest/api/API_TlsConfig.html
#[tokio::test]
async fn a_certificate_is_looked_at_unless_told_otherwise() {
    let issued = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
    let key = PrivateKeyDer::Pkcs8(issued.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![issued.cert.der().clone()], key)
        .expect("a key for the certificate");
    let answer = |_: &http::Request<Bytes>| Answer::Response(response(200, &[], "secret"));
    let endpoint = Server::start_with(answer, Some(TlsAcceptor::from(Arc::new(config)))).await;
    let world = World::new().await;
    let mut definition = proxy(&format!("https://{}", endpoint.address));
    let call = Call::get().path("proxy", "x");

    let (response_type, log) = world.fail(&definition, &call).await;
    assert_eq!(response_type, "API_CONFIGURATION_ERROR", "{log}");
    assert!(log.contains("the endpoint's certificate does not hold"), "{log}");
    assert!(endpoint.seen().is_empty());

    definition["tlsConfig"] = json!({"insecureSkipVerification": true});
    assert_eq!(world.respond(&definition, &call).await.body(), "secret");
}

#[tokio::test]
async fn every_step_is_explained() {
    let answer = response(404, &[("etag", "\"1\"")], "gone");
    let (world, endpoint, log) = (World::new().await, Server::always(answer).await, Log::default());
    let definition = json!({
        "type": "http", "httpMethod": "POST", "uri": endpoint.url(),
        "requestParameters": {
            "integration.request.header.x-a": "'1'",
            "integration.request.header.x-b": "method.request.header.none",
        },
        "responses": {
            "default": {"statusCode": "200"},
            "4\\d{2}": {"statusCode": "410", "responseParameters": {
                "method.response.header.X-Tag": "integration.response.header.ETag",
            }},
        },
    });
    let call = Call::post("text/plain", "hello").header("authorization", "Bearer token");
    world.explained(&definition, &call, &log).await.result.expect("a method response");
    let url = endpoint.url();
    let lines = log.lines();
    for line in [
        "Request template: none, the body is passed on",
        "Request parameter: integration.request.header.x-a from '1'",
        "Request parameter: integration.request.header.x-b from method.request.header.none has no value",
        &format!("Endpoint request URI: {url}"),
        "Endpoint request body after transformations: hello",
        &format!("Sending request to {url}"),
        "Endpoint response body before transformations: gone",
        "Integration response: 4\\d{2} → 410",
        "Response parameter: method.response.header.X-Tag from integration.response.header.ETag",
        "Method response body after transformations: gone",
    ] {
        assert!(lines.iter().any(|said| said == line), "{line} is not in {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("token")), "{lines:#?}");
}

#[tokio::test]
async fn a_failure_is_explained() {
    let (world, log) = (World::new().await, Log::default());
    let outcome = world.explained(&proxy("http://host.invalid"), &Call::get().path("proxy", "x"), &log).await;
    let failure = outcome.result.expect_err("no method response");
    assert_eq!(log.lines().last(), Some(&failure.to_string()));
}
