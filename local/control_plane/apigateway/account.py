"""The account's settings: moto's, but that the role for logs can be taken away again."""

from __future__ import annotations

from typing import Any

from moto.apigateway import models


class Account(models.Account):
    """moto fails on the operation by which AWS forgets the role, and Terraform resets it: a replace without a value."""

    def apply_patch_operations(self, patch_operations: list[dict[str, Any]]) -> models.Account:
        for operation in patch_operations:
            if operation["path"] == "/cloudwatchRoleArn" and (
                operation["op"] == "remove" or not operation.get("value")
            ):
                self.cloudwatch_role_arn = None
            else:
                super().apply_patch_operations([operation])
        return self
