//! A firewall reads its web ACLs from a control plane. Here one that has its answers ready.

use std::{
    collections::HashMap,
    convert::Infallible,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use local_aws_api::AwsApi;
use local_waf::{Firewall, Protected, RequestView};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const STAGE: &str = "arn:aws:apigateway:eu-west-1::/restapis/a1b2/stages/prod";
const BALANCER: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/site/1";
const WEB_ACL: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/site/1";
const IP_SET: &str = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/office/2";

/// What is associated with what: a web ACL's definition by resource.
type Account = Arc<Mutex<HashMap<&'static str, Value>>>;

async fn control_plane(account: Account) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            let account = account.clone();
            let service = service_fn(move |request| answer(account.clone(), request));
            tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(connection), service));
        }
    });
    format!("http://{address}")
}

async fn answer(account: Account, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let target = request.headers().get("x-amz-target").map(|target| target.to_str().unwrap().to_owned());
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let text = match (target.as_deref(), path.as_str()) {
        (Some("AWSWAF_20190729.GetWebACLForResource"), _) => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            let account = account.lock().unwrap();
            json!({"WebACL": account.get(asked["ResourceArn"].as_str().unwrap())}).to_string()
        }
        (Some("AWSWAF_20190729.GetIPSet"), _) => {
            let asked: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(asked, json!({"Scope": "REGIONAL", "Name": "office", "Id": "2"}));
            json!({"IPSet": {"Addresses": ["127.0.0.0/8"]}}).to_string()
        }
        (None, "/restapis") => json!({"item": [{"id": "a1b2"}]}).to_string(),
        (None, "/restapis/a1b2/stages") => json!({"item": [{"stageName": "prod"}]}).to_string(),
        (None, "/") => format!(
            "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancers>\
             <member><LoadBalancerArn>{BALANCER}</LoadBalancerArn><Type>application</Type></member>\
             </LoadBalancers></DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
        ),
        unexpected => panic!("{unexpected:?}"),
    };
    Ok(Response::new(Full::new(text.into())))
}

fn web_acl(rules: Value) -> Value {
    json!({"Name": "site", "ARN": WEB_ACL, "DefaultAction": {"Allow": {}}, "Rules": rules})
}

fn allowed(firewall: &Firewall, resource: &str) -> bool {
    let request = RequestView {
        protected: Protected::ApiGatewayStage,
        method: "GET",
        path: "/prod/status/live",
        query: "",
        headers: &HeaderMap::new(),
        source_ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
        body: b"",
        body_length: 0,
    };
    firewall.web_acl(resource).is_none_or(|web_acl| web_acl.evaluate(&request).allows())
}

#[tokio::test]
async fn stages_and_load_balancers_are_protected_by_what_the_account_says() {
    let rules = json!([{"Name": "office", "Priority": 0, "Action": {"Block": {}},
        "Statement": {"NotStatement": {"Statement": {"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": IP_SET}}}}}}}]);
    let account: Account = Arc::new(Mutex::new(HashMap::from([(STAGE, web_acl(rules))])));
    let api = AwsApi::new(&control_plane(account.clone()).await, "eu-west-1").unwrap();
    let firewall = Firewall::default();
    firewall.read(&api).await.unwrap();
    assert!(!allowed(&firewall, STAGE));
    assert!(firewall.web_acl(BALANCER).is_none());

    account.lock().unwrap().remove(STAGE);
    account.lock().unwrap().insert(BALANCER, web_acl(json!([])));
    firewall.read(&api).await.unwrap();
    assert!(firewall.web_acl(STAGE).is_none());
    assert_eq!(firewall.web_acl(BALANCER).unwrap().name(), "site");
}

#[tokio::test]
async fn a_second_reading_goes_on_counting_and_every_resource_of_a_web_acl_is_counted_together() {
    let rate = json!({"RateBasedStatement": {"Limit": 10, "AggregateKeyType": "IP"}});
    let rules = |name: &str| json!([{"Name": name, "Priority": 0, "Action": {"Block": {}}, "Statement": rate}]);
    let definition = web_acl(rules("rate"));
    let account: Account = Arc::new(Mutex::new(HashMap::from([(STAGE, definition.clone()), (BALANCER, definition)])));
    let api = AwsApi::new(&control_plane(account.clone()).await, "eu-west-1").unwrap();
    let firewall = Firewall::default();
    firewall.read(&api).await.unwrap();
    assert_eq!((0..6).filter(|_| allowed(&firewall, STAGE)).count(), 6);
    firewall.read(&api).await.unwrap();
    assert_eq!((0..6).filter(|_| allowed(&firewall, BALANCER)).count(), 4);

    account.lock().unwrap().insert(STAGE, web_acl(rules("another")));
    account.lock().unwrap().remove(BALANCER);
    firewall.read(&api).await.unwrap();
    assert_eq!((0..12).filter(|_| allowed(&firewall, STAGE)).count(), 10);
}

#[tokio::test]
async fn what_was_read_stays_when_the_control_plane_is_gone() {
    let firewall = Firewall::protecting([(
        STAGE.to_owned(),
        Arc::new(local_waf::WebAcl::parse(&json!({"Name": "site", "DefaultAction": {"Block": {}}})).unwrap()),
    )]);
    let nobody = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let api = AwsApi::new(&format!("http://{nobody}"), "eu-west-1").unwrap();
    firewall.read(&api).await.unwrap_err();
    assert!(!allowed(&firewall, STAGE));
}
