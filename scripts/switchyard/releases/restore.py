"""Rebuilds an API from an export alone: a new API, a deployment, its stages, and leave to call the functions it
names.

What the definition refers to must be there: functions with their aliases, roles, streams, VPC links. What an export
and its manifest do not hold is named at the end. A run that was ended is run again: the API is found by a tag with
the hash of the file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from switchyard.failure import REFUSED, WRONG_USE, Failure

from . import archive, difference, export
from .account import Account
from .apis import Api
from .archive import Release
from .export import EXTENSION
from .json_types import Json
from .rest_api import RestApi
from .steps import Steps

TAG = "RestoredFrom"

FUNCTION_URI = re.compile(r"functions/(arn:[^/]*:function:[^/:]+)(?::([^/]+))?/invocations")
STAGE_VARIABLE = re.compile(r"\$\{stageVariables\.([A-Za-z0-9_]+)\}")

# How GetStage says a setting of a method, and the path by which UpdateStage changes it; true and false are words there.
# https://docs.aws.amazon.com/apigateway/latest/api/patch-operations.html
METHOD_SETTINGS = {
    "metricsEnabled": "metrics/enabled",
    "loggingLevel": "logging/loglevel",
    "dataTraceEnabled": "logging/dataTrace",
    "throttlingBurstLimit": "throttling/burstLimit",
    "throttlingRateLimit": "throttling/rateLimit",
}


def restore(account: Account, steps: Steps, path: Path, variables: Mapping[str, str]) -> str:
    """The new API's id. `variables` are stage variables, for an export without a manifest or in place of what
    that says."""
    # A file of that name in a folder of the API's name; both are only said.
    release = archive.read(path, path.parent.name, path.stem)
    manifest = archive.read_manifest(path)
    stages = _stages(release.document, manifest, variables)
    client = account.client("apigateway")
    api = _api(client, release, manifest, steps)
    rest_api = RestApi(
        client, Api(release.api, api, str(release.document["info"]["title"]), tuple(stages), None, {}, None)
    )
    document = _for_api(release.document, api)
    deployment = _deployment(rest_api, release, document, steps)
    for name, settings in stages.items():
        _stage(account, rest_api, name, deployment, release, settings, steps)
    for statement in _permissions(account, rest_api, document, stages):
        _permit(account.client("lambda"), statement, steps)
    for name in stages:
        served = rest_api.served(name)
        if not export.is_same(served, release.document):
            raise difference.refusal(f"{name} does not serve what {path} says:", release.document, served)
    count = len(difference.operations(document))
    steps.say(f"API {api} serves the {count} operations of {path} on {', '.join(stages)}")
    steps.say("not restored, because no export holds them: custom domains, firewall, API keys and usage plans, alarms")
    return api


def _stages(document: Json, manifest: Json, variables: Mapping[str, str]) -> dict[str, Json]:
    """Name → settings. Without a manifest, the one stage that the export names as its base path."""
    stages: dict[str, Json] = dict(manifest.get("stages", {}))
    if not stages:
        paths = (
            server.get("variables", {}).get("basePath", {}).get("default") for server in document.get("servers", [])
        )
        name = next((path.strip("/") for path in paths if path), None)
        if not name:
            raise Failure("the export has no manifest beside it, and names no stage in `servers`", WRONG_USE)
        stages = {name: {}}
    needed = set(STAGE_VARIABLE.findall(export.text(document)))
    complete = {
        name: {**said, "variables": {**said.get("variables", {}), **variables}} for name, said in stages.items()
    }
    for name, said in complete.items():
        if missing := sorted(needed - said["variables"].keys()):
            example = " ".join(f"{variable}=..." for variable in missing)
            raise Failure(
                f"the definition uses stage variables that nothing gives the stage {name}: VARIABLES='{example}'",
                WRONG_USE,
            )
    return complete


def _api(client: Any, release: Release, manifest: Json, steps: Steps) -> str:
    """Made with its tag in one call, so that a run which is ended right after it is continued."""
    for page in client.get_paginator("get_rest_apis").paginate():
        for found in page["items"]:
            if found.get("tags", {}).get(TAG) == release.sha256:
                steps.say(f"API {found['id']} is there")
                return str(found["id"])
    said = manifest.get("rest_api", {})
    settings = said.get("endpointConfiguration", {"types": ["REGIONAL"]})
    given = {key: settings[key] for key in ("types", "vpcEndpointIds") if settings.get(key)}
    # `aws:` tags are AWS's own, and a tag `Architecture` is how the API that was is known.
    tags = {key: value for key, value in said.get("tags", {}).items() if not key.startswith("aws:")}
    made = client.create_rest_api(
        name=release.document["info"]["title"], endpointConfiguration=given, tags={**tags, TAG: release.sha256}
    )
    steps.say(f"API {made['id']} made")
    return str(made["id"])


def _for_api(document: Json, api: str) -> Json:
    """The resource policy names the API that it was exported from."""
    policy = document.get(EXTENSION + "policy")
    if policy is None:
        return document
    return {**document, EXTENSION + "policy": export.with_api_id(policy, document, api)}


def _deployment(rest_api: RestApi, release: Release, document: Json, steps: Steps) -> str:
    for found in rest_api.described(release.description):
        steps.say(f"deployment {found} is there")
        return found
    rest_api.overwrite(document)
    made = rest_api.deploy(release.description)
    steps.say(f"definition imported, deployment {made} made")
    return made


def _stage(
    account: Account, rest_api: RestApi, name: str, deployment: str, release: Release, settings: Json, steps: Steps
) -> None:
    rest_api.require_documentation(release.documentation_version)
    if name not in rest_api.stages():
        rest_api.client.create_stage(
            restApiId=rest_api.id,
            stageName=name,
            deploymentId=deployment,
            description=f"Release {release.version}",
            documentationVersion=release.documentation_version,
            variables=settings["variables"],
            tracingEnabled=settings.get("tracingEnabled", False),
            tags={key: value for key, value in settings.get("tags", {}).items() if not key.startswith("aws:")},
        )
    # A method is named with its path already escaped, such as `~1orders/GET`, or `*/*` for all.
    operations = [
        {"op": "replace", "path": f"/{method}/{path}", "value": _word(said[key])}
        for method, said in settings.get("methodSettings", {}).items()
        for key, path in METHOD_SETTINGS.items()
        if key in said
    ]
    log = settings.get("accessLogSettings", {})
    if log and _has_log_group(account, log["destinationArn"]):
        operations += [
            {"op": "replace", "path": f"/accessLogSettings/{key}", "value": log[key]}
            for key in ("destinationArn", "format")
        ]
    elif log:
        steps.say(f"stage {name} writes no access log: {log['destinationArn']} is not there")
    if operations:
        rest_api.client.update_stage(restApiId=rest_api.id, stageName=name, patchOperations=operations)
    steps.say(f"stage {name} serves deployment {deployment}")


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _has_log_group(account: Account, arn: str) -> bool:
    name = arn.partition(":log-group:")[2].removesuffix(":*")
    if not name:
        # A Firehose stream: API Gateway itself says if it is not there.
        return True
    groups = account.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return any(group["logGroupName"] == name for group in groups)


def _permissions(account: Account, rest_api: RestApi, document: Json, stages: Mapping[str, Json]) -> Iterator[Json]:
    """One for each function, alias and stage that calls it, and for each authorizer's function; as
    modules/rest_api does."""
    arn = f"arn:aws:execute-api:{account.region}:{account.id()}:{rest_api.id}"
    seen = set()
    for source, uri in _uris(document):
        for stage, settings in stages.items():
            found = FUNCTION_URI.search(_filled_in(uri, settings["variables"]))
            if found is None:
                continue
            function, alias = found[1], found[2]
            what = "Authorizer" if source == "authorizer" else f"Stage-{stage}"
            key = (function, alias, what)
            if key in seen:
                continue
            seen.add(key)
            yield {
                "FunctionName": function,
                "StatementId": f"Restored-{rest_api.id}-{what}",
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": f"{arn}/authorizers/*" if source == "authorizer" else f"{arn}/{stage}/*/*",
                **({"Qualifier": alias} if alias else {}),
            }


def _filled_in(uri: str, variables: Mapping[str, str]) -> str:
    return STAGE_VARIABLE.sub(lambda name: variables[name[1]], uri)


def _uris(document: Json) -> Iterator[tuple[str, str]]:
    for operation in difference.operations(document).values():
        yield "integration", str(operation.get(export.INTEGRATION, {}).get("uri", ""))
    for scheme in document.get("components", {}).get("securitySchemes", {}).values():
        yield "authorizer", str(scheme.get(EXTENSION + "authorizer", {}).get("authorizerUri", ""))


def _permit(client: Any, statement: Json, steps: Steps) -> None:
    alias = f":{statement['Qualifier']}" if "Qualifier" in statement else ""
    try:
        if not _is_permitted(client, statement):
            client.add_permission(**statement)
    except client.exceptions.ResourceNotFoundException as error:
        raise Failure(
            f"the definition calls {statement['FunctionName']}{alias}, which is not there: deploy it, then again",
            REFUSED,
        ) from error
    steps.say(f"the API may call {statement['FunctionName'].rpartition(':')[2]}{alias}")


def _is_permitted(client: Any, statement: Json) -> bool:
    """By a run before this one."""
    where = {key: statement[key] for key in ("FunctionName", "Qualifier") if key in statement}
    try:
        policy = json.loads(client.get_policy(**where)["Policy"])
    except client.exceptions.ResourceNotFoundException:
        # No policy, or no function; of the latter AddPermission tells.
        return False
    return any(each.get("Sid") == statement["StatementId"] for each in policy["Statement"])
