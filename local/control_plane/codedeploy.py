"""CodeDeploy: what moto lacks around a blue/green deployment group for ECS.

Deployment configurations, UpdateDeploymentGroup, and the deletion of groups and applications are missing; a group's
alarm configuration is stored and returned empty.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateDeploymentGroup.html

A deployment is stored here, and carried out by whoever serves what is deployed. By pages of the control plane's own,
that one reads what it is to do (the AppSpec as JSON, whether somebody wants it stopped or continued) and says how far
it is; GetDeployment and the deployment's target repeat that.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-steps-ecs.html
"""

from __future__ import annotations

import json
import secrets
import string
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import yaml
from moto.codedeploy.exceptions import DeploymentGroupAlreadyExistsException
from moto.codedeploy.models import (
    AlarmConfiguration,
    CodeDeployBackend,
    DeploymentGroup,
    DeploymentInfo,
    codedeploy_backends,
)
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores, utcnow
from werkzeug.wrappers import Request

from . import ACCOUNT, registry
from .registry import PageError


class DeploymentConfigDoesNotExistException(ServiceException):
    code = "DeploymentConfigDoesNotExistException"


class DeploymentConfigAlreadyExistsException(ServiceException):
    code = "DeploymentConfigAlreadyExistsException"


class DeploymentLimitExceededException(ServiceException):
    code = "DeploymentLimitExceededException"


class DeploymentAlreadyCompletedException(ServiceException):
    code = "DeploymentAlreadyCompletedException"


class DeploymentIsNotInReadyStateException(ServiceException):
    code = "DeploymentIsNotInReadyStateException"


class DeploymentNotStartedException(ServiceException):
    code = "DeploymentNotStartedException"


class DeploymentTargetDoesNotExistException(ServiceException):
    code = "DeploymentTargetDoesNotExistException"


class InvalidRevisionException(ServiceException):
    code = "InvalidRevisionException"


STATUSES = {"Created", "Queued", "InProgress", "Baking", "Ready", "Succeeded", "Failed", "Stopped"}
ENDED = {"Succeeded", "Failed", "Stopped"}

ALL_AT_ONCE = {"type": "AllAtOnce"}


def _canary(interval: int) -> dict[str, Any]:
    return {"type": "TimeBasedCanary", "timeBasedCanary": {"canaryPercentage": 10, "canaryInterval": interval}}


def _linear(interval: int) -> dict[str, Any]:
    return {"type": "TimeBasedLinear", "timeBasedLinear": {"linearPercentage": 10, "linearInterval": interval}}


PREDEFINED = {
    "CodeDeployDefault.ECSAllAtOnce": ALL_AT_ONCE,
    "CodeDeployDefault.ECSCanary10Percent5Minutes": _canary(5),
    "CodeDeployDefault.ECSCanary10Percent15Minutes": _canary(15),
    "CodeDeployDefault.ECSLinear10PercentEvery1Minutes": _linear(1),
    "CodeDeployDefault.ECSLinear10PercentEvery3Minutes": _linear(3),
}
"""How the traffic goes over; intervals are minutes.
https://docs.aws.amazon.com/codedeploy/latest/userguide/deployment-configurations.html"""


CHANGEABLE = (
    "deploymentConfigName",
    "ec2TagFilters",
    "onPremisesInstanceTagFilters",
    "autoScalingGroups",
    "serviceRoleArn",
    "triggerConfigurations",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "outdatedInstancesStrategy",
    "deploymentStyle",
    "blueGreenDeploymentConfiguration",
    "loadBalancerInfo",
    "ec2TagSet",
    "ecsServices",
    "onPremisesTagSet",
    "terminationHookEnabled",
)


@dataclass
class Progress:
    """What is known of a deployment besides what moto keeps."""

    stop: dict[str, bool] | None = None
    """Somebody called StopDeployment: `{"autoRollback": ...}`."""
    continued: list[str] = field(default_factory=list)
    """What ContinueDeployment ended the waiting for: READY_WAIT, TERMINATION_WAIT."""
    target: dict[str, Any] | None = None
    """AWS's ECSTarget; none before the deployment began."""
    info: dict[str, Any] = field(default_factory=dict)
    """Members of AWS's DeploymentInfo that moto leaves empty."""


class Backend(CodeDeployBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.deployment_configs: dict[str, dict[str, Any]] = {}
        self.progress: dict[str, Progress] = {}

    def progress_of(self, deployment: DeploymentInfo) -> Progress:
        return self.progress.setdefault(deployment.deployment_id, Progress())

    def rename(self, deployment_id: str) -> str:
        """Give a deployment an id as AWS does, `d-` and nine characters, instead of moto's UUID."""
        deployment = self.deployments.pop(deployment_id)
        alphabet = string.ascii_uppercase + string.digits
        deployment.deployment_id = "d-" + "".join(secrets.choice(alphabet) for _ in range(9))
        self.deployments[deployment.deployment_id] = deployment
        return deployment.deployment_id

    def roll_back(self, deployment: DeploymentInfo, status: str, message: str) -> None:
        """A roll-back is a deployment of its own, which says what it undoes. It is made when it is first spoken of."""
        progress = self.progress_of(deployment)
        rollback_id = progress.info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        if rollback_id is None:
            rollback_id = self.rename(
                self.create_deployment(
                    deployment.application_name, deployment.deployment_group_name, deployment.revision
                )
            )
            rollback = self.deployments[rollback_id]
            rollback.creator = "codeDeployRollback"
            rollback.description = f"Rolls back {deployment.deployment_id}"
            self.progress_of(rollback).info["rollbackInfo"] = {
                "rollbackTriggeringDeploymentId": deployment.deployment_id,
                "rollbackMessage": message,
            }
            progress.info["rollbackInfo"] = {"rollbackDeploymentId": rollback_id, "rollbackMessage": message}
        set_status(self.deployments[rollback_id], status)

    def deployment_config(self, name: str) -> dict[str, Any]:
        if name in PREDEFINED:
            return {
                "deploymentConfigName": name,
                "computePlatform": "ECS",
                "trafficRoutingConfig": PREDEFINED[name],
            }
        if name not in self.deployment_configs:
            raise DeploymentConfigDoesNotExistException(f"No Deployment Configuration found for name: {name}")
        return self.deployment_configs[name]


class Response(CodeDeployResponse):
    @property
    def codedeploy_backend(self) -> Backend:
        backend = super().codedeploy_backend
        assert isinstance(backend, Backend)
        return backend

    def create_deployment_config(self) -> ActionResult:
        configs = self.codedeploy_backend.deployment_configs
        name = self._get_param("deploymentConfigName")
        if name in configs:
            raise DeploymentConfigAlreadyExistsException(f"Deployment configuration {name} already exists")
        configs[name] = {
            **self._get_params(),
            "deploymentConfigId": str(uuid.uuid4()),
            "createTime": time.time(),
        }
        return ActionResult({"deploymentConfigId": configs[name]["deploymentConfigId"]})

    def get_deployment_config(self) -> ActionResult:
        name = self._get_param("deploymentConfigName")
        return ActionResult({"deploymentConfigInfo": self.codedeploy_backend.deployment_config(name)})

    def list_deployment_configs(self) -> ActionResult:
        return ActionResult({"deploymentConfigsList": list(self.codedeploy_backend.deployment_configs)})

    def delete_deployment_config(self) -> ActionResult:
        name = self._get_param("deploymentConfigName")
        self.codedeploy_backend.deployment_config(name)
        del self.codedeploy_backend.deployment_configs[name]
        return EmptyResult()

    def get_deployment_group(self) -> ActionResult:
        result = super().get_deployment_group()
        backend = self.codedeploy_backend
        group = backend.get_deployment_group(self._get_param("applicationName"), self._get_param("deploymentGroupName"))
        assert isinstance(result.result, dict)
        result.result["deploymentGroupInfo"]["alarmConfiguration"] = _alarm_configuration(group)
        return result

    def create_deployment(self) -> ActionResult:
        application, group = self._get_param("applicationName"), self._get_param("deploymentGroupName")
        backend = self.codedeploy_backend
        if application in backend.applications and backend.applications[application].compute_platform == "ECS":
            for other in backend.deployments.values():
                same = (other.application_name, other.deployment_group_name) == (application, group)
                if same and other.status not in ENDED:
                    raise DeploymentLimitExceededException(
                        f"The Deployment Group '{group}' already has an active Deployment '{other.deployment_id}'"
                    )
            app_spec(self._get_param("revision") or {})
        answer = super().create_deployment()
        assert isinstance(answer.result, dict)
        return ActionResult({"deploymentId": backend.rename(answer.result["deploymentId"])})

    def get_deployment(self) -> ActionResult:
        answer = super().get_deployment()
        assert isinstance(answer.result, dict)
        return ActionResult({"deploymentInfo": self._complete(answer.result["deploymentInfo"])})

    def batch_get_deployments(self) -> ActionResult:
        answer = super().batch_get_deployments()
        assert isinstance(answer.result, dict)
        return ActionResult({"deploymentsInfo": [self._complete(info) for info in answer.result["deploymentsInfo"]]})

    def _complete(self, info: dict[str, Any]) -> dict[str, Any]:
        deployment = self.codedeploy_backend.get_deployment(info["deploymentId"])
        # What moto does not know it says to be {}, where AWS leaves it out.
        known = {name: value for name, value in info.items() if value != {}}
        return known | self.codedeploy_backend.progress_of(deployment).info

    def stop_deployment(self) -> ActionResult:
        deployment = self._running_deployment()
        rolls_back = self._get_bool_param("autoRollbackEnabled", False)
        self.codedeploy_backend.progress_of(deployment).stop = {"autoRollback": bool(rolls_back)}
        return ActionResult({"status": "Pending", "statusMessage": "Stopping deployment."})

    def continue_deployment(self) -> ActionResult:
        deployment = self._running_deployment()
        wait = self._get_param("deploymentWaitType", "READY_WAIT")
        progress = self.codedeploy_backend.progress_of(deployment)
        waits = deployment.status == "Ready" or progress.info.get("instanceTerminationWaitTimeStarted")
        if not waits:
            raise DeploymentIsNotInReadyStateException(
                f"The deployment {deployment.deployment_id} is not waiting to be continued: it is {deployment.status}."
            )
        progress.continued.append(wait)
        return EmptyResult()

    def list_deployment_targets(self) -> ActionResult:
        return ActionResult({"targetIds": [self._target()["targetId"]]})

    def get_deployment_target(self) -> ActionResult:
        target = self._target()
        asked = self._get_param("targetId")
        if asked != target["targetId"]:
            raise DeploymentTargetDoesNotExistException(f"The deployment has no target {asked}.")
        return ActionResult({"deploymentTarget": {"deploymentTargetType": "ECSTarget", "ecsTarget": target}})

    def batch_get_deployment_targets(self) -> ActionResult:
        target = self._target()
        asked = self._get_param("targetIds") or [target["targetId"]]
        found = [
            {"deploymentTargetType": "ECSTarget", "ecsTarget": target} for one in asked if one == target["targetId"]
        ]
        return ActionResult({"deploymentTargets": found})

    def _running_deployment(self) -> DeploymentInfo:
        deployment = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
        if deployment.status in ENDED:
            raise DeploymentAlreadyCompletedException(
                f"The deployment {deployment.deployment_id} is {deployment.status}."
            )
        return deployment

    def _target(self) -> dict[str, Any]:
        deployment = self.codedeploy_backend.get_deployment(self._get_param("deploymentId"))
        target = self.codedeploy_backend.progress_of(deployment).target
        if target is None:
            raise DeploymentNotStartedException(f"The deployment {deployment.deployment_id} has not started.")
        return target

    def update_deployment_group(self) -> ActionResult:
        backend = self.codedeploy_backend
        application = self._get_param("applicationName")
        current = self._get_param("currentDeploymentGroupName")
        group = backend.get_deployment_group(application, current)
        for name in CHANGEABLE:
            if (value := self._get_param(name)) is not None:
                setattr(group, camelcase_to_underscores(name), value)
        new = self._get_param("newDeploymentGroupName") or current
        groups = backend.deployment_groups[application]
        if new != current and new in groups:
            raise DeploymentGroupAlreadyExistsException(f"Deployment group {new} already exists.")
        group.deployment_group_name = new
        groups[new] = groups.pop(current)
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_deployment_group(self) -> ActionResult:
        # Deleting a group, or an application, that is not there succeeds.
        groups = self.codedeploy_backend.deployment_groups.get(self._get_param("applicationName"), {})
        groups.pop(self._get_param("deploymentGroupName"), None)
        return ActionResult({"hooksNotCleanedUp": []})

    def delete_application(self) -> ActionResult:
        name = self._get_param("applicationName")
        self.codedeploy_backend.applications.pop(name, None)
        self.codedeploy_backend.deployment_groups.pop(name, None)
        return EmptyResult()


def _alarm_configuration(group: DeploymentGroup) -> dict[str, Any]:
    alarms: Any = group.alarm_configuration
    if isinstance(alarms, AlarmConfiguration):
        return {
            "enabled": alarms.enabled,
            "alarms": alarms.alarms,
            "ignorePollAlarmFailure": alarms.ignore_poll_alarm_failure,
        }
    return dict(alarms or {})


def app_spec(revision: dict[str, Any]) -> dict[str, Any]:
    """The AppSpec of a revision: YAML, of which JSON is a part."""
    content = revision.get("appSpecContent") or revision.get("string")
    if content is None:
        raise InvalidRevisionException(
            f"A revision of type {revision.get('revisionType')} is not read here: give AppSpecContent"
        )
    try:
        document = yaml.safe_load(content["content"])
    except yaml.YAMLError as error:
        raise InvalidRevisionException(f"The AppSpec is not YAML: {error}") from error
    resources = document.get("Resources") if isinstance(document, dict) else None
    if not isinstance(resources, list) or not resources:
        raise InvalidRevisionException("The AppSpec has no list of Resources")
    # As JSON can hold it: YAML makes dates of what looks like one.
    read: dict[str, Any] = json.loads(json.dumps(document, default=str))
    return read


def set_status(deployment: DeploymentInfo, status: str) -> None:
    deployment.status = status
    if status not in {"Created", "Queued"} and deployment.start_time is None:
        deployment.start_time = utcnow()
    if status in ENDED:
        deployment.complete_time = utcnow()
    counts = dict.fromkeys(deployment.deployment_overview, 0)
    # A deployment to ECS has one target, the service.
    name = {"Created": "Pending", "Queued": "Pending", "Stopped": "Skipped", "Baking": "InProgress"}.get(status, status)
    counts[name] = 1
    deployment.deployment_overview = counts


def _found(region: str, deployment_id: str) -> tuple[Backend, DeploymentInfo]:
    backend = codedeploy_backends[ACCOUNT][region]
    assert isinstance(backend, Backend)
    if deployment_id not in backend.deployments:
        raise PageError(404, f"There is no deployment {deployment_id} in {region}")
    return backend, backend.deployments[deployment_id]


def get_deployment_page(_: Request, region: str, deployment: str) -> Any:
    """`{"appSpec": {...}, "stop": null or {"autoRollback": true}, "continued": ["READY_WAIT"]}`"""
    backend, found = _found(region, deployment)
    progress = backend.progress_of(found)
    return {"appSpec": app_spec(found.revision), "stop": progress.stop, "continued": progress.continued}


def put_deployment_page(request: Request, region: str, deployment: str) -> Any:
    """`{"status", "target": ECSTarget, "info": {...}, "rollback": {"status", "message"}}`, of each what is new."""
    backend, found = _found(region, deployment)
    body = request.get_json()
    rollback = body.get("rollback") or {}
    for status in (body.get("status"), rollback.get("status")):
        if status is not None and status not in STATUSES:
            raise PageError(400, f"A deployment's status is one of {', '.join(sorted(STATUSES))}; not {status}")
    progress = backend.progress_of(found)
    if target := body.get("target"):
        progress.target = {"deploymentId": deployment, **target, "lastUpdatedAt": time.time()}
    progress.info.update(body.get("info") or {})
    if rollback:
        backend.roll_back(found, rollback["status"], rollback["message"])
    if status := body.get("status"):
        set_status(found, status)
    return get_deployment_page(request, region, deployment)


def install() -> None:
    registry.replace("codedeploy", Response, backend=Backend)
    page = "codedeploy/(?P<region>[^/]+)/deployments/(?P<deployment>[^/]+)"
    registry.add_page("GET", page, get_deployment_page)
    registry.add_page("PUT", page, put_deployment_page)
