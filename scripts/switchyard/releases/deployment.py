"""The deployment of a release: found, made of the definition as it is, or made again of the export.

While it is made again, the API's definition is the old one. Nothing that is served sees that, but Terraform would;
so the definition is kept before as a deployment of its own, and a run that finds one puts it back first.
"""

from __future__ import annotations

from switchyard.failure import REFUSED, Failure

from . import difference, export
from .archive import Release
from .desk import Desk
from .json_types import Json
from .rest_api import RestApi

KEPT = "the definition, kept while a release is made again"


def recover(desk: Desk, rest_api: RestApi) -> None:
    """Cleans up after a run that was ended in between."""
    for kept in rest_api.described(KEPT)[:1]:
        desk.steps.say("the last run was ended while the definition was an old one: putting it back")
        _put_back(rest_api, kept)


def definition(desk: Desk, rest_api: RestApi) -> tuple[Json, str, str]:
    """The newest definition that Terraform has deployed; its stage and deployment."""
    api = rest_api.api
    if api.following is None:
        raise Failure(
            f"every stage of {api.architecture} serves a release, so none shows the newest definition: "
            f"remove one of them from {desk.ledger.path}, and apply",
            REFUSED,
        )
    entry = desk.ledger.entry(api.architecture, api.following)
    if entry is None or entry.held(api.id) is None:
        return rest_api.served(api.following), api.following, rest_api.stage(api.following)["deploymentId"]
    # It is held at a release; Terraform's own deployment for it follows every change all the same.
    newest = terraforms_newest(rest_api)
    return rest_api.deployed(newest), api.following, newest


def terraforms_newest(rest_api: RestApi) -> str:
    made = rest_api.of_definition(str(rest_api.api.following))
    if not made:
        raise Failure(f"Terraform has no deployment of {rest_api.api.name} any more: apply first", REFUSED)
    return made[0]


def terraforms_own(rest_api: RestApi, stage: str, release: Release) -> str | None:
    """The deployment that Terraform made for this stage and release, where it holds what was released."""
    for found in rest_api.described(f"{stage}: release-{release.version}"):
        if export.is_same(rest_api.deployed(found), release.document):
            return found
    return None


def require(desk: Desk, rest_api: RestApi, release: Release) -> str:
    """The deployment of `release`, whatever it takes."""
    for found in rest_api.described(release.description):
        if export.is_same(rest_api.deployed(found), release.document):
            rest_api.require_documentation(release.documentation_version)
            desk.steps.say(f"deployment {found} of release {release.version} is there")
            return found
    follows = rest_api.api.following is not None
    if follows and export.is_same(definition(desk, rest_api)[0], release.document):
        return _of_definition(desk, rest_api, release)
    return _made_again(desk, rest_api, release)


def _of_definition(desk: Desk, rest_api: RestApi, release: Release) -> str:
    made = rest_api.deploy(release.description)
    holds = rest_api.deployed(made)
    if not export.is_same(holds, release.document):
        rest_api.delete(made)
        raise difference.refusal(
            f"the definition of {rest_api.api.name} is not what {rest_api.api.following} serves:",
            release.document,
            holds,
            "Somebody has changed it without deploying it, or Terraform is at it: `make terraform/apply`, then again.",
        )
    rest_api.require_documentation(release.documentation_version)
    desk.steps.say(f"deployment {made} made of the definition")
    return made


def _made_again(desk: Desk, rest_api: RestApi, release: Release) -> str:
    desk.steps.say(f"release {release.version} has no deployment any more: making it again of its export")
    kept = rest_api.deploy(KEPT)
    try:
        rest_api.overwrite(release.document)
        made = rest_api.deploy(release.description)
        rest_api.require_documentation(release.documentation_version)
    finally:
        _put_back(rest_api, kept)
    holds = rest_api.deployed(made)
    if not export.is_same(holds, release.document):
        rest_api.delete(made)
        what = f"importing release {release.version} does not give what was exported:"
        raise difference.refusal(what, release.document, holds)
    desk.steps.say(f"deployment {made} made of the export; the definition is as it was")
    return made


def _put_back(rest_api: RestApi, kept: str) -> None:
    rest_api.overwrite(rest_api.deployed(kept))
    rest_api.delete(kept)
