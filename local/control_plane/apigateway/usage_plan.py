"""Usage plans: moto's, changed as AWS changes them."""

from __future__ import annotations

from typing import Any

from moto.apigateway import models
from moto.apigateway.exceptions import NotFoundException

from .patch import patch


class UsagePlan(models.UsagePlan):
    """moto keeps a changed limit as text and cuts a changed rate to a whole number; AWS keeps both as numbers, and has
    throttling per method of a stage as well."""

    def apply_patch_operations(self, patch_operations: list[dict[str, Any]]) -> None:
        for operation in patch_operations:
            parts = [part.replace("~1", "/").replace("~0", "~") for part in operation["path"].strip("/").split("/")]
            if parts[0] == "apiStages" and len(parts) > 1:
                self._throttle_method(parts[1:], operation)
            elif parts[0] == "apiStages" or operation["op"] == "remove":
                super().apply_patch_operations([operation])
            else:
                document = self.to_json()
                patch(document, [operation], "UsagePlan")
                self.name, self.description = document["name"], document["description"]
                self.product_code = document.get("productCode")
                self.throttle, self.quota = document.get("throttle", {}), document.get("quota", {})

    def _throttle_method(self, parts: list[str], operation: dict[str, Any]) -> None:
        """`/apiStages/{api}:{stage}/throttle/{resource}/{verb}/rateLimit`, or a part of it to remove all below."""
        api, stage = parts[0].split(":")
        attached = next((entry for entry in self.api_stages if (entry["apiId"], entry["stage"]) == (api, stage)), None)
        if attached is None:
            raise NotFoundException(f"Usage plan {self.id} has no stage {parts[0]}")
        if operation["op"] != "remove":
            method = attached.setdefault("throttle", {}).setdefault("/".join(parts[2:-1]), {})
            method[parts[-1]] = float(operation["value"]) if parts[-1] == "rateLimit" else int(operation["value"])
        elif len(parts) <= 2:
            attached.pop("throttle", None)
        else:
            attached.get("throttle", {}).pop("/".join(parts[2:]), None)
