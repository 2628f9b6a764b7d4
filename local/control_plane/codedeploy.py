"""CodeDeploy: what moto lacks around a blue/green deployment group for ECS.

Deployment configurations, UpdateDeploymentGroup, and the deletion of groups and applications are missing; a group's
alarm configuration is stored and returned empty.
https://docs.aws.amazon.com/codedeploy/latest/APIReference/API_UpdateDeploymentGroup.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from moto.codedeploy.exceptions import DeploymentGroupAlreadyExistsException
from moto.codedeploy.models import AlarmConfiguration, CodeDeployBackend, DeploymentGroup
from moto.codedeploy.responses import CodeDeployResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores

from . import registry


class DeploymentConfigDoesNotExistException(ServiceException):
    code = "DeploymentConfigDoesNotExistException"


class DeploymentConfigAlreadyExistsException(ServiceException):
    code = "DeploymentConfigAlreadyExistsException"


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


class Backend(CodeDeployBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.deployment_configs: dict[str, dict[str, Any]] = {}

    def deployment_config(self, name: str) -> dict[str, Any]:
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


def install() -> None:
    registry.replace("codedeploy", Response, backend=Backend)
