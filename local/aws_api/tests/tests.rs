//! The client against a server that says what it was asked.

use std::convert::Infallible;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use local_aws_api::{AwsApi, Error};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Answers every request with `status` and `body`, or, when `body` is empty, with what it was asked.
async fn server(status: u16, body: &'static str) -> AwsApi {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(move |request: Request<hyper::body::Incoming>| async move {
                let (parts, asked) = request.into_parts();
                let asked = asked.collect().await.unwrap().to_bytes();
                let answer = if body.is_empty() && !parts.uri.path().contains("nothing") {
                    let header = |name: &str| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
                    json!({
                        "request": format!("{} {}", parts.method, parts.uri),
                        "authorization": header("authorization"),
                        "target": header("x-amz-target"),
                        "type": header("content-type"),
                        "body": String::from_utf8(asked.to_vec()).unwrap(),
                    })
                    .to_string()
                } else {
                    body.to_owned()
                };
                Ok::<_, Infallible>(Response::builder().status(status).body(Full::new(Bytes::from(answer))).unwrap())
            });
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
        }
    });
    AwsApi::new(&endpoint, "eu-west-1").unwrap()
}

#[tokio::test]
async fn a_call_says_its_service_and_region() {
    let api = server(200, "").await;
    let asked =
        api.json("ecs", "AmazonEC2ContainerServiceV20141113.ListTasks", &json!({"cluster": "c"})).await.unwrap();
    assert_eq!(asked["request"], "POST /");
    assert_eq!(asked["target"], "AmazonEC2ContainerServiceV20141113.ListTasks");
    assert_eq!(asked["type"], "application/x-amz-json-1.1");
    assert_eq!(asked["body"], r#"{"cluster":"c"}"#);
    let authorization = asked["authorization"].as_str().unwrap();
    assert!(authorization.contains("/eu-west-1/ecs/aws4_request"), "{authorization}");
}

#[tokio::test]
async fn a_rest_call_is_its_path() {
    let api = server(200, "").await;
    let asked = api.rest("apigateway", Method::GET, "/restapis?limit=500", None).await.unwrap();
    assert_eq!((&asked["request"], &asked["body"]), (&json!("GET /restapis?limit=500"), &json!("")));
    assert_eq!(api.own(Method::PUT, "/_control_plane/nothing", Some(&json!({}))).await.unwrap(), Value::Null);
}

#[tokio::test]
async fn a_request_is_sent_as_it_is_but_to_the_control_plane() {
    let api = server(200, "").await;
    let request = Request::put("https://s3.eu-west-1.amazonaws.com/bucket/key?a=b").header("host", "elsewhere");
    let answer = api.send("s3", request.body(Bytes::from_static(b"body")).unwrap()).await.unwrap();
    let asked: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!((&asked["request"], &asked["body"]), (&json!("PUT /bucket/key?a=b"), &json!("body")));
}

#[tokio::test]
async fn a_form_is_encoded() {
    let api = server(200, "<ListResponse><Result>yes</Result></ListResponse>").await;
    let parameters = [("Names.member.1", "a b&c=é")];
    let answer = api.query("elasticloadbalancing", "2015-12-01", "List", &parameters).await.unwrap();
    assert_eq!((answer.name(), answer.text_of("Result")), ("ListResponse", Some("yes")));
    let unreadable = server(200, "").await.query("elasticloadbalancing", "2015-12-01", "List", &parameters).await;
    assert!(matches!(unreadable, Err(Error::Unreadable { .. })), "{unreadable:?}");
}

#[tokio::test]
async fn an_error_has_the_name_that_aws_gives_it() {
    let table = [
        (r#"{"__type":"com.amazonaws.ecs#ClusterNotFoundException","message":"no"}"#, "ClusterNotFoundException", "no"),
        (r#"{"Message":"never"}"#, "no error code", "never"),
        (
            "<E><Error><Code>LoadBalancerNotFound</Code><Message>gone</Message></Error></E>",
            "LoadBalancerNotFound",
            "gone",
        ),
        ("surprise", "no error code", "surprise"),
    ];
    for (body, expected, words) in table {
        let error = server(400, body).await.json("ecs", "X.Describe", &json!({})).await.unwrap_err();
        let Error::Refused { code, message, status, .. } = &error else { panic!("{error}") };
        assert_eq!((code.as_str(), message.as_str(), status.as_u16()), (expected, words, 400));
        assert_eq!(error.is_not_found(), expected.contains("NotFound"));
        assert!(error.to_string().starts_with("ecs Describe: 400 Bad Request"), "{error}");
    }
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let api = AwsApi::new(&format!("http://{free}"), "eu-west-1").unwrap();
    let error = api.json("ecs", "X.Describe", &json!({})).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
    assert!(error.to_string().contains("Connection refused"), "{error}");
}

#[test]
fn only_this_machine_is_an_end_point() {
    for endpoint in
        ["https://127.0.0.1:1", "http://ecs.eu-west-1.amazonaws.com", "127.0.0.1:5000", "", "http://127.0.0.1/x"]
    {
        let error = AwsApi::new(endpoint, "eu-west-1").unwrap_err().to_string();
        assert!(error.contains("http://127.0.0.1:PORT"), "{error}");
    }
    assert_eq!(AwsApi::new("http://[::1]:5000/", "x").unwrap().endpoint(), "http://[::1]:5000");
}
