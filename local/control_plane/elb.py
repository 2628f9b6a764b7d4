"""Elastic Load Balancing: the health of targets, as far as somebody looks after them; security groups and PrivateLink.

Whoever runs the targets says how they are, by a page of the control plane's own; DescribeTargetHealth repeats that. A
target group that nobody looks after stays moto's, for which every registered target is healthy.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTargetHealth.html

Whether a network load balancer's security groups are asked about what comes by PrivateLink is set together with them.
moto forgets it, so that Terraform would set it for ever. It begins as on, where there are security groups.
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSecurityGroups.html
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
ASKED_FOR_PRIVATE_LINK = "enforce_security_group_inbound_rules_on_private_link_traffic"
"""The attribute of moto's load balancer, from which moto writes the answer."""

NOT_REGISTERED = {
    "State": "unused",
    "Reason": "Target.NotRegistered",
    "Description": "Target is not registered to the target group",
}


class Response(ELBV2Response):
    def create_load_balancer(self) -> ActionResult:
        answer = super().create_load_balancer()
        assert isinstance(answer.result, dict)
        for balancer in answer.result["LoadBalancers"]:
            if balancer.type == "network" and balancer.security_groups:
                setattr(balancer, ASKED_FOR_PRIVATE_LINK, "on")
        return answer

    def set_security_groups(self) -> ActionResult:
        answer = super().set_security_groups()
        assert isinstance(answer.result, dict)
        balancer = self.elbv2_backend.load_balancers[self._get_param("LoadBalancerArn")]
        if asked := self._get_param("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"):
            setattr(balancer, ASKED_FOR_PRIVATE_LINK, asked)
        answer.result["EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic"] = getattr(
            balancer, ASKED_FOR_PRIVATE_LINK, None
        )
        return answer

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
