//! What the page shows.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use local_containers::{
    rule::Action,
    snapshot::{LoadBalancer, Service, TargetGroup},
};
use local_lambda::{Report, Status};
use serde_json::{Value, json};

use crate::{front_doors::FrontDoor, serving::Serving};

/// So many invocations of each function's version are shown, the latest.
const INVOCATIONS: usize = 100;

/// All of it, as JSON.
pub fn of(serving: &Serving) -> Value {
    json!({
        "ready": serving.is_ready(),
        "control_plane": serving.api.endpoint(),
        "gateway": serving.url(),
        "front_doors": serving.front_doors().iter().map(front_door).collect::<Vec<_>>(),
        "functions": functions(serving),
        "load_balancers": load_balancers(serving),
        "target_groups": target_groups(serving),
        "services": services(serving),
        "deployments": serving.deployments.shown(),
    })
}

fn front_door(front_door: &FrontDoor) -> Value {
    let sample = front_door.sample.clone().unwrap_or_default();
    json!({
        "name": front_door.name,
        "architecture": front_door.architecture,
        "stage": front_door.stage,
        "url": front_door.url,
        "headers": front_door.headers,
        "curl": front_door.curl(),
        "sample": {"method": sample.method, "path": sample.path, "body": sample.body},
    })
}

/// Those that have been invoked, version by version.
fn functions(serving: &Serving) -> Vec<Value> {
    let mut reports: BTreeMap<(Arc<str>, Arc<str>), Vec<Report>> = BTreeMap::new();
    for report in serving.lambda.reports() {
        reports.entry((report.function.clone(), report.version.clone())).or_default().push(report);
    }
    let instances = serving.lambda.instances();
    let version = |((function, version), reports): ((Arc<str>, Arc<str>), Vec<Report>)| {
        let processes = instances.iter().filter(|one| one.function == function && one.version == version);
        json!({
            "name": &*function,
            "version": &*version,
            "processes": processes.count(),
            "invocations": reports[reports.len().saturating_sub(INVOCATIONS)..].iter().map(invocation).collect::<Vec<_>>(),
        })
    };
    reports.into_iter().map(version).collect()
}

/// Each with its listeners: `HTTP 80 at 127.0.0.1:40001`.
fn load_balancers(serving: &Serving) -> Vec<Value> {
    let open = serving.containers.listeners();
    let balancer = |balancer: &LoadBalancer| {
        let listeners = balancer.listeners.iter().map(|listener| {
            let known = format!("{} {}", listener.protocol, listener.port);
            match open.iter().find(|entry| entry.listener == listener.arn) {
                Some(entry) => format!("{known} at {}", entry.address),
                None => format!("{known}, not served"),
            }
        });
        json!({ "name": balancer.name, "listeners": listeners.collect::<Vec<_>>() })
    };
    serving.containers.deployed().load_balancers.iter().map(balancer).collect()
}

/// Each with the listeners that forward to it now, and its targets.
fn target_groups(serving: &Serving) -> Vec<Value> {
    let deployed = serving.containers.deployed();
    let group = |group: &TargetGroup| {
        let listeners = deployed.load_balancers.iter().flat_map(|balancer| &balancer.listeners);
        let forwarding = listeners.filter_map(|listener| {
            let rules = listener.rules.iter().map(|rule| &rule.action);
            let weights = rules.chain([&listener.default_action]).filter_map(|action| weight(action, &group.arn));
            let weight = weights.max()?;
            let share = if weight.1 == weight.0 { String::new() } else { format!(", {} of {}", weight.0, weight.1) };
            Some(format!("{} {}{share}", listener.protocol, listener.port))
        });
        let targets = serving.containers.targets(&group.arn).into_iter().map(|target| {
            let [id, port] = ["id", "port"].map(|member| target[member].to_string().trim_matches('"').to_owned());
            json!({ "address": format!("{id}:{port}"), "state": target["state"], "reason": target["description"] })
        });
        json!({
            "name": group.name,
            "listeners": forwarding.collect::<Vec<_>>(),
            "targets": targets.collect::<Vec<_>>(),
        })
    };
    deployed.target_groups.iter().map(group).collect()
}

/// Of an action that forwards to the group: its weight, and the sum of all.
fn weight(action: &Action, group: &str) -> Option<(u32, u32)> {
    let Action::Forward(groups) = action else { return None };
    let weight = groups.iter().find(|forwarded| forwarded.arn == group)?.weight;
    (weight > 0).then(|| (weight, groups.iter().map(|forwarded| forwarded.weight).sum()))
}

fn services(serving: &Serving) -> Vec<Value> {
    let service = |service: &Service| {
        let tasks = serving.containers.tasks(&service.arn);
        let running = tasks.iter().filter(|task| task["lastStatus"] == "RUNNING").count();
        let task = |task: &Value| {
            let binding = &task["containers"][0]["networkBindings"][0];
            let address = binding["hostPort"].as_u64().zip(binding["bindIP"].as_str());
            let definition = task["taskDefinitionArn"].as_str().and_then(|arn| arn.rsplit('/').next());
            json!({
                "id": task["id"],
                "task_definition": definition,
                "status": task["lastStatus"],
                "health": task["healthStatus"],
                "reason": task["stoppedReason"],
                "address": address.map(|(port, ip)| format!("{ip}:{port}")),
            })
        };
        json!({
            "name": service.name,
            "desired": service.desired_count,
            "running": running,
            "tasks": tasks.iter().map(task).collect::<Vec<_>>(),
        })
    };
    serving.containers.deployed().services.iter().map(service).collect()
}

fn invocation(report: &Report) -> Value {
    json!({
        "ended": report.ended.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64,
        "duration_ms": milliseconds(report.duration),
        "billed_ms": report.billed_duration.as_millis() as u64,
        "init_ms": report.init_duration.map(milliseconds),
        "memory_mb": report.memory_size,
        "max_memory_mb": report.max_memory_used,
        "status": match &report.status {
            Status::Success => "success",
            Status::FunctionError(kind) if kind.is_empty() => "function error",
            Status::FunctionError(kind) => kind,
            Status::Error(kind) => kind,
            Status::Timeout => "time-out",
        },
    })
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
