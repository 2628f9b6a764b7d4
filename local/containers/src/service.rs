//! The service scheduler: as many tasks of each task set as there should be, and new ones for those that end.
//! <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_services.html>

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use local_aws_api::AwsApi;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::Pace;
use crate::change::Changes;
use crate::nginx;
use crate::snapshot::{Service, ServiceLoadBalancer, TaskDefinition, TaskSet};
use crate::target_group::{State, Target, TargetGroup, TargetGroups, lock};
use crate::task::{self, Binaries, Exit, Launch, Process};

/// Before the first repetition of a task that ended; doubled each time. ECS waits up to 15 minutes.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-throttle-logic.html>
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// A task without a target group that ran so long has not failed to start.
const STARTED_WELL: Duration = Duration::from_secs(10);
/// When everything ends, nobody waits longer than this for a task.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// How many ended tasks of a service are still told of. ECS tells of them for an hour.
const STOPPED_TASKS: usize = 10;

/// What tasks need to know of the rest.
#[derive(Debug)]
pub struct Surroundings {
    /// The control plane.
    pub api: AwsApi,
    /// What stands for images.
    pub binaries: Binaries,
    /// Where tasks run.
    pub directory: PathBuf,
    /// Where tasks are registered.
    pub groups: Arc<TargetGroups>,
    /// Told of every change of a task.
    pub changes: Changes,
    /// How long AWS's seconds are.
    pub pace: Pace,
}

/// All services.
#[derive(Debug)]
pub struct Services {
    running: Mutex<HashMap<String, Running>>,
    /// Tasks that are on their way out.
    ending: Mutex<Vec<Slot>>,
    surroundings: Arc<Surroundings>,
}

/// A service's tasks.
#[derive(Debug)]
struct Running {
    shared: Arc<Shared>,
    sets: HashMap<String, Set>,
}

/// A task set's tasks.
#[derive(Debug)]
struct Set {
    settings: TaskSet,
    slots: Vec<Slot>,
}

/// A place for one task: whenever the task ends, the next one starts.
#[derive(Debug)]
struct Slot {
    stop: watch::Sender<Stop>,
    task: JoinHandle<()>,
}

/// Whether, and how, a slot's task is to end for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stop {
    No,
    /// After the requests that it has.
    Drained,
    /// At once.
    Now,
}

/// What the slots of a service share.
#[derive(Debug)]
struct Shared {
    cluster: String,
    name: String,
    grace_period: Mutex<Duration>,
    /// Asked for by StopTask.
    stopped: Mutex<BTreeSet<String>>,
    /// In the order in which they began.
    tasks: Mutex<Vec<Record>>,
}

/// A task, as ECS tells of it.
#[derive(Debug, Clone)]
struct Record {
    id: String,
    set_key: String,
    started_by: String,
    task_definition: String,
    container: String,
    image: String,
    status: Status,
    is_wanted: bool,
    created_at: f64,
    started_at: Option<f64>,
    stopped_at: Option<f64>,
    stop_code: &'static str,
    stopped_reason: String,
    exit_code: Option<i32>,
    targets: Vec<Arc<Target>>,
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Pending,
    Running,
    Deactivating,
    Stopping,
    Stopped,
}

impl Status {
    fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Running => "RUNNING",
            Self::Deactivating => "DEACTIVATING",
            Self::Stopping => "STOPPING",
            Self::Stopped => "STOPPED",
        }
    }
}

impl Record {
    fn is_healthy(&self) -> bool {
        self.status == Status::Running && self.targets.iter().all(|target| target.health().state == State::Healthy)
    }

    fn report(&self) -> Value {
        let health = match self.status {
            Status::Running if self.targets.is_empty() => "UNKNOWN",
            Status::Running if self.is_healthy() => "HEALTHY",
            Status::Running => "UNHEALTHY",
            _ => "UNKNOWN",
        };
        let bindings = self.targets.iter().map(|target| json!({ "bindIP": target.id, "hostPort": target.port }));
        let mut report = json!({
            "id": self.id,
            "taskDefinitionArn": self.task_definition,
            "startedBy": self.started_by,
            "lastStatus": self.status.name(),
            "desiredStatus": if self.is_wanted { "RUNNING" } else { "STOPPED" },
            "healthStatus": health,
            "createdAt": self.created_at,
            "containers": [{
                "name": self.container, "image": self.image, "lastStatus": self.status.name(), "healthStatus": health,
                "networkBindings": bindings.collect::<Vec<_>>(),
            }],
        });
        for (member, time) in [("startedAt", self.started_at), ("stoppedAt", self.stopped_at)] {
            if let Some(time) = time {
                report[member] = time.into();
            }
        }
        if !self.stop_code.is_empty() {
            report["stopCode"] = self.stop_code.into();
            report["stoppedReason"] = self.stopped_reason.as_str().into();
        }
        if let Some(code) = self.exit_code {
            report["containers"][0]["exitCode"] = code.into();
        }
        report
    }
}

impl Services {
    /// None yet.
    pub fn new(surroundings: Surroundings) -> Self {
        Self { running: Mutex::default(), ending: Mutex::default(), surroundings: Arc::new(surroundings) }
    }

    /// Starts what is missing and ends what is too much. A new task set of a rolling service takes over from the old one
    /// when its tasks are healthy; CodeDeploy does that itself.
    pub fn update(self: &Arc<Self>, services: &[Service], definitions: &HashMap<String, TaskDefinition>) {
        let mut running = lock(&self.running);
        let gone: Vec<_> = running.extract_if(|arn, _| !services.iter().any(|service| service.arn == *arn)).collect();
        for (_, service) in gone {
            self.end(service.sets.into_values().flat_map(|set| set.slots));
        }
        for service in services {
            let here = running.entry(service.arn.clone()).or_insert_with(|| Running {
                shared: Arc::new(Shared {
                    cluster: service.cluster.clone(),
                    name: service.name.clone(),
                    grace_period: Mutex::default(),
                    stopped: Mutex::default(),
                    tasks: Mutex::default(),
                }),
                sets: HashMap::new(),
            });
            *lock(&here.shared.grace_period) = service.health_check_grace_period;
            lock(&here.shared.stopped).clone_from(&service.stopped_tasks);
            let old: Vec<_> = here
                .sets
                .extract_if(|key, _| !service.task_sets.iter().any(|set| set.key == *key))
                .flat_map(|(_, set)| set.slots)
                .collect();
            for settings in &service.task_sets {
                let set = here.sets.entry(settings.key.clone());
                let set = set.or_insert_with(|| Set { settings: settings.clone(), slots: Vec::new() });
                set.settings = settings.clone();
                self.scale(&here.shared, set, definitions);
            }
            match service.task_sets.first() {
                Some(new) if !service.is_codedeploys && !old.is_empty() => {
                    let (services, key, shared) = (Arc::clone(self), new.key.clone(), Arc::clone(&here.shared));
                    let (arn, wanted) = (service.arn.clone(), new.desired_count);
                    tokio::spawn(async move {
                        let is_over = || healthy(&shared, &key) >= wanted || !services.has_set(&arn, &key);
                        services.surroundings.changes.until(is_over).await;
                        services.end(old);
                    });
                }
                _ => self.end(old),
            }
        }
        drop(running);
        self.surroundings.changes.record();
    }

    fn has_set(&self, service: &str, key: &str) -> bool {
        // Not from within `update`, which holds the lock: `until` asks later, from a task of its own.
        lock(&self.running).get(service).is_some_and(|running| running.sets.contains_key(key))
    }

    fn scale(&self, shared: &Arc<Shared>, set: &mut Set, definitions: &HashMap<String, TaskDefinition>) {
        let wanted = set.settings.desired_count;
        if set.slots.len() > wanted {
            self.end(set.slots.split_off(wanted));
        }
        let Some(definition) = definitions.get(&set.settings.task_definition) else { return };
        while set.slots.len() < wanted {
            let (stop, stopped) = watch::channel(Stop::No);
            let keeper = Keeper {
                shared: Arc::clone(shared),
                set: set.settings.clone(),
                definition: definition.clone(),
                surroundings: Arc::clone(&self.surroundings),
            };
            set.slots.push(Slot { stop, task: tokio::spawn(keeper.keep(stopped)) });
        }
    }

    fn end(&self, slots: impl IntoIterator<Item = Slot>) {
        let mut ending = lock(&self.ending);
        ending.retain(|slot| !slot.task.is_finished());
        for slot in slots {
            slot.stop.send_replace(Stop::Drained);
            ending.push(slot);
        }
    }

    /// Whether there is a program for what the tasks are.
    pub fn can_run(&self, definition: &TaskDefinition, load_balancers: &[ServiceLoadBalancer]) -> bool {
        let container = task::container(definition, load_balancers);
        let is_nginx = container.is_some_and(|container| nginx::is_in(&container.image));
        !is_nginx || self.surroundings.binaries.nginx.is_some()
    }

    /// How many tasks of a task set run and are healthy in every target group.
    pub fn healthy(&self, service: &str, set_key: &str) -> usize {
        let shared = lock(&self.running).get(service).map(|running| Arc::clone(&running.shared));
        shared.map_or(0, |shared| healthy(&shared, set_key))
    }

    /// How many tasks of a task set are starting, and how many run.
    pub fn counts(&self, service: &str, set_key: &str) -> (usize, usize) {
        let shared = lock(&self.running).get(service).map(|running| Arc::clone(&running.shared));
        let Some(shared) = shared else { return (0, 0) };
        let tasks = lock(&shared.tasks);
        let count = |status| tasks.iter().filter(|task| task.set_key == set_key && task.status == status).count();
        (count(Status::Pending), count(Status::Running))
    }

    /// Why the newest task of a task set ended, if one did.
    pub fn last_failure(&self, service: &str, set_key: &str) -> Option<String> {
        let shared = lock(&self.running).get(service).map(|running| Arc::clone(&running.shared))?;
        let tasks = lock(&shared.tasks);
        let mut ended = tasks.iter().rev().filter(|task| task.set_key == set_key && !task.stopped_reason.is_empty());
        ended.next().map(|task| task.stopped_reason.clone())
    }

    /// The control plane's page for each service, and what it takes.
    pub fn report(&self) -> Vec<(String, Value)> {
        let region = self.surroundings.api.region().to_owned();
        let running = lock(&self.running);
        let services = running.values().map(|running| {
            let shared = &running.shared;
            let tasks: Vec<_> = lock(&shared.tasks).iter().map(Record::report).collect();
            let page = format!("/_control_plane/ecs/{region}/{}/{}/tasks", shared.cluster, shared.name);
            (page, json!({ "tasks": tasks }))
        });
        services.collect()
    }

    /// The tasks of one service, given by ARN, as ECS tells of them.
    pub fn tasks(&self, service: &str) -> Vec<Value> {
        let shared = lock(&self.running).get(service).map(|running| Arc::clone(&running.shared));
        shared.map_or_else(Vec::new, |shared| lock(&shared.tasks).iter().map(Record::report).collect())
    }

    /// Ends all tasks. Returns when none is left.
    pub async fn shut_down(&self) {
        let running: Vec<_> = lock(&self.running).drain().map(|(_, running)| running).collect();
        let slots = running.into_iter().flat_map(|running| running.sets.into_values()).flat_map(|set| set.slots);
        let slots: Vec<_> = slots.chain(lock(&self.ending).drain(..)).collect();
        for slot in &slots {
            slot.stop.send_replace(Stop::Now);
        }
        for slot in slots {
            if let Err(error) = slot.task.await {
                tracing::error!(target: "containers", "a task's keeper failed: {error}");
            }
        }
    }

    /// Ends all tasks without waiting: what is dropped is killed.
    pub fn abort(&self) {
        for running in lock(&self.running).drain() {
            running.1.sets.values().flat_map(|set| &set.slots).for_each(|slot| slot.task.abort());
        }
        lock(&self.ending).drain(..).for_each(|slot| slot.task.abort());
    }
}

fn healthy(shared: &Shared, set_key: &str) -> usize {
    lock(&shared.tasks).iter().filter(|task| task.set_key == set_key && task.is_healthy()).count()
}

/// Keeps a slot's task running.
struct Keeper {
    shared: Arc<Shared>,
    set: TaskSet,
    definition: TaskDefinition,
    surroundings: Arc<Surroundings>,
}

/// Why a task is not to go on.
enum End {
    Exited(Exit),
    Unhealthy(String),
    StoppedByUser,
    Scaled,
}

impl Keeper {
    async fn keep(self, mut stop: watch::Receiver<Stop>) {
        let mut pause = FIRST_PAUSE;
        while *stop.borrow() == Stop::No {
            let begin = Instant::now();
            let was_well = self.run_one(&mut stop).await;
            pause =
                if was_well || begin.elapsed() > STARTED_WELL { FIRST_PAUSE } else { (pause * 2).min(LONGEST_PAUSE) };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stopped(&mut stop, Stop::Drained) => {}
            }
        }
    }

    /// One task from its start to its end. Whether it was healthy at any time.
    async fn run_one(&self, stop: &mut watch::Receiver<Stop>) -> bool {
        let id = format!("{:032x}", fastrand::u128(..));
        let label = format!("{}/{}", self.shared.name, &id[..8]);
        self.begin(&id);
        let launch = Launch {
            api: &self.surroundings.api,
            binaries: &self.surroundings.binaries,
            directory: &self.surroundings.directory,
            definition: &self.definition,
            load_balancers: &self.set.load_balancers,
            label: &label,
        };
        let mut process = match task::start(launch).await {
            Ok(process) => process,
            Err(error) => {
                tracing::error!(target: "containers", "{label}: {error}");
                self.change(&id, |task| {
                    task.stop_code = "TaskFailedToStart";
                    task.stopped_reason = error.to_string();
                    task.end(None);
                });
                return false;
            }
        };
        let targets = self.register(&process);
        self.change(&id, |task| {
            task.status = Status::Running;
            task.started_at = Some(now());
            task.targets = targets.iter().map(|(_, target)| Arc::clone(target)).collect();
        });
        tracing::info!(target: "containers", "{label}: started");
        let mut was_healthy = false;
        let begin = Instant::now();
        let end = tokio::select! {
            exit = process.ended() => End::Exited(exit),
            end = self.trouble(&id, &targets, begin, &mut was_healthy) => end,
            () = stopped(stop, Stop::Drained) => End::Scaled,
        };
        self.finish(&id, &label, process, targets, end, stop).await;
        was_healthy
    }

    fn begin(&self, id: &str) {
        let container = task::container(&self.definition, &self.set.load_balancers);
        let record = Record {
            id: id.to_owned(),
            set_key: self.set.key.clone(),
            started_by: self.set.id.clone(),
            task_definition: self.set.task_definition.clone(),
            container: container.map(|container| container.name.clone()).unwrap_or_default(),
            image: container.map(|container| container.image.clone()).unwrap_or_default(),
            status: Status::Pending,
            is_wanted: true,
            created_at: now(),
            started_at: None,
            stopped_at: None,
            stop_code: "",
            stopped_reason: String::new(),
            exit_code: None,
            targets: Vec::new(),
        };
        let mut tasks = lock(&self.shared.tasks);
        let mut too_many =
            tasks.iter().filter(|task| task.status == Status::Stopped).count().saturating_sub(STOPPED_TASKS);
        tasks.retain(|task| {
            let is_forgotten = too_many > 0 && task.status == Status::Stopped;
            too_many -= usize::from(is_forgotten);
            !is_forgotten
        });
        tasks.push(record);
        drop(tasks);
        self.surroundings.changes.record();
    }

    fn register(&self, process: &Process) -> Vec<(Arc<TargetGroup>, Arc<Target>)> {
        let groups = self.set.load_balancers.iter().filter_map(|one| {
            let address = process.addresses.get(&one.container_port)?;
            let group = self.surroundings.groups.get(&one.target_group_arn)?;
            let target = group.add(*address);
            Some((group, target))
        });
        groups.collect()
    }

    /// Returns when the task has to go although it runs.
    async fn trouble(
        &self,
        id: &str,
        targets: &[(Arc<TargetGroup>, Arc<Target>)],
        begin: Instant,
        was_healthy: &mut bool,
    ) -> End {
        let mut changes = self.surroundings.changes.watch();
        loop {
            if lock(&self.shared.stopped).contains(id) {
                return End::StoppedByUser;
            }
            let state = |target: &Arc<Target>| target.health().state;
            *was_healthy |= !targets.is_empty() && targets.iter().all(|(_, target)| state(target) == State::Healthy);
            let grace_ends = begin + self.surroundings.pace.health(*lock(&self.shared.grace_period));
            let ill = targets.iter().find(|(_, target)| state(target) == State::Unhealthy);
            if let Some((group, _)) = ill {
                if Instant::now() >= grace_ends {
                    return End::Unhealthy(group.settings().arn.clone());
                }
                tokio::select! {
                    _ = changes.changed() => {}
                    () = tokio::time::sleep_until(grace_ends) => {}
                }
            } else {
                _ = changes.changed().await;
            }
        }
    }

    /// Out of the target groups, then SIGTERM, as ECS does it.
    async fn finish(
        &self,
        id: &str,
        label: &str,
        mut process: Process,
        targets: Vec<(Arc<TargetGroup>, Arc<Target>)>,
        end: End,
        stop: &mut watch::Receiver<Stop>,
    ) {
        let (code, reason) = match &end {
            End::Exited(_) => ("EssentialContainerExited", "Essential container in task exited".to_owned()),
            End::Unhealthy(group) => {
                ("ServiceSchedulerInitiated", format!("Task failed ELB health checks in (target-group {group})"))
            }
            End::StoppedByUser => ("UserInitiated", "Task stopped by user".to_owned()),
            End::Scaled => {
                ("ServiceSchedulerInitiated", format!("Scaling activity initiated by (deployment {})", self.set.id))
            }
        };
        self.change(id, |task| {
            task.is_wanted = false;
            task.stop_code = code;
            task.stopped_reason.clone_from(&reason);
            task.status = Status::Deactivating;
        });
        let exit = if let End::Exited(exit) = end {
            targets.iter().for_each(|(group, target)| group.remove(target));
            tracing::warn!(target: "containers", "{label}: ended by itself, exit code {:?}", exit.code);
            exit
        } else {
            tracing::info!(target: "containers", "{label}: {reason}");
            let drained = async {
                for (group, target) in &targets {
                    group.drain(target).await;
                }
            };
            let early = tokio::select! {
                exit = process.ended() => Some(exit),
                () = drained => None,
                () = stopped(stop, Stop::Now) => None,
            };
            targets.iter().for_each(|(group, target)| group.remove(target));
            self.change(id, |task| task.status = Status::Stopping);
            match early {
                Some(exit) => exit,
                None if *stop.borrow() == Stop::Now => process.stop(SHUTDOWN_GRACE).await,
                None => process.stop(Duration::MAX).await,
            }
        };
        self.change(id, |task| task.end(exit.code));
    }

    fn change(&self, id: &str, change: impl FnOnce(&mut Record)) {
        if let Some(task) = lock(&self.shared.tasks).iter_mut().find(|task| task.id == id) {
            change(task);
        }
        self.surroundings.changes.record();
    }
}

impl Record {
    fn end(&mut self, exit_code: Option<i32>) {
        self.status = Status::Stopped;
        self.is_wanted = false;
        self.stopped_at = Some(now());
        self.exit_code = exit_code;
        self.targets.clear();
    }
}

/// Returns when a slot is to stop at least so urgently.
async fn stopped(stop: &mut watch::Receiver<Stop>, how: Stop) {
    // When nobody is left to say so, it is to stop too.
    _ = stop.wait_for(|wanted| *wanted >= how).await;
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
