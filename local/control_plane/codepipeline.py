"""CodePipeline: GetPipeline's timestamps.

AWS sends `created` and `updated` as numbers, as the service's JSON 1.1 model says; moto sends text, which the AWS SDK
for Go, and so Terraform, refuses.
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_PipelineMetadata.html
"""

from __future__ import annotations

from typing import Any

from moto.codepipeline import models

from . import registry


class CodePipeline(models.CodePipeline):
    @property
    def metadata(self) -> dict[str, Any]:
        return {
            "pipelineArn": self._arn,
            "created": self._created.timestamp(),
            "updated": self._updated.timestamp(),
        }


def install() -> None:
    registry.substitute(models, CodePipeline)
