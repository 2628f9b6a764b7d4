#!/usr/bin/env python3
"""Make the template of a release out of a registered task definition: the same, with a placeholder for the image.

    aws ecs describe-task-definition --task-definition FAMILY --query taskDefinition > registered.json
    taskdef.py registered.json > taskdef.json

CodePipeline puts the image of imageDetail.json where the placeholder stands and registers the result. Runs in the build
container, so it needs Python's standard library only.
"""

from __future__ import annotations

import json
import sys
from typing import Any

CONTAINER = "api"
PLACEHOLDER = "<IMAGE1_NAME>"

# What ECS tells of a task definition but does not take when one is registered.
READ_ONLY = {
    "compatibilities",
    "deleteRequestedAt",
    "deregisteredAt",
    "registeredAt",
    "registeredBy",
    "requiresAttributes",
    "revision",
    "status",
    "taskDefinitionArn",
}


def template(registered: dict[str, Any]) -> dict[str, Any]:
    """The task definition without what cannot be registered, and with the placeholder as its image."""
    names = [container.get("name") for container in registered.get("containerDefinitions", [])]
    if names.count(CONTAINER) != 1:
        raise ValueError(f"the task definition must have one container '{CONTAINER}', but its containers are {names}")
    taken = {key: value for key, value in registered.items() if key not in READ_ONLY}
    return taken | {
        "containerDefinitions": [
            container | {"image": PLACEHOLDER} if container["name"] == CONTAINER else container
            for container in registered["containerDefinitions"]
        ]
    }


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print("usage: taskdef.py REGISTERED.json > taskdef.json", file=sys.stderr)
        return 64
    try:
        with open(arguments[0], encoding="utf-8") as file:
            print(json.dumps(template(json.load(file)), indent=2))
    except (OSError, ValueError) as error:
        print(f"taskdef: {arguments[0]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
