"""Application Auto Scaling: tags of scalable targets.

AWS keeps the tags given to RegisterScalableTarget and has its own tag operations; moto drops the tags and lacks the
operations, so that every plan would add them again.
https://docs.aws.amazon.com/autoscaling/application/APIReference/API_RegisterScalableTarget.html
"""

from __future__ import annotations

import json

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from . import registry


class Backend(ApplicationAutoscalingBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.tags: dict[str, dict[str, str]] = {}


class Response(ApplicationAutoScalingResponse):
    def register_scalable_target(self) -> str:
        answer = super().register_scalable_target()
        arn = json.loads(answer)["ScalableTargetARN"]
        self._tags(arn).update(self._get_param("Tags") or {})
        return answer

    def list_tags_for_resource(self) -> str:
        return json.dumps({"Tags": self._tags(self._get_param("ResourceARN"))})

    def tag_resource(self) -> str:
        self._tags(self._get_param("ResourceARN")).update(self._get_param("Tags"))
        return "{}"

    def untag_resource(self) -> str:
        for key in self._get_param("TagKeys"):
            self._tags(self._get_param("ResourceARN")).pop(key, None)
        return "{}"

    def _tags(self, arn: str) -> dict[str, str]:
        backend = self.applicationautoscaling_backend
        assert isinstance(backend, Backend)
        return backend.tags.setdefault(arn, {})


def install() -> None:
    registry.replace("applicationautoscaling", Response, backend=Backend)
