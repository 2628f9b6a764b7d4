"""ECS: members of a service that moto drops, task sets of a service that CodeDeploy releases to, and tasks that run.

The capacity provider strategy is the one that hurts: read back without it, Terraform plans to replace the service. A
service with a strategy has no launch type. Zone rebalancing is off unless asked for. A deleted service can still be
described for a while, but is not listed; moto lists it for ever.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html

A service with the deployment controller CODE_DEPLOY begins with a primary task set, and its task definition can be
changed by a deployment only. Whoever runs the tasks says which there are, by a page of the control plane's own;
ListTasks, DescribeTasks and the counts of services and task sets repeat that. moto itself would start tasks that nobody
runs.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_TaskSet.html
"""

from __future__ import annotations

from typing import Any

from moto.core.common_models import BaseModel
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.core.utils import camelcase_to_underscores
from moto.ecs.models import Service, TaskSet, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse
from werkzeug.wrappers import Request

from . import ACCOUNT, registry
from .registry import PageError

KEPT = {
    "availabilityZoneRebalancing": "availability_zone_rebalancing",
    "capacityProviderStrategy": "capacity_provider_strategy",
    "deploymentConfiguration": "deployment_configuration",
    "enableECSManagedTags": "enable_ecs_managed_tags",
    "enableExecuteCommand": "enable_execute_command",
    "healthCheckGracePeriodSeconds": "health_check_grace_period_seconds",
    "placementConstraints": "placement_constraints",
    "placementStrategy": "placement_strategy",
}
"""Member of the request → attribute of moto's service, from which moto writes the answer."""

ALL_TASKS = {"value": 100.0, "unit": "PERCENT"}
"""The scale of a task set that has as many tasks as the service wants."""


class InvalidParameterException(ServiceException):
    code = "InvalidParameterException"


class RunningTask(BaseModel):
    """A task that somebody runs, as far as that somebody tells; its attributes are members of AWS's Task."""

    # Asked for by moto, of whatever is among its tasks.
    container_instance_arn = None
    resource_requirements = None
    tags: tuple[dict[str, str], ...] = ()
    overrides: dict[str, Any] = {}  # noqa: RUF012 (never changed)

    def __init__(self, arn: str, service: Service, task: dict[str, Any]) -> None:
        self.task_arn = arn
        self.cluster_arn = service.cluster_arn
        self.group = f"service:{service.name}"
        self.launch_type = service.launch_type or "FARGATE"
        self.platform_version = service.platform_version
        if strategy := getattr(service, "capacity_provider_strategy", None):
            self.capacity_provider_name = strategy[0].get("capacityProvider")
        self.attachments: list[dict[str, Any]] = []
        self.stopped_reason = ""
        for member, value in task.items():
            if member != "id":
                setattr(self, camelcase_to_underscores(member), value)

    def advance(self) -> None:
        """moto's own tasks move on when they are looked at. This one moves when whoever runs it says so."""


class Response(EC2ContainerServiceResponse):
    def create_service(self) -> ActionResult:
        answer = self._keep(super().create_service())
        assert isinstance(answer.result, dict)
        service: Service = answer.result["service"]
        if service.deployment_controller["type"] == "CODE_DEPLOY" and service.task_definition:
            service.task_sets.append(_primary_task_set(service))
        return answer

    def update_service(self) -> ActionResult:
        cluster, name = self._get_param("cluster", "default"), self._get_param("service")
        service = self.ecs_backend._get_service(cluster, name.split("/")[-1])
        if self._get_param("taskDefinition") and service.deployment_controller["type"] == "CODE_DEPLOY":
            raise InvalidParameterException(
                "Unable to update task definition on services with a CODE_DEPLOY deployment controller. "
                "Use AWS CodeDeploy to trigger a new deployment."
            )
        counts = service.running_count, service.pending_count
        answer = self._keep(super().update_service())
        if hasattr(service, "reported_tasks"):
            # moto takes it that the tasks are there as soon as they are wanted.
            service.running_count, service.pending_count = counts
        return answer

    def list_services(self) -> ActionResult:
        answer = super().list_services()
        assert isinstance(answer.result, dict)
        deleted = {service.arn for service in self.ecs_backend.services.values() if service.status == "INACTIVE"}
        return ActionResult({"serviceArns": [arn for arn in answer.result["serviceArns"] if arn not in deleted]})

    def delete_service(self) -> ActionResult:
        answer = super().delete_service()
        assert isinstance(answer.result, dict)
        answer.result["service"].task_sets = []
        return answer

    def list_tasks(self) -> ActionResult:
        answer = super().list_tasks()
        assert isinstance(answer.result, dict)
        service = self._get_param("serviceName")
        status = self._get_param("desiredStatus", "RUNNING")
        group = f"service:{service.split('/')[-1]}" if service else None
        listed = [
            task.task_arn
            for tasks in self.ecs_backend.tasks.values()
            for task in tasks.values()
            if task.task_arn in answer.result["taskArns"]
            and (group is None or task.group == group)
            and task.desired_status == status
        ]
        return ActionResult({"taskArns": listed})

    def stop_task(self) -> ActionResult:
        cluster = self.ecs_backend._get_cluster(self._get_param("cluster", "default"))
        wanted = self._get_param("task").split("/")[-1]
        for arn, task in self.ecs_backend.tasks.get(cluster.name, {}).items():
            if isinstance(task, RunningTask) and arn.split("/")[-1] == wanted:
                task.desired_status = "STOPPED"
                task.stopped_reason = self._get_param("reason") or "Task stopped by user"
                return ActionResult({"task": task})
        return super().stop_task()

    def create_task_set(self) -> ActionResult:
        strategy = self._get_param("capacityProviderStrategy")
        # With a scale, moto would also make tasks.
        task_set = self.ecs_backend.create_task_set(
            self._get_param("service"),
            self._get_param("cluster", "default"),
            self._get_param("taskDefinition"),
            external_id=self._get_param("externalId"),
            network_configuration=self._get_param("networkConfiguration"),
            load_balancers=self._get_param("loadBalancers"),
            service_registries=self._get_param("serviceRegistries"),
            launch_type=self._get_param("launchType"),
            capacity_provider_strategy=strategy,
            platform_version=self._get_param("platformVersion"),
            client_token=self._get_param("clientToken"),
            tags=self._get_param("tags"),
        )
        task_set.scale = self._get_param("scale") or dict(ALL_TASKS)
        if strategy:
            task_set.launch_type = None
        task_set.stabilityStatus = "STABILIZING"
        return ActionResult({"taskSet": task_set})

    def _keep(self, answer: ActionResult) -> ActionResult:
        assert isinstance(answer.result, dict)
        service: Any = answer.result["service"]
        for member, attribute in KEPT.items():
            if (value := self._get_param(member)) is not None:
                setattr(service, attribute, value)
        if getattr(service, "capacity_provider_strategy", None):
            service.launch_type = None
        if not hasattr(service, "availability_zone_rebalancing"):
            service.availability_zone_rebalancing = "DISABLED"
        return answer


def _primary_task_set(service: Service) -> TaskSet:
    task_set = TaskSet(
        service.arn,
        service.cluster_arn,
        service.task_definition or "",
        service._account_id,
        service.region_name,
        network_configuration=service.network_configuration,
        load_balancers=service.load_balancers,
        launch_type=service.launch_type,
        capacity_provider_strategy=getattr(service, "capacity_provider_strategy", None),
        platform_version=service.platform_version,
    )
    task_set.status = "PRIMARY"
    task_set.stabilityStatus = "STABILIZING"
    task_set.service_arn, task_set.cluster_arn = service.arn, service.cluster_arn
    return task_set


def put_tasks(request: Request, region: str, cluster: str, service: str) -> Any:
    """`{"tasks": [...]}`: all tasks of the service that there are now, each with an `id` and members of AWS's Task; in
    `startedBy` stands the id of its task set, if it has one."""
    backend = ecs_backends[ACCOUNT][region]
    found: Any = backend.services.get(f"{cluster}:{service}")
    if found is None:
        raise PageError(404, f"There is no service {service} in the cluster {cluster}")
    tasks = request.get_json().get("tasks")
    if not isinstance(tasks, list):
        raise PageError(400, 'The body should be {"tasks": [...]}')
    group = f"service:{found.name}"
    of_cluster = backend.tasks.setdefault(cluster, {})
    before = {arn: task for arn, task in of_cluster.items() if task.group == group}
    for arn in before:
        del of_cluster[arn]
    for task in tasks:
        arn = f"arn:aws:ecs:{region}:{ACCOUNT}:task/{cluster}/{task['id']}"
        running: Any = RunningTask(arn, found, task)
        if arn in before and before[arn].desired_status == "STOPPED":
            # Asked for by StopTask, and not known yet to whoever runs it.
            running.desired_status = "STOPPED"
            running.stopped_reason = running.stopped_reason or before[arn].stopped_reason
        of_cluster[arn] = running
    found.reported_tasks = True
    if found.status == "ACTIVE":
        found.running_count, found.pending_count = _counts(tasks)
    for deployment in found.deployments:
        # One, the newest: moto knows no other. Its counts are the service's.
        deployment["runningCount"], deployment["pendingCount"] = found.running_count, found.pending_count
        steady = found.running_count == found.desired_count and not found.pending_count
        deployment["rolloutState"] = "COMPLETED" if steady else "IN_PROGRESS"
    for task_set in found.task_sets:
        wanted = int(found.desired_count * task_set.scale["value"] / 100)
        running_count, pending_count = _counts([task for task in tasks if task.get("startedBy") == task_set.id])
        task_set.computed_desired_count = wanted
        task_set.running_count, task_set.pending_count = running_count, pending_count
        steady = running_count == wanted and not pending_count
        task_set.stabilityStatus = "STEADY_STATE" if steady else "STABILIZING"
    return {}


def _counts(tasks: list[dict[str, Any]]) -> tuple[int, int]:
    states = [task["lastStatus"] for task in tasks]
    return states.count("RUNNING"), states.count("PENDING")


def install() -> None:
    registry.replace("ecs", Response)
    registry.add_page("PUT", "ecs/(?P<region>[^/]+)/(?P<cluster>[^/]+)/(?P<service>[^/]+)/tasks", put_tasks)
