"""Releases what an API's stage that follows every change serves, to one of its stages.

1. Is the stage what its last release says? 2. Export. 3. What changes, and does it break callers? 4. Files.
5. Deployment. 6. The stage. 7. The ledger. A run that is ended anywhere is run again: each step sees what is done.
"""

from __future__ import annotations

from switchyard.failure import REFUSED, Failure

from . import deployment, difference, export, manifest
from .apis import Api
from .archive import Release, require_version
from .desk import Desk, Standing, look, refuse_drift, show
from .json_types import Json
from .ledger import Entry
from .rest_api import RestApi


def release(desk: Desk, api: Api, stage: str, version: str, breaking: bool) -> None:
    require_version(version)
    api.require(stage)
    rest_api = desk.rest_api(api)
    deployment.recover(desk, rest_api)
    standing = look(desk, rest_api, stage)
    target = desk.archive.find(api.architecture, version)
    # What a stage that follows every change serves by now is no matter: the release is recorded.
    is_there = target and (_is_following(api, stage, standing) or export.is_same(standing.document, target.document))
    if standing.entry and standing.entry.release == version and is_there:
        desk.steps.say(f"{stage} of {api.architecture} serves release {version} already")
        return
    refuse_drift(desk, api, stage, standing, target)
    if target is None:
        target = _export(desk, rest_api, standing, version, breaking)
    else:
        # Another stage has it, or a run that was ended has exported it.
        _judge(desk, standing, target.document, version, breaking)
    if stage == api.following:
        _record_following(desk, rest_api, standing, target, stage)
    else:
        put_into_service(desk, rest_api, standing, target, stage, _previous(standing, target))


def put_into_service(
    desk: Desk, rest_api: RestApi, standing: Standing, target: Release, stage: str, previous: str | None
) -> None:
    """Deployment, stage and ledger, which shall name `previous` as what to go back to."""
    api = rest_api.api
    own = None if stage == api.following else deployment.terraforms_own(rest_api, stage, target)
    chosen = own or deployment.require(desk, rest_api, target)
    _note_deployment(desk, rest_api, target, chosen)
    documentation = f"{stage}-release-{target.version}" if own else target.documentation_version
    moved = rest_api.move(
        stage, deploymentId=chosen, description=f"Release {target.version}", documentationVersion=documentation
    )
    desk.steps.say(f"{stage} serves deployment {chosen}" if moved else f"{stage} serves deployment {chosen} already")
    require_served(rest_api, stage, target)
    # A stage that followed every change until now goes on having a deployment of Terraform's that does.
    entry = standing.entry or Entry(target.version, follows=True)
    desk.ledger.record(api.architecture, stage, entry.moved(target.version, previous, api.id, None if own else chosen))
    _say_recorded(desk, stage, target)


def require_served(rest_api: RestApi, stage: str, target: Release) -> None:
    served = rest_api.served(stage)
    if not export.is_same(served, target.document):
        raise difference.refusal(f"{stage} does not serve release {target.version}:", target.document, served)


def _previous(standing: Standing, target: Release) -> str | None:
    if standing.entry is None:
        return None
    return standing.entry.release if standing.entry.release != target.version else standing.entry.previous


def _is_following(api: Api, stage: str, standing: Standing) -> bool:
    return stage == api.following and not standing.is_held


def _export(desk: Desk, rest_api: RestApi, standing: Standing, version: str, breaking: bool) -> Release:
    api = rest_api.api
    document, stage, exported = deployment.definition(desk, rest_api)
    _judge(desk, standing, document, version, breaking)
    said = manifest.take(desk.account, rest_api, version, stage, exported)
    made = desk.archive.add(api.architecture, version, document, said)
    desk.steps.say(f"exported {stage} to {desk.archive.path(api.architecture, version)}")
    return made


def _judge(desk: Desk, standing: Standing, document: Json, version: str, breaking: bool) -> None:
    """Tells this stage's callers' difference, and refuses one that breaks them."""
    count = sum(change.breaking for change in show(desk, standing, document, version))
    if count and not breaking:
        what = "one change breaks" if count == 1 else f"{count} changes break"
        raise Failure(f"{what} callers: nothing is released. BREAKING=yes releases it all the same", REFUSED)


def _note_deployment(desk: Desk, rest_api: RestApi, target: Release, chosen: str) -> None:
    """In the manifest, if the release was exported from this very API."""
    said = desk.archive.manifest(target.api, target.version)
    if said.get("exported_from", {}).get("rest_api") == rest_api.id and said.get("deployment") is None:
        desk.archive.describe(target.api, target.version, {**said, "deployment": chosen})


def _record_following(desk: Desk, rest_api: RestApi, standing: Standing, target: Release, stage: str) -> None:
    """The stage goes on following every change; the release is what it serves now, and can be gone back to."""
    api = rest_api.api
    document, _, newest = deployment.definition(desk, rest_api)
    if not export.is_same(document, target.document):
        raise Failure(
            f"{stage} follows every change, and release {target.version} is not what it serves now: give a new number, "
            f"or hold {stage} at that release: "
            f"make api/rollback API={api.architecture} STAGE={stage} VERSION={target.version}",
            REFUSED,
        )
    _note_deployment(desk, rest_api, target, deployment.require(desk, rest_api, target))
    if standing.deployment != newest:
        snapshot = rest_api.deployments()[newest]["description"].partition(": ")[2]
        rest_api.move(
            stage,
            deploymentId=newest,
            description="Every change at once",
            documentationVersion=f"{stage}-{snapshot}",
        )
        desk.steps.say(f"{stage} serves deployment {newest}")
    require_served(rest_api, stage, target)
    entry = standing.entry or Entry(target.version, follows=True)
    desk.ledger.record(api.architecture, stage, entry.moved(target.version, _previous(standing, target), api.id, None))
    _say_recorded(desk, stage, target)


def _say_recorded(desk: Desk, stage: str, target: Release) -> None:
    files = f"{desk.ledger.path} and {desk.archive.folder}"
    desk.steps.say(f"{stage} of {target.api} is at release {target.version}: commit {files}")
