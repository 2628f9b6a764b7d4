//! What is read of load balancers, by the AWS API of the real control plane.

use std::time::Duration;

use local_containers::rule::{Action, Condition};
use local_containers::snapshot::{Algorithm, ForwardedFor, LoadBalancerKind};

use crate::support::ControlPlane;

#[tokio::test]
async fn every_condition_and_action_of_a_rule() {
    let control_plane = ControlPlane::start();
    let vpc = control_plane.ec2("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await;
    let vpc = vpc.child("vpc").unwrap().text_of("vpcId").unwrap().to_owned();
    let subnet = control_plane.ec2("CreateSubnet", &[("VpcId", &vpc), ("CidrBlock", "10.0.0.0/24")]).await;
    let subnet = subnet.child("subnet").unwrap().text_of("subnetId").unwrap().to_owned();
    let balancer = control_plane.elb("CreateLoadBalancer", &[("Name", "all"), ("Subnets.member.1", &subnet)]).await;
    let arn = balancer.members("LoadBalancers").next().unwrap().text_of("LoadBalancerArn").unwrap().to_owned();
    let attributes = [
        ("idle_timeout.timeout_seconds", "17"),
        ("routing.http.drop_invalid_header_fields.enabled", "true"),
        ("routing.http.xff_header_processing.mode", "preserve"),
    ];
    for (key, value) in attributes {
        let parameters =
            [("LoadBalancerArn", arn.as_str()), ("Attributes.member.1.Key", key), ("Attributes.member.1.Value", value)];
        control_plane.elb("ModifyLoadBalancerAttributes", &parameters).await;
    }
    let group = [
        ("Name", "api"),
        ("Protocol", "HTTP"),
        ("Port", "8080"),
        ("VpcId", &vpc),
        ("TargetType", "ip"),
        ("HealthCheckPath", "/ready"),
        ("Matcher.HttpCode", "200-204,301"),
        ("HealthCheckIntervalSeconds", "7"),
    ];
    let group = control_plane.elb("CreateTargetGroup", &group).await;
    let group = group.members("TargetGroups").next().unwrap().text_of("TargetGroupArn").unwrap().to_owned();
    let algorithm = [
        ("TargetGroupArn", group.as_str()),
        ("Attributes.member.1.Key", "load_balancing.algorithm.type"),
        ("Attributes.member.1.Value", "least_outstanding_requests"),
    ];
    control_plane.elb("ModifyTargetGroupAttributes", &algorithm).await;
    let target =
        [("TargetGroupArn", group.as_str()), ("Targets.member.1.Id", "10.0.0.7"), ("Targets.member.1.Port", "81")];
    control_plane.elb("RegisterTargets", &target).await;
    let listener = [
        ("LoadBalancerArn", arn.as_str()),
        ("Port", "80"),
        ("Protocol", "HTTP"),
        ("DefaultActions.member.1.Type", "fixed-response"),
        ("DefaultActions.member.1.FixedResponseConfig.StatusCode", "404"),
        ("DefaultActions.member.1.FixedResponseConfig.ContentType", "text/plain"),
        ("DefaultActions.member.1.FixedResponseConfig.MessageBody", "nothing here"),
    ];
    let listener = control_plane.elb("CreateListener", &listener).await;
    let listener = listener.members("Listeners").next().unwrap().text_of("ListenerArn").unwrap().to_owned();
    let conditions = [
        ("host-header", "HostHeaderConfig.Values.member.1", "*.example.com"),
        ("path-pattern", "PathPatternConfig.Values.member.1", "/api/*"),
        ("http-request-method", "HttpRequestMethodConfig.Values.member.1", "GET"),
        ("source-ip", "SourceIpConfig.Values.member.1", "10.0.0.0/8"),
    ];
    for (priority, (field, name, value)) in (1..).zip(conditions) {
        let name = format!("Conditions.member.1.{name}");
        let priority = priority.to_string();
        let rule = [
            ("ListenerArn", listener.as_str()),
            ("Priority", &priority),
            ("Conditions.member.1.Field", field),
            (&name, value),
            ("Actions.member.1.Type", "forward"),
            ("Actions.member.1.TargetGroupArn", &group),
        ];
        control_plane.elb("CreateRule", &rule).await;
    }
    let rule = [
        ("ListenerArn", listener.as_str()),
        ("Priority", "9"),
        ("Conditions.member.1.Field", "http-header"),
        ("Conditions.member.1.HttpHeaderConfig.HttpHeaderName", "x-version"),
        ("Conditions.member.1.HttpHeaderConfig.Values.member.1", "2*"),
        ("Conditions.member.2.Field", "query-string"),
        ("Conditions.member.2.QueryStringConfig.Values.member.1.Key", "a"),
        ("Conditions.member.2.QueryStringConfig.Values.member.1.Value", "b"),
        ("Actions.member.1.Type", "redirect"),
        ("Actions.member.1.RedirectConfig.Protocol", "HTTPS"),
        ("Actions.member.1.RedirectConfig.StatusCode", "HTTP_301"),
    ];
    control_plane.elb("CreateRule", &rule).await;

    let snapshot = local_containers::read(&control_plane.api).await.unwrap();
    let balancer = &snapshot.load_balancers[0];
    assert_eq!((balancer.name.as_str(), balancer.kind), ("all", LoadBalancerKind::Application));
    assert_eq!(balancer.attributes.idle_timeout, Duration::from_secs(17));
    assert!(balancer.attributes.drop_invalid_header_fields);
    assert_eq!(balancer.attributes.forwarded_for, ForwardedFor::Preserve);
    let group = &snapshot.target_groups[0];
    assert_eq!(group.algorithm, Algorithm::LeastOutstandingRequests);
    assert_eq!(group.registered, [("10.0.0.7".to_owned(), 81)]);
    assert_eq!((group.health_check.path.as_str(), group.health_check.interval), ("/ready", Duration::from_secs(7)));
    assert_eq!(group.health_check.matcher, [(200, 204), (301, 301)]);
    let listener = &balancer.listeners[0];
    let fixed =
        Action::FixedResponse { status: 404, content_type: Some("text/plain".into()), body: "nothing here".into() };
    assert_eq!(listener.default_action, fixed);
    let conditions: Vec<_> = listener.rules.iter().map(|rule| (rule.priority, rule.conditions.as_slice())).collect();
    let text = |text: &str| vec![text.to_owned()];
    let range = "10.0.0.0/8".parse().unwrap();
    let expected: [(u32, &[Condition]); 5] = [
        (1, &[Condition::HostHeader(text("*.example.com"))]),
        (2, &[Condition::PathPattern(text("/api/*"))]),
        (3, &[Condition::HttpRequestMethod(text("GET"))]),
        (4, &[Condition::SourceIp(vec![range])]),
        (
            9,
            &[
                Condition::HttpHeader { name: "x-version".into(), values: text("2*") },
                Condition::QueryString(vec![(Some("a".into()), "b".into())]),
            ],
        ),
    ];
    assert_eq!(conditions, expected);
    let Action::Redirect(redirect) = &listener.rules[4].action else { panic!("{:?}", listener.rules[4].action) };
    assert_eq!((redirect.protocol.as_str(), redirect.path.as_str(), redirect.status), ("HTTPS", "/#{path}", 301));
    let Action::Forward(groups) = &listener.rules[0].action else { panic!("{:?}", listener.rules[0].action) };
    assert_eq!((groups[0].arn.as_str(), groups[0].weight), (group.arn.as_str(), 1));
}
