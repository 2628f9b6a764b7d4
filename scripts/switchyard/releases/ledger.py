"""`terraform/releases.json`: which release each stage of each API serves, and which version each function's prod.

It is the one file that says so, it is committed, and Terraform reads it (modules/rest_api/variables.tf, `stages`). A
stage that is not in it follows every change of the definition.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from switchyard.failure import WRONG_USE, Failure

from .json_types import Json


@dataclass(frozen=True)
class Entry:
    """What is released to one stage."""

    release: str
    previous: str | None = None
    """What a rollback goes back to; null after one, so that going back twice does not bring the bad release back."""
    initial: str | None = None
    """The release that Terraform's own deployment for the stage is of. Null: it is `release`."""
    follows: bool = False
    """Terraform's own deployment for the stage follows every change."""
    deployments: Mapping[str, str] = field(default_factory=dict)
    """REST API id → the deployment to serve in place of Terraform's own. By id, because the file may be used for
    the same API in several accounts."""

    def held(self, api: str) -> str | None:
        """The deployment that the stage is held at, if it does not serve Terraform's own."""
        return self.deployments.get(api)

    def moved(self, release: str, previous: str | None, api: str, deployment: str | None) -> Entry:
        """The stage serves `release` now: by `deployment`, or by Terraform's own, which is none."""
        deployments = {key: value for key, value in self.deployments.items() if key != api}
        if deployment is not None:
            deployments[api] = deployment
        initial = None if self.follows else self.initial or self.release
        return replace(self, release=release, previous=previous, initial=initial, deployments=deployments)


class Ledger:
    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.content: Json = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Failure(f"{path} cannot be read as JSON: {error}", WRONG_USE) from error
        self._check()

    def entry(self, api: str, stage: str) -> Entry | None:
        found = self.content["apis"].get(api, {}).get(stage)
        return None if found is None else Entry(**found)

    def record(self, api: str, stage: str, entry: Entry) -> None:
        self.content["apis"].setdefault(api, {})[stage] = asdict(entry)
        self.save()

    def function(self, name: str) -> dict[str, str | None]:
        """`prod`: the version that prod serves, null for the first one; `previous`: the one before."""
        functions: dict[str, dict[str, str | None]] = self.content["functions"]
        if name not in functions:
            known = ", ".join(functions) or "none"
            raise Failure(f"there is no function '{name}' in the releases file; there is {known}", WRONG_USE)
        return functions[name]

    def save(self) -> None:
        """The file as a whole, or not at all."""
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(self.content, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        beside.replace(self.path)

    def _check(self) -> None:
        for part in ("apis", "functions"):
            if not isinstance(self.content, dict) or not isinstance(self.content.get(part), dict):
                raise Failure(f"{self.path} must be an object with `apis` and `functions`", WRONG_USE)
        for api, stages in self.content["apis"].items():
            for stage, entry in stages.items() if isinstance(stages, dict) else [("", stages)]:
                _check_entry(f"{self.path}: apis.{api}.{stage}".rstrip("."), entry)


def _check_entry(where: str, entry: Any) -> None:
    known = set(Entry.__dataclass_fields__)
    if not isinstance(entry, dict) or "release" not in entry or set(entry) - known:
        example = json.dumps(asdict(Entry("1.0.0")))
        raise Failure(f"{where} must say what a stage of that name serves, such as {example}", WRONG_USE)
