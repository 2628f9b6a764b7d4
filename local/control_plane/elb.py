"""Elastic Load Balancing: the health of targets, as far as somebody looks after them.

Whoever runs the targets says how they are, by a page of the control plane's own; DescribeTargetHealth repeats that. A
target group that nobody looks after stays moto's, for which every registered target is healthy.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.elb import urls
from moto.elbv2.models import FakeTargetGroup, elbv2_backends
from moto.elbv2.responses import ELBV2Response
from werkzeug.wrappers import Request

from . import registry
from .registry import PageError

STATES = {"initial", "healthy", "unhealthy", "unused", "draining", "unavailable"}
NOT_REGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}


class Response(ELBV2Response):
    def describe_target_health(self) -> ActionResult:
        group = self.elbv2_backend.target_groups.get(self._get_param("TargetGroupArn"))
        reported = _reported(group)
        if group is None or reported is None:
            return super().describe_target_health()
        asked = self._get_param("Targets", [])
        known = [_description(group, target) for target in reported if not asked or _is_asked_for(target, asked)]
        missing = [target for target in asked if not any(_is_asked_for(one, [target]) for one in reported)]
        unknown = [{"Target": target, "TargetHealth": NOT_REGISTERED} for target in missing]
        return ActionResult({"TargetHealthDescriptions": known + unknown})


def _is_asked_for(target: dict[str, Any], asked: list[dict[str, Any]]) -> bool:
    return any(
        one["Id"] == target["id"] and str(one.get("Port", target["port"])) == str(target["port"]) for one in asked
    )


def _description(group: FakeTargetGroup, target: dict[str, Any]) -> dict[str, Any]:
    health = {"State": target["state"], "Reason": target.get("reason"), "Description": target.get("description")}
    return {
        "Target": {"Id": target["id"], "Port": target["port"]},
        "HealthCheckPort": str(target["port"])
        if group.health_check_port == "traffic-port"
        else group.health_check_port,
        "TargetHealth": {name: value for name, value in health.items() if value},
    }


def _reported(group: FakeTargetGroup | None) -> list[dict[str, Any]] | None:
    return getattr(group, "reported_targets", None)


def _group(arn: str) -> Any:
    parts = arn.split(":", 5)
    group = elbv2_backends[parts[4]][parts[3]].target_groups.get(arn) if len(parts) == 6 else None
    if group is None:
        raise PageError(404, f"There is no target group {arn}")
    return group


def get_target_health(_: Request, arn: str) -> Any:
    """`{"registered": [{"id", "port"}]}`: by RegisterTargets. DescribeTargetHealth also tells of tasks."""
    targets = _group(arn).targets.values()
    return {"registered": [{"id": target["Id"], "port": int(target["Port"] or 0)} for target in targets]}


def put_target_health(request: Request, arn: str) -> Any:
    """`{"targets": [{"id", "port", "state", "reason", "description"}]}`: all targets that the group has now."""
    group = _group(arn)
    targets = request.get_json().get("targets")
    if not isinstance(targets, list):
        raise PageError(400, 'The body should be {"targets": [...]}')
    for target in targets:
        if not {"id", "port", "state"} <= target.keys() or target["state"] not in STATES:
            raise PageError(400, f"A target has id, port, and a state of {', '.join(sorted(STATES))}; not {target}")
    group.reported_targets = targets
    return {}


def install() -> None:
    registry.substitute(urls, Response)
    registry.add_page("GET", "target_health/(?P<arn>.+)", get_target_health)
    registry.add_page("PUT", "target_health/(?P<arn>.+)", put_target_health)
