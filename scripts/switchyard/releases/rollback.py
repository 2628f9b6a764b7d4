"""Puts an earlier release back into service: its deployment if that is still there, else one made again of its
export."""

from __future__ import annotations

from switchyard.failure import REFUSED, WRONG_USE, Failure

from . import deployment, export
from .apis import Api
from .archive import require_version
from .desk import Desk, look, refuse_drift, show
from .release import put_into_service


def rollback(desk: Desk, api: Api, stage: str, version: str | None) -> None:
    """To `version`, or to what the stage served before its last release."""
    api.require(stage)
    rest_api = desk.rest_api(api)
    entry = desk.ledger.entry(api.architecture, stage)
    chosen = version or (entry.previous if entry else None)
    if chosen is None:
        known = ", ".join(desk.archive.versions(api.architecture)) or "none"
        raise Failure(
            f"nothing says what {stage} of {api.architecture} served before: "
            f"give VERSION=, one of its releases: {known}",
            REFUSED if entry else WRONG_USE,
        )
    require_version(chosen)
    deployment.recover(desk, rest_api)
    standing = look(desk, rest_api, stage)
    target = desk.archive.get(api.architecture, chosen)
    is_there = export.is_same(standing.document, target.document)
    if entry and entry.release == chosen and standing.is_held and is_there:
        desk.steps.say(f"{stage} of {api.architecture} serves release {chosen} already")
        return
    refuse_drift(desk, api, stage, standing, target)
    show(desk, standing, target.document, chosen)
    # Not what it served until now: going back twice must not bring the bad release back.
    put_into_service(desk, rest_api, standing, target, stage, previous=None)
