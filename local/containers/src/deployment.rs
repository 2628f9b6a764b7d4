//! CodeDeploy's blue/green deployments of ECS services.
//!
//! As CodeDeploy does it: a green task set with the new task definition in the target group that is free, the test listener
//! to green, then the production listener by the deployment configuration, green becomes the primary task set, and after
//! the termination wait blue is ended. All of it by the same calls (CreateTaskSet, ModifyListener,
//! UpdateServicePrimaryTaskSet, DeleteTaskSet), so that whoever looks at the account sees what there would be on AWS.
//! <https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html>
//!
//! Three things differ. A minute of CodeDeploy's is a second here, unless [`Pace::deployment_minute`](crate::Pace) says
//! otherwise. Lifecycle hooks are skipped, and say so. Only the default action of a listener is turned, not its rules.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::Method;
use local_aws_api::AwsApi;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::AbortHandle;

use crate::rule::WeightedTargetGroup;
use crate::snapshot::{self, Deployment, Service, TaskSet, Wishes, Work, deployment_page, ecs, turn_listener};
use crate::target_group::lock;
use crate::{Inner, snapshot::Snapshot};

/// How long green may take to become healthy, in CodeDeploy's minutes.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/troubleshooting-ecs.html>
const HEALTHY_MINUTES: u32 = 60;
/// How often alarms and the control plane's state are looked at while something is waited for.
const LOOK: Duration = Duration::from_millis(500);
const CLOUDWATCH_VERSION: &str = "2010-08-01";

/// Deployments that are under way here.
#[derive(Debug, Default)]
pub struct Deployments(Mutex<HashMap<String, Run>>);

#[derive(Debug)]
struct Run {
    wishes: watch::Sender<Wishes>,
    task: AbortHandle,
}

impl Deployments {
    /// Begins those that are new, and tells the others what is wished of them.
    pub fn update(&self, deployments: &[Deployment], inner: &Arc<Inner>) {
        let mut runs = lock(&self.0);
        runs.retain(|_, run| !run.task.is_finished());
        for deployment in deployments {
            if let Some(run) = runs.get(&deployment.id) {
                run.wishes.send_if_modified(|wishes| {
                    let is_new = *wishes != deployment.wishes;
                    wishes.clone_from(&deployment.wishes);
                    is_new
                });
                continue;
            }
            let (wishes, wished) = watch::channel(deployment.wishes.clone());
            let carried_out = carry_out(Arc::clone(inner), deployment.clone(), wished);
            runs.insert(deployment.id.clone(), Run { wishes, task: tokio::spawn(carried_out).abort_handle() });
        }
    }

    /// Leaves them as they are.
    pub fn abort(&self) {
        lock(&self.0).drain().for_each(|(_, run)| run.task.abort());
    }
}

/// Why a deployment does not succeed.
#[derive(Debug)]
struct Failure {
    /// `Failed` or `Stopped`.
    status: &'static str,
    /// Of AWS's ErrorInformation.
    code: &'static str,
    message: String,
    rolls_back: bool,
}

/// AWS's names, in order.
/// <https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html>
const EVENTS: [&str; 8] = [
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
];

async fn carry_out(inner: Arc<Inner>, deployment: Deployment, wishes: watch::Receiver<Wishes>) {
    let id = &deployment.id;
    let work = match deployment.work {
        Ok(work) => work,
        Err(problem) => {
            tracing::error!(target: "containers", "deployment {id}: {problem}");
            let information = json!({ "code": "INVALID_REVISION", "message": problem });
            let body = json!({ "status": "Failed", "info": { "errorInformation": information } });
            return tell(&inner.api, id, &body).await;
        }
    };
    let events = EVENTS.iter().map(|name| Event { name, status: "Pending", start: None, end: None, remark: None });
    let mut release =
        Release { inner, id: id.clone(), work, wishes, events: events.collect(), green_share: 0, sides: None };
    tracing::info!(target: "containers", "deployment {id}: begins");
    match release.run().await {
        Ok(()) => {
            tracing::info!(target: "containers", "deployment {id}: succeeded");
            let body = json!({ "status": "Succeeded", "target": release.target("Succeeded") });
            tell(&release.inner.api, id, &body).await;
        }
        Err(failure) => release.fail(failure).await,
    }
}

/// The last word of a deployment: there is nobody left to hear of an error but the log.
async fn tell(api: &AwsApi, id: &str, body: &Value) {
    if let Err(error) = api.own(Method::PUT, &deployment_page(api, id), Some(body)).await {
        tracing::error!(target: "containers", "deployment {id}: the control plane does not know how it ended: {error}");
    }
}

/// A lifecycle event of the deployment's target.
#[derive(Debug)]
struct Event {
    name: &'static str,
    status: &'static str,
    start: Option<f64>,
    end: Option<f64>,
    remark: Option<String>,
}

/// A task set with the target group that it is in.
#[derive(Debug, Clone)]
struct Side {
    arn: String,
    group: String,
    group_name: String,
}

impl Side {
    /// `groups`: ARNs and names.
    fn of(set: &TaskSet, groups: &[(String, String); 2]) -> Self {
        let group = set.load_balancers.first().map(|one| one.target_group_arn.clone()).unwrap_or_default();
        let name = groups.iter().find(|(arn, _)| *arn == group).map(|(_, name)| name.clone()).unwrap_or_default();
        Self { arn: set.arn.clone().unwrap_or_default(), group, group_name: name }
    }
}

#[derive(Debug, Clone)]
struct Sides {
    service: String,
    blue: Side,
    /// None before it is made.
    green: Option<Side>,
}

/// A deployment that is carried out.
struct Release {
    inner: Arc<Inner>,
    id: String,
    work: Work,
    wishes: watch::Receiver<Wishes>,
    events: Vec<Event>,
    /// Percent of the production traffic.
    green_share: u32,
    sides: Option<Sides>,
}

impl From<snapshot::Error> for Failure {
    fn from(error: snapshot::Error) -> Self {
        Self::failed("INTERNAL_ERROR", error.to_string())
    }
}

impl From<local_aws_api::Error> for Failure {
    fn from(error: local_aws_api::Error) -> Self {
        Self::failed("INTERNAL_ERROR", error.to_string())
    }
}

impl Failure {
    fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self { status: "Failed", code, message: message.into(), rolls_back: false }
    }
}

impl Release {
    async fn run(&mut self) -> Result<(), Failure> {
        self.push("InProgress").await?;
        let service = self.service()?;
        let groups = self.groups()?;
        let primary = service.task_sets.iter().find(|set| set.is_primary);
        let primary =
            primary.ok_or_else(|| Failure::failed("INVALID_ECS_SERVICE", "The service has no primary task set"))?;
        if primary.external_id == self.id {
            // Taken up again after the traffic went over: only blue is left to be ended.
            return self.take_up(&service, &groups).await;
        }
        let blue = Side::of(primary, &groups);
        let free = groups.iter().find(|(arn, _)| *arn != blue.group).cloned();
        let (green_group, green_name) =
            free.ok_or_else(|| Failure::failed("ELB_INVALID_INSTANCE", "Both target groups are the same"))?;
        let mut sides = Sides { service: service.arn.clone(), blue, green: None };
        self.sides = Some(sides.clone());

        self.hook("BeforeInstall").await?;
        self.begin("Install").await?;
        let existing = service.task_sets.iter().find(|set| set.external_id == self.id).and_then(|set| set.arn.clone());
        let arn = match existing {
            Some(arn) => arn,
            None => self.create_task_set(&service, &green_group).await?,
        };
        sides.green = Some(Side { arn: arn.clone(), group: green_group, group_name: green_name });
        self.sides = Some(sides);
        self.inner.refresh_for_deployment().await?;
        self.wait_for_green(&service.arn, &arn).await?;
        self.finish("Install").await?;
        self.hook("AfterInstall").await?;

        self.begin("AllowTestTraffic").await?;
        if let Some(listener) = self.work.test_listener.clone() {
            self.turn(&listener, 100).await?;
        }
        self.finish("AllowTestTraffic").await?;
        self.hook("AfterAllowTestTraffic").await?;
        self.wait_for_ready().await?;
        self.hook("BeforeAllowTraffic").await?;

        self.begin("AllowTraffic").await?;
        for (share, minutes) in self.work.traffic.steps() {
            let listener = self.work.production_listener.clone();
            self.turn(&listener, share).await?;
            self.green_share = share;
            tracing::info!(target: "containers", "deployment {}: green has {share} % of the traffic", self.id);
            self.push("InProgress").await?;
            self.wait(self.minutes(minutes), |_| false).await?;
        }
        let primary = json!({
            "cluster": self.work.service.0, "service": self.work.service.1, "primaryTaskSet": arn,
        });
        ecs(&self.inner.api, "UpdateServicePrimaryTaskSet", primary).await?;
        self.finish("AllowTraffic").await?;
        self.hook("AfterAllowTraffic").await?;
        self.end_blue().await
    }

    /// The listeners were turned before this process began.
    async fn take_up(&mut self, service: &Service, groups: &[(String, String); 2]) -> Result<(), Failure> {
        let side = |set: &TaskSet| Side::of(set, groups);
        for event in &mut self.events {
            event.status = "Succeeded";
        }
        self.green_share = 100;
        let green = service.task_sets.iter().find(|set| set.external_id == self.id).map(side);
        let blue = service.task_sets.iter().find(|set| set.external_id != self.id).map(side);
        let Some(blue) = blue else { return Ok(()) };
        self.sides = Some(Sides { service: service.arn.clone(), blue, green });
        self.end_blue().await
    }

    async fn end_blue(&mut self) -> Result<(), Failure> {
        let Some(minutes) = self.work.keep_blue_minutes else { return Ok(()) };
        let started = json!({ "info": { "instanceTerminationWaitTimeStarted": true } });
        self.put(&started).await?;
        tracing::info!(target: "containers", "deployment {}: blue is kept for {:?}", self.id, self.minutes(minutes));
        self.wait(self.minutes(minutes), |wishes| wishes.terminate).await?;
        if let Some(sides) = self.sides.clone() {
            self.delete_task_set(&sides.blue.arn).await?;
        }
        self.inner.refresh_for_deployment().await?;
        Ok(())
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        self.inner.snapshot()
    }

    fn service(&self) -> Result<Service, Failure> {
        let (cluster, name) = &self.work.service;
        let found = self.snapshot().services.iter().find(|one| one.cluster == *cluster && one.name == *name).cloned();
        let missing = || format!("There is no service {name} in the cluster {cluster}");
        found.filter(|service| service.is_codedeploys).ok_or_else(|| Failure::failed("INVALID_ECS_SERVICE", missing()))
    }

    /// ARNs and names.
    fn groups(&self) -> Result<[(String, String); 2], Failure> {
        let snapshot = self.snapshot();
        let arn = |name: &String| {
            let group = snapshot.target_groups.iter().find(|group| group.name == *name);
            group.map(|group| (group.arn.clone(), name.clone())).ok_or_else(|| {
                Failure::failed("ELASTIC_LOAD_BALANCING_INVALID", format!("There is no target group {name}"))
            })
        };
        let [first, second] = &self.work.target_groups;
        Ok([arn(first)?, arn(second)?])
    }

    async fn create_task_set(&self, service: &Service, group: &str) -> Result<String, Failure> {
        let (container, port) = &self.work.container;
        let mut asked = json!({
            "cluster": self.work.service.0,
            "service": self.work.service.1,
            "externalId": self.id,
            "taskDefinition": self.work.task_definition,
            "scale": { "value": 100, "unit": "PERCENT" },
            "loadBalancers": [{ "targetGroupArn": group, "containerName": container, "containerPort": port }],
        });
        // What the AppSpec does not say stays as the service has it. A launch type and a strategy exclude each other.
        for member in ["networkConfiguration", "platformVersion", "capacityProviderStrategy", "launchType"] {
            let value = self.work.task_set.get(member).unwrap_or(&service.described[member]);
            let is_there = !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
            let is_excluded = member == "launchType" && asked["capacityProviderStrategy"].is_array();
            if is_there && !is_excluded {
                asked[member] = value.clone();
            }
        }
        let answer = ecs(&self.inner.api, "CreateTaskSet", asked).await;
        let answer = answer.map_err(|error| Failure::failed("ECS_UPDATE_ERROR", error.to_string()))?;
        Ok(answer["taskSet"]["taskSetArn"].as_str().unwrap_or_default().to_owned())
    }

    async fn delete_task_set(&self, arn: &str) -> Result<(), Failure> {
        let asked = json!({
            "cluster": self.work.service.0, "service": self.work.service.1, "taskSet": arn, "force": true,
        });
        match ecs(&self.inner.api, "DeleteTaskSet", asked).await {
            Err(error) if !error.is_not_found() => Err(error.into()),
            _ => Ok(()),
        }
    }

    async fn wait_for_green(&mut self, service: &str, set: &str) -> Result<(), Failure> {
        let services = Arc::clone(&self.inner.services);
        let inner = Arc::clone(&self.inner);
        let limit = self.minutes(HEALTHY_MINUTES);
        let is_healthy = move || {
            let snapshot = inner.snapshot();
            let sets = snapshot.services.iter().find(|one| one.arn == service).map(|one| &one.task_sets);
            let wanted = sets.and_then(|sets| sets.iter().find(|one| one.key == set)).map(|one| one.desired_count);
            wanted.is_some_and(|wanted| services.healthy(service, set) >= wanted)
        };
        if self.wait_until(limit, |_| false, is_healthy).await? {
            return Ok(());
        }
        let last = self.inner.services.last_failure(service, set);
        Err(Failure::failed(
            "TIMEOUT",
            format!(
                "The deployment timed out while waiting for the replacement task set to become healthy. This time out \
                 period is {HEALTHY_MINUTES} minutes.{}",
                last.map(|reason| format!(" The last task that stopped: {reason}.")).unwrap_or_default(),
            ),
        ))
    }

    async fn wait_for_ready(&mut self) -> Result<(), Failure> {
        let Some(minutes) = self.work.ready_wait_minutes else { return Ok(()) };
        if self.wishes.borrow().ready {
            return Ok(());
        }
        self.push("Ready").await?;
        tracing::info!(target: "containers", "deployment {}: waits for ContinueDeployment", self.id);
        if !self.wait(self.minutes(minutes), |wishes| wishes.ready).await? {
            let message = "The deployment was stopped because it was not continued before its wait time was over.";
            return Err(Failure { status: "Stopped", ..Failure::failed("TIMEOUT", message) });
        }
        self.push("InProgress").await
    }

    /// Waits so long, or until it is wished otherwise; whether it was.
    async fn wait(&mut self, limit: Duration, is_wished: impl Fn(&Wishes) -> bool) -> Result<bool, Failure> {
        self.wait_until(limit, is_wished, || false).await
    }

    /// Waits until something is wished or is so; whether that came before `limit`. An alarm and StopDeployment are failures.
    async fn wait_until(
        &mut self,
        limit: Duration,
        is_wished: impl Fn(&Wishes) -> bool,
        is_so: impl Fn() -> bool,
    ) -> Result<bool, Failure> {
        let end = tokio::time::Instant::now() + limit;
        let changes = self.inner.changes.clone();
        loop {
            self.check_alarms().await?;
            let wishes = self.wishes.borrow_and_update().clone();
            if let Some(goes_back) = wishes.stop {
                let message = "The deployment was stopped by a user.";
                let rolls_back =
                    goes_back || self.work.rolls_back_on.iter().any(|on| on == "DEPLOYMENT_STOP_ON_REQUEST");
                return Err(Failure { status: "Stopped", rolls_back, ..Failure::failed("MANUAL_STOP", message) });
            }
            if is_wished(&wishes) || is_so() {
                return Ok(true);
            }
            if tokio::time::Instant::now() >= end {
                return Ok(false);
            }
            tokio::select! {
                () = tokio::time::sleep_until(end.min(tokio::time::Instant::now() + LOOK)) => {}
                _ = self.wishes.changed() => {}
                () = changes.until(&is_so) => {}
            }
        }
    }

    /// One that is on stops the deployment, also one that was on before it began.
    async fn check_alarms(&self) -> Result<(), Failure> {
        if self.work.alarms.is_empty() {
            return Ok(());
        }
        let names = (1..).zip(&self.work.alarms).map(|(number, name)| (format!("AlarmNames.member.{number}"), name));
        let names: Vec<_> = names.collect();
        let names = names.iter().map(|(parameter, name)| (parameter.as_str(), name.as_str()));
        let types = [
            ("StateValue", "ALARM"),
            ("AlarmTypes.member.1", "MetricAlarm"),
            ("AlarmTypes.member.2", "CompositeAlarm"),
        ];
        let asked: Vec<_> = names.chain(types).collect();
        let answer = self.inner.api.query("monitoring", CLOUDWATCH_VERSION, "DescribeAlarms", &asked).await?;
        let result = answer.child("DescribeAlarmsResult");
        let alarms = result
            .into_iter()
            .flat_map(|result| result.members("MetricAlarms").chain(result.members("CompositeAlarms")));
        let on: Vec<_> = alarms.filter_map(|alarm| alarm.text_of("AlarmName")).collect();
        if on.is_empty() {
            return Ok(());
        }
        let message =
            format!("One or more alarms have been activated according to the alarm configuration: {}", on.join(", "));
        let rolls_back = self.work.rolls_back_on.iter().any(|on| on == "DEPLOYMENT_STOP_ON_ALARM");
        Err(Failure { status: "Stopped", rolls_back, ..Failure::failed("ALARM_ACTIVE", message) })
    }

    /// Gives green so many percent of a listener, and blue the rest.
    async fn turn(&self, listener: &str, green_share: u32) -> Result<(), Failure> {
        let Some(sides) = &self.sides else { return Ok(()) };
        let group = |side: &Side, weight| WeightedTargetGroup { arn: side.group.clone(), weight };
        let green = sides.green.as_ref().map(|green| group(green, green_share));
        let blue = group(&sides.blue, 100 - green_share);
        let groups: Vec<_> = [Some(blue), green].into_iter().flatten().filter(|group| group.weight > 0).collect();
        turn_listener(&self.inner.api, listener, &groups).await?;
        self.inner.refresh_for_deployment().await?;
        Ok(())
    }

    /// Blue gets everything again, and green is ended.
    async fn roll_back(&mut self) -> Result<(), Failure> {
        let Some(sides) = self.sides.clone() else { return Ok(()) };
        let listener = self.work.production_listener.clone();
        self.turn(&listener, 0).await?;
        self.green_share = 0;
        let primary = json!({
            "cluster": self.work.service.0, "service": self.work.service.1, "primaryTaskSet": sides.blue.arn,
        });
        ecs(&self.inner.api, "UpdateServicePrimaryTaskSet", primary).await?;
        self.drop_green().await
    }

    async fn drop_green(&mut self) -> Result<(), Failure> {
        let Some(green) = self.sides.as_ref().and_then(|sides| sides.green.clone()) else { return Ok(()) };
        if let Some(listener) = self.work.test_listener.clone() {
            self.turn(&listener, 0).await?;
        }
        self.delete_task_set(&green.arn).await?;
        self.inner.refresh_for_deployment().await?;
        Ok(())
    }

    async fn fail(&mut self, failure: Failure) {
        let Failure { status, code, message, rolls_back } = failure;
        tracing::error!(target: "containers", "deployment {}: {status}, {code}: {message}", self.id);
        let now = now();
        for event in &mut self.events {
            if event.status == "InProgress" {
                event.status = "Failed";
                event.end = Some(now);
                event.remark = Some(message.clone());
            } else if event.status == "Pending" {
                event.status = "Skipped";
            }
        }
        let on_failure = self.work.rolls_back_on.iter().any(|on| on == "DEPLOYMENT_FAILURE");
        let rolls_back = rolls_back || (status == "Failed" && on_failure);
        let mut body = json!({ "info": { "errorInformation": { "code": code, "message": message } } });
        let undone = if rolls_back {
            tracing::info!(target: "containers", "deployment {}: goes back to blue", self.id);
            let undone = self.roll_back().await;
            body["rollback"] = json!({
                "status": if undone.is_ok() { "Succeeded" } else { "Failed" },
                "message": format!("The deployment {} is rolled back: {message}", self.id),
            });
            undone
        } else if self.green_share == 0 {
            // Nobody is served by green, and the next deployment needs its target group.
            self.drop_green().await
        } else {
            Ok(())
        };
        if let Err(failure) = undone {
            tracing::error!(target: "containers", "deployment {}: cannot go back: {}", self.id, failure.message);
        }
        body["status"] = status.into();
        body["target"] = self.target(if status == "Failed" { "Failed" } else { "Skipped" });
        tell(&self.inner.api, &self.id, &body).await;
    }

    /// An event at which functions may be called. None is.
    async fn hook(&mut self, name: &'static str) -> Result<(), Failure> {
        let function = self.work.hooks.iter().find(|(event, _)| event == name).map(|(_, function)| function.clone());
        let remark = function.map(|function| {
            tracing::warn!(target: "containers", "deployment {}: {name}: {function} is not called: hooks are skipped", self.id);
            format!("{function} was not called: lifecycle hooks are skipped here")
        });
        // What is wished or wrong meanwhile counts also where nothing is waited for.
        self.wait(Duration::ZERO, |_| false).await?;
        let now = now();
        for event in self.events.iter_mut().filter(|event| event.name == name) {
            event.status = if remark.is_some() { "Skipped" } else { "Succeeded" };
            event.remark.clone_from(&remark);
            (event.start, event.end) = (Some(now), Some(now));
        }
        self.push("InProgress").await
    }

    async fn begin(&mut self, name: &'static str) -> Result<(), Failure> {
        let now = now();
        for event in self.events.iter_mut().filter(|event| event.name == name) {
            event.status = "InProgress";
            event.start = Some(now);
        }
        self.push("InProgress").await
    }

    async fn finish(&mut self, name: &'static str) -> Result<(), Failure> {
        let now = now();
        for event in self.events.iter_mut().filter(|event| event.name == name) {
            event.status = "Succeeded";
            event.end = Some(now);
        }
        tracing::info!(target: "containers", "deployment {}: {name}", self.id);
        self.push("InProgress").await
    }

    async fn push(&mut self, status: &str) -> Result<(), Failure> {
        let body = json!({ "status": status, "target": self.target(status) });
        self.put(&body).await
    }

    async fn put(&mut self, body: &Value) -> Result<(), Failure> {
        let page = deployment_page(&self.inner.api, &self.id);
        self.inner.api.own(Method::PUT, &page, Some(body)).await?;
        Ok(())
    }

    /// AWS's ECSTarget.
    fn target(&self, status: &str) -> Value {
        let (cluster, service) = &self.work.service;
        let events = self.events.iter().map(|event| {
            let mut told = json!({ "lifecycleEventName": event.name, "status": event.status });
            for (member, time) in [("startTime", event.start), ("endTime", event.end)] {
                if let Some(time) = time {
                    told[member] = time.into();
                }
            }
            if let Some(remark) = &event.remark {
                told["diagnostics"] = json!({ "message": remark });
            }
            told
        });
        let sides = self.sides.iter().flat_map(|sides| {
            let set = |side: &Side, label: &str, share: u32| {
                let (pending, running) = self.inner.services.counts(&sides.service, &side.arn);
                json!({
                    // AWS's own spelling.
                    "identifer": side.arn, "taskSetLabel": label, "trafficWeight": share,
                    "status": if share >= 50 { "PRIMARY" } else { "ACTIVE" },
                    "desiredCount": pending + running, "pendingCount": pending, "runningCount": running,
                    "targetGroup": { "name": side.group_name },
                })
            };
            let green = sides.green.as_ref().map(|green| set(green, "Green", self.green_share));
            [Some(set(&sides.blue, "Blue", 100 - self.green_share)), green].into_iter().flatten()
        });
        json!({
            "targetId": format!("{cluster}:{service}"),
            "targetArn": self.sides.as_ref().map(|sides| sides.service.clone()),
            "status": status,
            "lifecycleEvents": events.collect::<Vec<_>>(),
            "taskSetsInfo": sides.collect::<Vec<_>>(),
        })
    }

    fn minutes(&self, minutes: u32) -> Duration {
        self.inner.pace.deployment_minute * minutes
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
