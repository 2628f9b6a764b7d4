"""ECS: members of a service that moto drops, and deleted services.

The capacity provider strategy is the one that hurts: read back without it, Terraform plans to replace the service. A
service with a strategy has no launch type. Zone rebalancing is off unless asked for. A deleted service can still be
described for a while, but is not listed; moto lists it for ever.
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html
https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DeleteService.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ecs.responses import EC2ContainerServiceResponse

from . import registry

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


class Response(EC2ContainerServiceResponse):
    def create_service(self) -> ActionResult:
        return self._keep(super().create_service())

    def update_service(self) -> ActionResult:
        return self._keep(super().update_service())

    def list_services(self) -> ActionResult:
        answer = super().list_services()
        assert isinstance(answer.result, dict)
        deleted = {service.arn for service in self.ecs_backend.services.values() if service.status == "INACTIVE"}
        return ActionResult({"serviceArns": [arn for arn in answer.result["serviceArns"] if arn not in deleted]})

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


def install() -> None:
    registry.replace("ecs", Response)
