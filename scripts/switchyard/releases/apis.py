"""The REST APIs that are deployed, as Terraform's output `apis` tells them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from switchyard.failure import WRONG_USE, Failure


@dataclass(frozen=True)
class Function:
    """A Lambda function behind an API: its name in AWS, and stage → the alias that the stage calls."""

    name: str
    aliases: Mapping[str, str]


@dataclass(frozen=True)
class Service:
    """An ECS service behind an API."""

    cluster: str
    name: str


@dataclass(frozen=True)
class Api:
    """`following` is the stage that gets every change of the definition at once: what is released is what it serves.
    Null when every stage is released."""

    architecture: str
    id: str
    name: str
    stages: tuple[str, ...]
    following: str | None
    functions: Mapping[str, Function]
    service: Service | None

    def require(self, stage: str) -> None:
        if stage not in self.stages:
            raise Failure(f"{self.architecture} has no stage '{stage}'; there is {', '.join(self.stages)}", WRONG_USE)


def read(output: Mapping[str, Any]) -> dict[str, Api]:
    """`output` is what `terraform output -json apis` prints: architecture → API."""
    return {architecture: _api(architecture, said) for architecture, said in output.items()}


def find(apis: Mapping[str, Api], architecture: str) -> Api:
    if architecture not in apis:
        known = ", ".join(apis) or "none yet: apply first"
        raise Failure(f"there is no deployed API '{architecture}'; there is {known}", WRONG_USE)
    return apis[architecture]


def _api(architecture: str, said: Mapping[str, Any]) -> Api:
    service = said.get("service")
    return Api(
        architecture=architecture,
        id=said["id"],
        name=said["name"],
        stages=tuple(said["stages"]),
        following=said["following"],
        functions={
            name: Function(function["name"], dict(function["aliases"])) for name, function in said["functions"].items()
        },
        service=Service(service["cluster"], service["name"]) if service else None,
    )
