"""What every command works with, and what they have in common."""

from __future__ import annotations

from dataclasses import dataclass

from . import difference, export, manifest
from .account import Account
from .apis import Api
from .archive import Archive, Release
from .json_types import Json
from .ledger import Entry, Ledger
from .rest_api import RestApi
from .steps import Steps


@dataclass(frozen=True)
class Desk:
    account: Account
    ledger: Ledger
    archive: Archive
    steps: Steps

    def rest_api(self, api: Api) -> RestApi:
        return RestApi(self.account.client("apigateway"), api)


@dataclass(frozen=True)
class Standing:
    """How a stage stands before a command touches it."""

    entry: Entry | None
    document: Json
    """What it serves."""
    deployment: str
    is_held: bool
    """It serves a release, and not every change of the definition."""
    last: Release | None
    """What was released to it last."""


def look(desk: Desk, rest_api: RestApi, stage: str) -> Standing:
    """Looks at the stage. A release that was made before there were exports gets one, of what the stage serves."""
    api = rest_api.api
    entry = desk.ledger.entry(api.architecture, stage)
    deployment = rest_api.stage(stage)["deploymentId"]
    document = rest_api.served(stage)
    last = desk.archive.find(api.architecture, entry.release) if entry else None
    if entry and last and is_of_another(desk, api, entry):
        # A fresh account: Terraform has made the stage's deployment of the newest definition, whatever the file says.
        desk.steps.say(f"release {last.version} was exported from another API: {stage} of this one was never released")
        return Standing(entry, document, deployment, False, None)
    is_held = entry is not None and (not entry.follows or entry.held(api.id) is not None)
    if entry and is_held and last is None:
        said = manifest.take(desk.account, rest_api, entry.release, stage, deployment)
        last = desk.archive.add(api.architecture, entry.release, document, {**said, "deployment": deployment})
        desk.steps.say(
            f"{stage} serves release {entry.release}, which had no export: {desk.archive.path(last.api, last.version)}"
        )
    return Standing(entry, document, deployment, is_held, last)


def is_of_another(desk: Desk, api: Api, entry: Entry) -> bool:
    """What the ledger says is about an API of the same name elsewhere, or one that is gone."""
    said = desk.archive.manifest(api.architecture, entry.release).get("exported_from", {})
    return entry.held(api.id) is None and said.get("rest_api", api.id) != api.id


def refuse_drift(desk: Desk, api: Api, stage: str, standing: Standing, target: Release | None) -> None:
    """Refuses when the stage does not serve what its last release says. `target`: what it may serve as well,
    because a run that was ended before it could write that down has put it there."""
    if not standing.is_held or standing.last is None or export.is_same(standing.document, standing.last.document):
        return
    if target is not None and export.is_same(standing.document, target.document):
        desk.steps.say(f"{stage} serves release {target.version} already: going on where the last run ended")
        return
    raise difference.refusal(
        f"{stage} of {api.architecture} is not what release {standing.last.version} says:",
        standing.last.document,
        standing.document,
        "Somebody has changed it beside the releases. `make terraform/apply` puts it back on its recorded deployment. "
        f"If it should stay as it is, delete {desk.archive.path(api.architecture, standing.last.version)} and the file "
        "beside it, and what is served becomes that release.",
    )


def show(desk: Desk, standing: Standing, document: Json, version: str) -> list[difference.Change]:
    """Says what changes for the stage's callers."""
    before = standing.last.document if standing.last else standing.document
    changes = difference.compare(before, document)
    if standing.last:
        desk.steps.say(difference.summary(standing.last.version, version, changes))
    else:
        count = len(difference.operations(document))
        desk.steps.say(f"release {version} is the stage's first one, of {count} operations")
    desk.steps.show([str(change) for change in changes])
    return changes
