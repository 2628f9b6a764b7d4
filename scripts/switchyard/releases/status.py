"""Every API and stage: which release it serves, by which deployment, with which functions and image, since when,
and whether it is what the release says. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from . import difference, export, manifest
from .apis import Api
from .desk import Desk, is_of_another
from .json_types import Json
from .rest_api import CANDIDATE, RestApi

COLUMNS = ("API", "STAGE", "RELEASE", "DEPLOYMENT", "FUNCTIONS", "IMAGE", "AGE", "DRIFT")
NOTHING = "-"
DIGEST_CHARACTERS = 12


def status(desk: Desk, apis: Iterable[Api], now: datetime | None = None) -> list[str]:
    """A table, and below it what has drifted and how."""
    now = now or datetime.now(UTC)
    rows: list[tuple[str, ...]] = [COLUMNS]
    details: list[str] = []
    for api in apis:
        rest_api = desk.rest_api(api)
        ages = {key: now - item["createdDate"] for key, item in rest_api.deployments().items()}
        functions = manifest.functions(desk.account, api)
        image = _image(manifest.image(desk.account, api.service)) if api.service else NOTHING
        stages = rest_api.stages()
        for stage in api.stages:
            if stage not in stages:
                rows.append((api.architecture, stage, *[NOTHING] * 5, "not there: apply"))
                continue
            deployment = stages[stage]["deploymentId"]
            release, drift, lines = _drift(desk, rest_api, stage, deployment)
            calls = ", ".join(_function(name, said[stage]) for name, said in functions.items() if stage in said)
            rows.append(
                (api.architecture, stage, release, deployment, calls or NOTHING, image, _age(ages[deployment]), drift)
            )
            details += [f"{api.architecture} {stage}: {line}" for line in lines]
        if CANDIDATE in (stage["stageName"] for stage in rest_api.client.get_stages(restApiId=api.id)["item"]):
            details.append(
                f"{api.architecture}: a run was ended before it removed the stage {CANDIDATE}; the next one will"
            )
    return [*_table(rows), *details]


def _drift(desk: Desk, rest_api: RestApi, stage: str, deployment: str) -> tuple[str, str, list[str]]:
    """Release, drift in a few words, and in sentences."""
    api = rest_api.api
    entry = desk.ledger.entry(api.architecture, stage)
    if entry is None:
        return "every change", NOTHING, []
    held = entry.held(api.id)
    release = desk.archive.find(api.architecture, entry.release)
    if release and is_of_another(desk, api, entry):
        return NOTHING, f"{entry.release} is another API's", []
    name = entry.release if held or not entry.follows else f"{entry.release}, then every change"
    if release is None:
        return name, "no export yet", []
    served = rest_api.served(stage)
    if not export.is_same(served, release.document):
        changes = difference.compare(release.document, served)
        count = f"{len(changes)} difference{'s' if len(changes) > 1 else ''}"
        return name, count if held or not entry.follows else f"{count} since", [str(change) for change in changes]
    if held and held != deployment:
        return name, f"none, but deployment {held} is recorded", []
    return name, "none", []


def _function(name: str, said: Json) -> str:
    version = str(said["version"])
    return f"{name}:{version if version != '$LATEST' else '$LATEST ' + said['sha256'][:DIGEST_CHARACTERS]}"


def _image(said: Json) -> str:
    tag = said["name"].rpartition("/")[2]
    digest = (said["digest"] or "").removeprefix("sha256:")[:DIGEST_CHARACTERS]
    return f"{tag} {digest}".strip()


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds())) // 60
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // 60 // 24} d"


def _table(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
