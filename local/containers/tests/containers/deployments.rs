//! Blue/green deployments against the real control plane: what a tool would see that waits for them.

use std::time::Duration;

use http::{Method, Request, StatusCode};
use local_containers::{Binaries, Config, Containers, Pace};
use serde_json::{Value, json};

use crate::support::{ControlPlane, Folder, PACE, PATIENCE, eventually, send, within};

const NAME: &str = "release";

/// An hour, in which green has to become healthy, is half a minute.
const STEADY: Pace = Pace { deployment_minute: Duration::from_millis(500), ..PACE };
/// An hour is three seconds.
const IMPATIENT: Pace = Pace { deployment_minute: Duration::from_millis(50), ..PACE };

/// A service with everything that CodeDeploy needs to release to it.
struct Released {
    folder: Folder,
    control_plane: ControlPlane,
    containers: Containers,
    groups: [String; 2],
    production: String,
    balancer: String,
}

fn start(folder: &Folder, control_plane: &ControlPlane, pace: Pace) -> Containers {
    let config = Config {
        binaries: Binaries { default: Some(folder.container_binary()), ..Binaries::default() },
        work_directory: folder.path().to_owned(),
        pace,
        ..Config::default()
    };
    Containers::new(control_plane.api.clone(), config)
}

impl Released {
    async fn new(configuration: &str, pace: Pace) -> Self {
        let folder = Folder::new();
        let control_plane = ControlPlane::start();
        let vpc = control_plane.ec2("CreateVpc", &[("CidrBlock", "10.0.0.0/16")]).await;
        let vpc = vpc.child("vpc").unwrap().text_of("vpcId").unwrap().to_owned();
        let mut subnets = Vec::new();
        for (zone, block) in [("eu-west-1a", "10.0.0.0/24"), ("eu-west-1b", "10.0.1.0/24")] {
            let parameters = [("VpcId", vpc.as_str()), ("CidrBlock", block), ("AvailabilityZone", zone)];
            let subnet = control_plane.ec2("CreateSubnet", &parameters).await;
            subnets.push(subnet.child("subnet").unwrap().text_of("subnetId").unwrap().to_owned());
        }
        let parameters = [("Name", NAME), ("Subnets.member.1", &subnets[0]), ("Subnets.member.2", &subnets[1])];
        let balancer = control_plane.elb("CreateLoadBalancer", &parameters).await;
        let balancer = balancer.members("LoadBalancers").next().unwrap();
        let arn = balancer.text_of("LoadBalancerArn").unwrap();
        let mut groups = Vec::new();
        for name in ["blue", "green"] {
            let parameters = [
                ("Name", name),
                ("Protocol", "HTTP"),
                ("Port", "8080"),
                ("VpcId", &vpc),
                ("TargetType", "ip"),
                ("HealthCheckPath", "/status/ready"),
                ("HealthCheckIntervalSeconds", "300"),
                ("HealthCheckTimeoutSeconds", "120"),
                ("UnhealthyThresholdCount", "3"),
            ];
            let group = control_plane.elb("CreateTargetGroup", &parameters).await;
            groups.push(group.members("TargetGroups").next().unwrap().text_of("TargetGroupArn").unwrap().to_owned());
        }
        let mut listeners = Vec::new();
        for (port, group) in [("80", &groups[0]), ("8080", &groups[1])] {
            let parameters = [
                ("LoadBalancerArn", arn),
                ("Port", port),
                ("Protocol", "HTTP"),
                ("DefaultActions.member.1.Type", "forward"),
                ("DefaultActions.member.1.TargetGroupArn", group),
            ];
            let listener = control_plane.elb("CreateListener", &parameters).await;
            listeners.push(listener.members("Listeners").next().unwrap().text_of("ListenerArn").unwrap().to_owned());
        }
        control_plane.ecs("CreateCluster", json!({ "clusterName": NAME })).await;
        let balancer = balancer.text_of("DNSName").unwrap().to_owned();
        let containers = start(&folder, &control_plane, pace);
        let [blue, green] = [0, 1].map(|index| groups[index].clone());
        let production = listeners[0].clone();
        let this = Self { folder, control_plane, containers, groups: [blue, green], production, balancer };
        this.register("blue", &[]).await;
        let service = json!({
            "cluster": NAME, "serviceName": NAME, "taskDefinition": NAME, "desiredCount": 2,
            "deploymentController": { "type": "CODE_DEPLOY" },
            "healthCheckGracePeriodSeconds": 3600,
            "capacityProviderStrategy": [{ "capacityProvider": "FARGATE", "base": 1, "weight": 1 }],
            "loadBalancers": [{ "targetGroupArn": this.groups[0], "containerName": "api", "containerPort": 8080 }],
        });
        this.control_plane.ecs("CreateService", service).await;
        let application = json!({ "applicationName": NAME, "computePlatform": "ECS" });
        this.control_plane.codedeploy("CreateApplication", application).await;
        let group = json!({
            "applicationName": NAME, "deploymentGroupName": NAME, "serviceRoleArn": "arn:aws:iam::123456789012:role/a",
            "deploymentConfigName": configuration,
            "ecsServices": [{ "clusterName": NAME, "serviceName": NAME }],
            "loadBalancerInfo": { "targetGroupPairInfoList": [{
                "prodTrafficRoute": { "listenerArns": [listeners[0]] },
                "testTrafficRoute": { "listenerArns": [listeners[1]] },
                "targetGroups": [{ "name": "blue" }, { "name": "green" }],
            }]},
            "blueGreenDeploymentConfiguration": {
                "deploymentReadyOption": { "actionOnTimeout": "CONTINUE_DEPLOYMENT" },
                "terminateBlueInstancesOnDeploymentSuccess":
                    { "action": "TERMINATE", "terminationWaitTimeInMinutes": 1 },
            },
            "autoRollbackConfiguration": {
                "enabled": true, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_REQUEST", "DEPLOYMENT_STOP_ON_ALARM"],
            },
            "alarmConfiguration": { "enabled": true, "alarms": [{ "name": "errors" }] },
        });
        this.control_plane.codedeploy("CreateDeploymentGroup", group).await;
        this.containers.refresh().await.unwrap();
        within("blue healthy", this.containers.steady()).await;
        assert_eq!(this.get(80).await, "blue");
        this
    }

    /// A revision of the task definition that answers with `name`.
    async fn register(&self, name: &str, more: &[(&str, String)]) -> String {
        let variables = [("HOST", "0.0.0.0".to_owned()), ("PORT", "8080".to_owned()), ("NAME", name.to_owned())];
        let variables = variables.iter().chain(more).map(|(name, value)| json!({ "name": name, "value": value }));
        let definition = json!({
            "family": NAME,
            "containerDefinitions": [{
                "name": "api", "image": "api:1", "memory": 64, "essential": true, "stopTimeout": 5,
                "portMappings": [{ "containerPort": 8080 }], "environment": variables.collect::<Vec<_>>(),
            }],
        });
        let answer = self.control_plane.ecs("RegisterTaskDefinition", definition).await;
        answer["taskDefinition"]["taskDefinitionArn"].as_str().unwrap().to_owned()
    }

    /// As `make deploy` does it.
    async fn deploy(&self, task_definition: &str) -> String {
        let app_spec = std::fs::read_to_string(crate::support::root().join("fargate-app/deploy/appspec.yaml")).unwrap();
        let content = app_spec.replace("<TASK_DEFINITION>", task_definition);
        let revision = json!({ "revisionType": "AppSpecContent", "appSpecContent": { "content": content } });
        let asked = json!({ "applicationName": NAME, "deploymentGroupName": NAME, "revision": revision });
        let answer = self.control_plane.codedeploy("CreateDeployment", asked).await;
        self.containers.refresh().await.unwrap();
        answer["deploymentId"].as_str().unwrap().to_owned()
    }

    async fn deployment(&self, id: &str) -> Value {
        let answer = self.control_plane.codedeploy("GetDeployment", json!({ "deploymentId": id })).await;
        answer["deploymentInfo"].clone()
    }

    async fn target(&self, id: &str) -> Value {
        let asked = json!({ "deploymentId": id, "targetId": format!("{NAME}:{NAME}") });
        let answer = self.control_plane.codedeploy("GetDeploymentTarget", asked).await;
        answer["deploymentTarget"]["ecsTarget"].clone()
    }

    async fn ended(&self, id: &str) -> Value {
        eventually("the deployment has ended", async || {
            let info = self.deployment(id).await;
            let is_over = ["Succeeded", "Failed", "Stopped"].contains(&info["status"].as_str().unwrap());
            is_over.then_some(info)
        })
        .await
    }

    async fn service(&self) -> Value {
        let asked = json!({ "cluster": NAME, "services": [NAME] });
        self.control_plane.ecs("DescribeServices", asked).await["services"][0].clone()
    }

    async fn get(&self, port: u16) -> String {
        let address = self.containers.resolve(&self.balancer, port).unwrap();
        let answer = send(address, Request::get("/")).await;
        if answer.status == StatusCode::OK { answer.body } else { answer.status.to_string() }
    }

    /// The target groups that production traffic goes to, by the AWS API.
    async fn production(&self) -> Vec<String> {
        let listeners =
            self.control_plane.elb("DescribeListeners", &[("ListenerArns.member.1", &self.production)]).await;
        let listener = listeners.members("Listeners").next().unwrap();
        let action = listener.members("DefaultActions").next().unwrap();
        let weighted = action.child("ForwardConfig").into_iter().flat_map(|config| config.members("TargetGroups"));
        let weighted: Vec<_> =
            weighted.filter_map(|group| group.text_of("TargetGroupArn")).map(str::to_owned).collect();
        if weighted.is_empty() {
            action.text_of("TargetGroupArn").map(str::to_owned).into_iter().collect()
        } else {
            weighted
        }
    }

    async fn health(&self, group: &str) -> Vec<String> {
        let health = self.control_plane.elb("DescribeTargetHealth", &[("TargetGroupArn", group)]).await;
        let states = health.members("TargetHealthDescriptions").map(|target| target.child("TargetHealth").unwrap());
        states.map(|health| health.text_of("State").unwrap().to_owned()).collect()
    }
}

fn events(target: &Value) -> Vec<(&str, &str)> {
    let events = target["lifecycleEvents"].as_array().unwrap().iter();
    events.map(|event| (event["lifecycleEventName"].as_str().unwrap(), event["status"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn green_takes_over_and_blue_is_ended() {
    let released = Released::new("CodeDeployDefault.ECSCanary10Percent5Minutes", STEADY).await;
    let green = released.register("green", &[]).await;
    let id = released.deploy(&green).await;
    let info = released.ended(&id).await;
    assert_eq!(info["status"], "Succeeded", "{info}");
    assert_eq!(info["deploymentOverview"]["Succeeded"], 1);
    let target = released.target(&id).await;
    let all = [
        "BeforeInstall",
        "Install",
        "AfterInstall",
        "AllowTestTraffic",
        "AfterAllowTestTraffic",
        "BeforeAllowTraffic",
        "AllowTraffic",
        "AfterAllowTraffic",
    ];
    assert_eq!(events(&target), all.map(|event| (event, "Succeeded")));
    assert_eq!((released.get(80).await, released.get(8080).await), ("green".to_owned(), "green".to_owned()));
    assert_eq!(released.production().await, [released.groups[1].clone()]);
    let service = released.service().await;
    assert_eq!(service["taskDefinition"], green.as_str());
    assert_eq!(service["loadBalancers"][0]["targetGroupArn"], released.groups[1].as_str());
    let sets = service["taskSets"].as_array().unwrap();
    assert_eq!(sets.len(), 1, "{sets:?}");
    assert_eq!((&sets[0]["externalId"], &sets[0]["status"]), (&json!(id), &json!("PRIMARY")));
    eventually("blue is gone, also by the API", async || {
        let service = released.service().await;
        let states = [released.health(&released.groups[0]).await, released.health(&released.groups[1]).await];
        let is_so = service["runningCount"] == 2 && states == [vec![], vec!["healthy".to_owned(); 2]];
        is_so.then_some(())
    })
    .await;

    // The next release goes the other way.
    let blue = released.register("blue again", &[]).await;
    let id = released.deploy(&blue).await;
    assert_eq!(released.ended(&id).await["status"], "Succeeded");
    assert_eq!(released.get(80).await, "blue again");
    assert_eq!(released.production().await, [released.groups[0].clone()]);
    released.containers.shut_down().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_starts_again_takes_a_deployment_up_where_it_is() {
    // Blue is kept for longer than the first process lives.
    let pace = Pace { deployment_minute: PATIENCE, ..PACE };
    let mut released = Released::new("CodeDeployDefault.ECSAllAtOnce", pace).await;
    let id = released.deploy(&released.register("green", &[]).await).await;
    eventually("blue waits for its end", async || {
        let info = released.deployment(&id).await;
        (info["instanceTerminationWaitTimeStarted"] == true).then_some(())
    })
    .await;
    released.containers.shut_down().await;
    released.containers = start(&released.folder, &released.control_plane, STEADY);
    released.containers.refresh().await.unwrap();
    assert_eq!(released.ended(&id).await["status"], "Succeeded");
    within("green healthy", released.containers.steady()).await;
    assert_eq!(released.get(80).await, "green");
    assert_eq!(released.service().await["taskSets"].as_array().unwrap().len(), 1);
    released.containers.shut_down().await;
}

/// One after the other, in one control plane: each finds blue as the one before should have left it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_release_that_goes_wrong_leaves_blue_as_it_was() {
    let released = Released::new("CodeDeployDefault.ECSAllAtOnce", IMPATIENT).await;
    green_that_never_becomes_healthy_is_rolled_back(&released).await;
    an_app_spec_that_says_too_little_fails_the_deployment(&released).await;
    an_alarm_that_is_on_lets_no_release_begin(&released).await;
    released.containers.shut_down().await;
}

async fn green_that_never_becomes_healthy_is_rolled_back(released: &Released) {
    let before = released.service().await;
    let never = released.folder.file("never").display().to_string();
    let green = released.register("green", &[("READY_FILE", never)]).await;
    let id = released.deploy(&green).await;
    let info = released.ended(&id).await;
    assert_eq!(info["status"], "Failed", "{info}");
    assert_eq!(info["errorInformation"]["code"], "TIMEOUT");
    let back = released.deployment(info["rollbackInfo"]["rollbackDeploymentId"].as_str().unwrap()).await;
    assert_eq!((&back["creator"], &back["status"]), (&json!("codeDeployRollback"), &json!("Succeeded")));
    let target = released.target(&id).await;
    assert_eq!(
        events(&target)[..3],
        [("BeforeInstall", "Succeeded"), ("Install", "Failed"), ("AfterInstall", "Skipped")]
    );
    assert_eq!(released.get(80).await, "blue");
    let after = released.service().await;
    assert_eq!(after["taskDefinition"], before["taskDefinition"]);
    assert_eq!(after["taskSets"].as_array().unwrap().len(), 1);
    eventually("green is gone", async || released.health(&released.groups[1]).await.is_empty().then_some(())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deployment_that_is_stopped_goes_back() {
    // A canary that outlasts the test, so that there is time to stop it.
    let pace = Pace { deployment_minute: PATIENCE, ..PACE };
    let released = Released::new("CodeDeployDefault.ECSCanary10Percent5Minutes", pace).await;
    let id = released.deploy(&released.register("green", &[]).await).await;
    eventually("the canary", async || (released.production().await.len() == 2).then_some(())).await;
    assert_eq!(released.get(8080).await, "green", "the test listener");
    let target = eventually("the weights are told", async || {
        let target = released.target(&id).await;
        (target["taskSetsInfo"][1]["trafficWeight"] == 10.0).then_some(target)
    })
    .await;
    assert_eq!(target["taskSetsInfo"][0]["taskSetLabel"], "Blue");
    assert_eq!(target["taskSetsInfo"][0]["trafficWeight"], 90.0);
    // What is under way survives being read again.
    released.containers.refresh().await.unwrap();
    released.control_plane.codedeploy("StopDeployment", json!({ "deploymentId": id })).await;
    released.containers.refresh().await.unwrap();
    let info = released.ended(&id).await;
    assert_eq!((&info["status"], &info["errorInformation"]["code"]), (&json!("Stopped"), &json!("MANUAL_STOP")));
    assert_eq!(released.production().await, [released.groups[0].clone()]);
    assert_eq!(released.get(80).await, "blue");
    released.containers.shut_down().await;
}

async fn an_alarm_that_is_on_lets_no_release_begin(released: &Released) {
    let alarm = [
        ("AlarmName", "errors"),
        ("MetricName", "Errors"),
        ("Namespace", "Test"),
        ("Period", "60"),
        ("EvaluationPeriods", "1"),
        ("Threshold", "1"),
        ("ComparisonOperator", "GreaterThanThreshold"),
        ("Statistic", "Sum"),
    ];
    let state = [("AlarmName", "errors"), ("StateValue", "ALARM"), ("StateReason", "test")];
    for (action, parameters) in [("PutMetricAlarm", &alarm[..]), ("SetAlarmState", &state[..])] {
        released.control_plane.api.query("monitoring", "2010-08-01", action, parameters).await.unwrap();
    }
    let id = released.deploy(&released.register("green", &[]).await).await;
    let info = released.ended(&id).await;
    assert_eq!((&info["status"], &info["errorInformation"]["code"]), (&json!("Stopped"), &json!("ALARM_ACTIVE")));
    assert_eq!(released.get(80).await, "blue");
    assert_eq!(released.service().await["taskSets"].as_array().unwrap().len(), 1);
}

async fn an_app_spec_that_says_too_little_fails_the_deployment(released: &Released) {
    let content = json!({ "version": 0.0, "Resources": [{ "a": { "Type": "AWS::ECS::Service", "Properties": {} } }] });
    let revision = json!({ "revisionType": "AppSpecContent", "appSpecContent": { "content": content.to_string() } });
    let asked = json!({ "applicationName": NAME, "deploymentGroupName": NAME, "revision": revision });
    let id = released.control_plane.codedeploy("CreateDeployment", asked).await["deploymentId"].clone();
    released.containers.refresh().await.unwrap();
    let info = released.ended(id.as_str().unwrap()).await;
    let expected = json!({
        "code": "INVALID_REVISION", "message": "The AppSpec's LoadBalancerInfo has no usable ContainerPort",
    });
    assert_eq!((&info["status"], &info["errorInformation"]), (&json!("Failed"), &expected));
    let page = format!("/_control_plane/codedeploy/eu-west-1/deployments/{}", id.as_str().unwrap());
    assert_eq!(released.control_plane.page(Method::GET, &page).await["stop"], Value::Null);
}
