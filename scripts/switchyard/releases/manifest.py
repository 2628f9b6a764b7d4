"""What stands beside an export: where it comes from, and what an export lacks.

Nothing in it depends on when it was written, so that a release that is run again writes the same.
"""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

from switchyard.failure import WRONG_USE, Failure

from .account import Account
from .apis import Api, Service
from .json_types import Json
from .rest_api import RestApi

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("crates", "fargate-app", "lambdas", "terraform")
"""What a release is made of, relative to the repository."""

GIT_SECONDS = 30

# https://docs.aws.amazon.com/apigateway/latest/api/API_Stage.html
STAGE_SETTINGS = ("variables", "methodSettings", "tracingEnabled", "accessLogSettings", "tags")
API_SETTINGS = ("endpointConfiguration", "tags")


def take(account: Account, rest_api: RestApi, version: str, stage: str, deployment: str) -> Json:
    """Of a release that is exported from `stage`, which serves `deployment`."""
    api = rest_api.api
    settings = rest_api.client.get_rest_api(restApiId=api.id)
    return {
        "api": api.architecture,
        "version": version,
        "source": source(),
        "exported_from": {
            "account": account.id(),
            "region": account.region,
            "rest_api": api.id,
            "stage": stage,
            "deployment": deployment,
        },
        # Filled in when it is made.
        "deployment": None,
        "functions": functions(account, api),
        "image": image(account, api.service) if api.service else None,
        "rest_api": {"name": api.name, **{name: settings[name] for name in API_SETTINGS if name in settings}},
        "stages": {
            name: {setting: said[setting] for setting in STAGE_SETTINGS if setting in said}
            for name, said in rest_api.stages().items()
        },
    }


@cache
def source() -> Json:
    """The commit that is checked out, and whether what is deployed from here has changes that are not in it."""
    commit = _git("rev-parse", "HEAD").strip()
    return {"commit": commit, "clean": not _git("status", "--porcelain", "--", *SOURCES, ":!terraform/releases*.json")}


def functions(account: Account, api: Api) -> Json:
    """Function → stage → the version that it calls there. `$LATEST` says little; the hash says what code it is."""
    client = account.client("lambda")
    found: Json = {}
    for key, function in api.functions.items():
        for stage, alias in sorted(function.aliases.items()):
            at = client.get_function_configuration(FunctionName=function.name, Qualifier=alias)
            version = client.get_alias(FunctionName=function.name, Name=alias)["FunctionVersion"]
            found.setdefault(key, {})[stage] = {"name": function.name, "version": version, "sha256": at["CodeSha256"]}
    return found


def image(account: Account, service: Service) -> Json:
    """The image that the service's tasks run, and its digest; null for one that was never pushed."""
    ecs = account.client("ecs")
    described = ecs.describe_services(cluster=service.cluster, services=[service.name])["services"]
    if not described:
        raise Failure(f"there is no ECS service '{service.name}' in the cluster '{service.cluster}'", WRONG_USE)
    # CodeDeploy moves the service by task sets; the primary one is what serves.
    primary = next((tasks for tasks in described[0].get("taskSets", []) if tasks["status"] == "PRIMARY"), described[0])
    definition = ecs.describe_task_definition(taskDefinition=primary["taskDefinition"])["taskDefinition"]
    name: str = definition["containerDefinitions"][0]["image"]
    return {"name": name, "digest": _digest(account, name)}


def _digest(account: Account, image: str) -> str | None:
    repository, separator, digest = image.partition("@")
    if separator:
        return digest
    host, _, path = repository.partition("/")
    name, _, tag = path.partition(":")
    if ".dkr.ecr." not in host or not tag:
        return None
    ecr: Any = account.client("ecr")
    try:
        details = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])["imageDetails"]
    except ecr.exceptions.ImageNotFoundException:
        return None
    found: str = details[0]["imageDigest"]
    return found


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True, timeout=GIT_SECONDS
        )
    except FileNotFoundError as error:
        raise Failure("git is missing: a release names the commit that it is made from", WRONG_USE) from error
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or error).strip()
        raise Failure(f"a release names the commit that it is made from, and git says: {said}", WRONG_USE) from error
    return done.stdout
