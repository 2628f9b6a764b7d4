"""S3: bucket policies with conditions and with a principal of "*".

moto reads a bucket policy without its conditions, so that the usual "deny unless TLS" statement denies everything, and
looks for the log delivery service in each statement as if `Principal` were always an object and `Action` always a list;
a policy may have `"Principal": "*"`. Terraform reaches this control plane over plain HTTP on the loopback interface,
where a real bucket with such a policy would answer 403; the statement is stored and returned, and taken as met.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
"""

from __future__ import annotations

import json
from copy import copy
from typing import Any

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3 import models

from . import registry

MotoBucket = models.FakeBucket


class FakeBucket(MotoBucket):
    def get_permission(self, action: str, resource: str) -> Any:
        statements = [
            statement
            for statement in _statements(self.policy)
            if not (statement["Effect"] == "Deny" and statement.get("Condition"))
        ]
        if not statements:
            return PermissionResult.NEUTRAL
        return IAMPolicy(json.dumps({"Statement": statements})).is_action_permitted(action, resource)

    @staticmethod
    def _log_permissions_enabled_policy(target_bucket: MotoBucket, target_prefix: str | None) -> bool:
        readable = copy(target_bucket)
        statements = [
            {**statement, "Action": _as_list(statement["Action"])}
            for statement in _statements(target_bucket.policy)
            if isinstance(statement.get("Principal"), dict)
        ]
        readable.policy = json.dumps({"Statement": statements}).encode()
        return MotoBucket._log_permissions_enabled_policy(readable, target_prefix)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _statements(policy: bytes | None) -> list[dict[str, Any]]:
    return _as_list(json.loads(policy)["Statement"]) if policy else []


def install() -> None:
    registry.substitute(models, FakeBucket)
