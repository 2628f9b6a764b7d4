"""CodeStar notifications: which events of a pipeline, build project or deployment go to which topic. moto lacks it.

Rules are kept and returned; no event is ever sent, since nothing here runs a pipeline.
https://docs.aws.amazon.com/codestar-notifications/latest/APIReference/API_DescribeNotificationRule.html
"""

from __future__ import annotations

import time
import uuid
from typing import Any

from moto.core.base_backend import BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from . import registry


class ResourceNotFoundException(ServiceException):
    code = "ResourceNotFoundException"


class NotificationsBackend(BaseBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.rules: dict[str, dict[str, Any]] = {}


def _event_type(event_type_id: str) -> dict[str, str]:
    """`codepipeline-pipeline-pipeline-execution-failed` → service, resource type and the event's own name."""
    service, resource, name = event_type_id.split("-", 2)
    return {
        "EventTypeId": event_type_id,
        "ServiceName": service,
        "ResourceType": resource,
        "EventTypeName": name.replace("-", " "),
    }


class CodeStarNotificationsResponse(BaseResponse):
    backends = registry.regional(NotificationsBackend, "codestar-notifications")

    def __init__(self) -> None:
        super().__init__(service_name="codestar-notifications")
        self.automated_parameter_parsing = True

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        return self.backends[self.current_account][self.region].rules

    def create_notification_rule(self) -> ActionResult:
        service = f"arn:{self.partition}:codestar-notifications:{self.region}:{self.current_account}"
        arn = f"{service}:notificationrule/{uuid.uuid4().hex}"
        now = time.time()
        self.rules[arn] = {
            "Arn": arn,
            "Name": self._get_param("Name"),
            "DetailType": self._get_param("DetailType"),
            "Resource": self._get_param("Resource"),
            "Status": self._get_param("Status") or "ENABLED",
            "EventTypes": [_event_type(event) for event in self._get_param("EventTypeIds")],
            "Targets": _targets(self._get_param("Targets")),
            "Tags": dict(self._get_param("Tags") or {}),
            "CreatedTimestamp": now,
            "LastModifiedTimestamp": now,
        }
        return ActionResult({"Arn": arn})

    def describe_notification_rule(self) -> ActionResult:
        return ActionResult(self._rule())

    def list_notification_rules(self) -> ActionResult:
        return ActionResult({"NotificationRules": [{"Arn": arn, "Id": arn.rsplit("/", 1)[1]} for arn in self.rules]})

    def update_notification_rule(self) -> ActionResult:
        rule = self._rule()
        for name in ("Name", "DetailType", "Status"):
            if (value := self._get_param(name)) is not None:
                rule[name] = value
        if (events := self._get_param("EventTypeIds")) is not None:
            rule["EventTypes"] = [_event_type(event) for event in events]
        if (targets := self._get_param("Targets")) is not None:
            rule["Targets"] = _targets(targets)
        rule["LastModifiedTimestamp"] = time.time()
        return EmptyResult()

    def delete_notification_rule(self) -> ActionResult:
        # Deleting a rule that is not there succeeds.
        arn = self._get_param("Arn")
        self.rules.pop(arn, None)
        return ActionResult({"Arn": arn})

    def list_targets(self) -> ActionResult:
        targets = {target["TargetAddress"]: target for rule in self.rules.values() for target in rule["Targets"]}
        return ActionResult({"Targets": list(targets.values())})

    def delete_target(self) -> ActionResult:
        address = self._get_param("TargetAddress")
        for rule in self.rules.values():
            rule["Targets"] = [target for target in rule["Targets"] if target["TargetAddress"] != address]
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        return ActionResult({"Tags": self._rule()["Tags"]})

    def tag_resource(self) -> ActionResult:
        tags = self._rule()["Tags"]
        tags.update(self._get_param("Tags"))
        return ActionResult({"Tags": tags})

    def untag_resource(self) -> ActionResult:
        for key in self._get_param("TagKeys"):
            self._rule()["Tags"].pop(key, None)
        return EmptyResult()

    def _rule(self) -> dict[str, Any]:
        arn = self._get_param("Arn")
        if arn not in self.rules:
            raise ResourceNotFoundException(f"Notification rule {arn} not found")
        return self.rules[arn]


def _targets(targets: list[dict[str, str]]) -> list[dict[str, str]]:
    return [
        {
            "TargetAddress": target["TargetAddress"],
            "TargetType": target.get("TargetType", "SNS"),
            "TargetStatus": "ACTIVE",
        }
        for target in targets
    ]


def install() -> None:
    registry.add("codestar-notifications", CodeStarNotificationsResponse)
