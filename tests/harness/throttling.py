"""How many requests a deployed API takes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from harness.control_plane import client

UNLIMITED = (10_000.0, 5_000)
"""Requests a second, and at once: what AWS gives a whole account."""


@contextmanager
def throttled(control_plane: str, url: str, rate: float, burst: int) -> Iterator[None]:
    """The stage at `url`, and the usage plans that it is in, take `rate` requests a second and `burst` at once."""
    apigateway = client(control_plane, "apigateway")
    _, _, path = url.partition("/_aws/execute-api/")
    api, stage = path.split("/")
    settings = apigateway.get_stage(restApiId=api, stageName=stage)["methodSettings"]["*/*"]
    plans = [
        plan
        for plan in apigateway.get_usage_plans()["items"]
        if any((each["apiId"], each["stage"]) == (api, stage) for each in plan.get("apiStages", []))
    ]

    def operations(prefix: str, rate: float, burst: int) -> list[dict[str, Any]]:
        limits = {"rateLimit": rate, "burstLimit": burst}
        return [{"op": "replace", "path": f"{prefix}/{name}", "value": str(value)} for name, value in limits.items()]

    def throttle(stage_rate: float, stage_burst: int, plan_limits: list[tuple[float, int]]) -> None:
        patch = operations("/*/*/throttling", stage_rate, stage_burst)
        apigateway.update_stage(restApiId=api, stageName=stage, patchOperations=patch)
        for plan, limits in zip(plans, plan_limits, strict=True):
            apigateway.update_usage_plan(usagePlanId=plan["id"], patchOperations=operations("/throttle", *limits))

    before = [(plan["throttle"]["rateLimit"], plan["throttle"]["burstLimit"]) for plan in plans]
    throttle(rate, burst, [(rate, burst)] * len(plans))
    try:
        yield
    finally:
        throttle(settings["throttlingRateLimit"], settings["throttlingBurstLimit"], before)
