//! What a client of a load balancer sees.

use std::sync::Arc;

use http::{Request, StatusCode};
use local_containers::rule::{Action, Condition, Redirect};
use local_containers::snapshot::{ForwardedFor, LoadBalancerKind};
use local_waf::{Firewall, WebAcl};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{
    BALANCER, DNS_NAME, Deployed, GROUP, balancer, eventually, forward, rule, send, target_group, try_send, within,
};

fn header<'a>(head: &'a Value, name: &str) -> Option<&'a str> {
    head.as_array().unwrap().iter().find(|pair| pair[0] == name).and_then(|pair| pair[1].as_str())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_reaches_a_task_with_what_the_load_balancer_adds() {
    let deployed = Deployed::new().await;
    deployed.steady().await;
    let request = Request::get("/head?a=1")
        .header("host", "api.example.com")
        .header("x-forwarded-for", "203.0.113.7")
        .header("x-forwarded-proto", "https")
        .header("x_invalid", "1")
        .header("connection", "x-hop")
        .header("x-hop", "1");
    let answer = send(deployed.address(), request).await;
    assert_eq!(answer.status, StatusCode::OK);
    let head = answer.json();
    assert_eq!(header(&head, "host"), Some("api.example.com"));
    assert_eq!(header(&head, "x-forwarded-for"), Some("203.0.113.7, 127.0.0.1"));
    assert_eq!(header(&head, "x-forwarded-proto"), Some("http"), "the listener's, whatever the client says");
    assert_eq!(header(&head, "x-forwarded-port"), Some("80"));
    assert!(header(&head, "x-amzn-trace-id").unwrap().starts_with("Root=1-"));
    assert_eq!((header(&head, "x_invalid"), header(&head, "x-hop")), (None, None));
    assert!(answer.header("server").starts_with("BaseHTTP"), "the task's own");
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_effect_without_a_new_port() {
    let mut deployed = Deployed::new().await;
    deployed.steady().await;
    let before = deployed.address();
    deployed.balancer().attributes.forwarded_for = ForwardedFor::Remove;
    deployed.apply().await;
    assert_eq!(deployed.address(), before);
    let head = send(before, Request::get("/head").header("x-forwarded-for", "203.0.113.7")).await.json();
    assert_eq!(header(&head, "x-forwarded-for"), None);
    deployed.balancer().listeners.clear();
    deployed.apply().await;
    assert_eq!(deployed.containers.resolve(DNS_NAME, 80), None);
    eventually("the port is closed", async || TcpStream::connect(before).await.err()).await;
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_stream_both_ways_at_the_same_time() {
    let deployed = Deployed::new().await;
    deployed.steady().await;
    let mut stream = TcpStream::connect(deployed.address()).await.unwrap();
    stream.write_all(b"POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n").await.unwrap();
    let mut received = String::new();
    for piece in ["first", "second", "third"] {
        stream.write_all(format!("{:x}\r\n{piece}\r\n", piece.len()).as_bytes()).await.unwrap();
        // The next piece is sent only when this one has come back.
        within("the piece comes back", async {
            while !received.contains(piece) {
                let mut buffer = [0; 1024];
                let size = stream.read(&mut buffer).await.unwrap();
                assert_ne!(size, 0, "closed after {received}");
                received.push_str(std::str::from_utf8(&buffer[..size]).unwrap());
            }
        })
        .await;
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    within("the end comes back", async {
        while !received.ends_with("0\r\n\r\n") {
            let mut buffer = [0; 1024];
            let size = stream.read(&mut buffer).await.unwrap();
            assert_ne!(size, 0, "closed after {received}");
            received.push_str(std::str::from_utf8(&buffer[..size]).unwrap());
        }
    })
    .await;
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n"), "{received}");
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rules_answer_redirect_and_forward() {
    let mut deployed = Deployed::new().await;
    let path = |path: &str| Condition::PathPattern(vec![path.into()]);
    let part = |part: &str| part.to_owned();
    deployed.balancer().listeners[0].default_action = Action::Redirect(Redirect {
        protocol: part("HTTPS"),
        host: part("#{host}"),
        port: part("443"),
        path: part("/#{path}"),
        query: part("#{query}"),
        status: 301,
    });
    let fixed = Action::FixedResponse { status: 418, content_type: Some("text/plain".into()), body: "no".into() };
    deployed.balancer().listeners[0].rules = vec![rule(20, path("/*"), forward(GROUP)), rule(10, path("/no*"), fixed)];
    deployed.balancer().listeners[0].rules[0].conditions.push(Condition::HttpRequestMethod(vec!["GET".into()]));
    deployed.steady().await;
    assert_eq!(deployed.get("/yes").await.body, "fixture");
    let no = deployed.get("/nothing").await;
    assert_eq!((no.status.as_u16(), no.body.as_str(), no.header("content-type")), (418, "no", "text/plain"));
    assert_eq!(no.header("server"), "awselb/2.0");
    let elsewhere = send(deployed.address(), Request::head("/a/b?c=d").header("host", "api.example.com:80")).await;
    assert_eq!(elsewhere.status, StatusCode::MOVED_PERMANENTLY);
    assert_eq!(elsewhere.header("location"), "https://api.example.com:443/a/b?c=d");
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_target_the_answer_is_503() {
    let mut deployed = Deployed::new().await;
    deployed.snapshot.services.clear();
    deployed.apply().await;
    let answer = deployed.get("/").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        answer.body,
        "<html>\r\n<head><title>503 Service Temporarily Unavailable</title></head>\r\n<body>\r\n\
         <center><h1>503 Service Temporarily Unavailable</h1></center>\r\n</body>\r\n</html>\r\n"
    );
    assert_eq!((answer.header("server"), answer.header("content-type")), ("awselb/2.0", "text/html"));
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_ends_during_a_request_is_a_502_and_is_replaced() {
    let deployed = Deployed::new().await;
    deployed.steady().await;
    let before = deployed.get("/pid").await.body;
    let answer = deployed.get("/exit").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.body.contains("<h1>502 Bad Gateway</h1>"), "{}", answer.body);
    let after = eventually("another task answers", async || {
        let answer = deployed.get("/pid").await;
        (answer.status == StatusCode::OK).then_some(answer.body)
    })
    .await;
    assert_ne!(before, after);
    let told =
        eventually("ECS tells of both", async || Some(deployed.control_plane.tasks()).filter(|tasks| tasks.len() == 2))
            .await;
    let ended = told.iter().find(|task| task["lastStatus"] == "STOPPED").unwrap();
    assert_eq!(ended["stopCode"], "EssentialContainerExited");
    assert_eq!(ended["containers"][0]["exitCode"], 3);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_target_that_says_nothing_for_the_idle_time_out_is_a_504() {
    let mut deployed = Deployed::new().await;
    let never = deployed.folder.file("never").display().to_string();
    deployed.environment().insert("RELEASE_FILE".into(), never);
    deployed.balancer().attributes.idle_timeout = std::time::Duration::from_millis(200);
    deployed.steady().await;
    let answer = deployed.get("/hang").await;
    assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    assert!(answer.body.contains("<h1>504 Gateway Time-out</h1>"), "{}", answer.body);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_unhealthy_targets_only_they_get_the_requests() {
    let mut deployed = Deployed::new().await;
    let ready = deployed.folder.file("ready");
    deployed.environment().insert("READY_FILE".into(), ready.display().to_string());
    // Slow enough to see the target while it is new.
    deployed.snapshot.target_groups[0].health_check.interval = std::time::Duration::from_secs(50);
    deployed.apply().await;
    eventually("the target is new", async || (deployed.control_plane.states() == ["initial"]).then_some(())).await;
    assert_eq!(deployed.get("/").await.status, StatusCode::SERVICE_UNAVAILABLE);
    eventually("the target is unhealthy", async || (deployed.control_plane.states() == ["unhealthy"]).then_some(()))
        .await;
    assert_eq!(deployed.get("/").await.status, StatusCode::OK, "AWS fails open");
    std::fs::write(&ready, "").unwrap();
    eventually("the target is healthy", async || (deployed.control_plane.states() == ["healthy"]).then_some(())).await;
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_take_turns() {
    let mut deployed = Deployed::new().await;
    deployed.service().task_sets[0].desired_count = 2;
    deployed.steady().await;
    let mut pids = std::collections::BTreeMap::<String, u32>::new();
    for _ in 0..6 {
        *pids.entry(deployed.get("/pid").await.body).or_default() += 1;
    }
    assert_eq!(pids.into_values().collect::<Vec<_>>(), [3, 3]);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_acl_refuses_before_a_task_sees_anything() {
    let definition = json!({
        "Name": "test", "DefaultAction": { "Allow": {} },
        "Rules": [{
            "Name": "admin", "Priority": 1, "Action": { "Block": {} },
            "Statement": { "ByteMatchStatement": {
                "SearchString": "L2FkbWlu", "FieldToMatch": { "UriPath": {} },
                "TextTransformations": [{ "Priority": 0, "Type": "NONE" }], "PositionalConstraint": "STARTS_WITH",
            }},
            "VisibilityConfig": { "SampledRequestsEnabled": false, "CloudWatchMetricsEnabled": false, "MetricName": "admin" },
        }],
    });
    let web_acl = Arc::new(WebAcl::parse(&definition).unwrap());
    let deployed = Deployed::behind(Firewall::protecting([(BALANCER.to_owned(), web_acl)])).await;
    deployed.steady().await;
    let refused = deployed.get("/admin/things").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("<h1>403 Forbidden</h1>"), "{}", refused.body);
    assert_eq!(deployed.get("/things").await.status, StatusCode::OK);
    deployed.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_load_balancer_passes_through_to_an_application_load_balancer() {
    let mut deployed = Deployed::new().await;
    let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/inner/2";
    let network = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/inner/2";
    let mut to_alb = target_group(group);
    to_alb.target_type = "alb".into();
    to_alb.registered = vec![(BALANCER.into(), 80)];
    deployed.snapshot.target_groups.push(to_alb);
    let name = "inner-2.elb.eu-west-1.amazonaws.com";
    deployed.snapshot.load_balancers.push(balancer(network, name, LoadBalancerKind::Network, forward(group)));
    deployed.steady().await;
    let address = deployed.containers.resolve(&name.to_uppercase(), 80).unwrap();
    assert_ne!(address, deployed.address());
    // Before its target is healthy, a network load balancer closes what it accepts.
    let head =
        eventually("the way through is open", async || try_send(address, Request::get("/head")).await.ok()).await;
    assert_eq!(header(&head.json(), "x-forwarded-port"), Some("80"), "it went through the application load balancer");
    deployed.containers.shut_down().await;
}
