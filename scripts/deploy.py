#!/usr/bin/env python3
"""Lets the container service run an image of its repository: by CodeDeploy, blue to green, as the pipeline does.

deploy.py --name NAME --repository URL --tag TAG

NAME and URL are the outputs `name` and `image_repository_url` of the Terraform root. The task definition stays
Terraform's: its newest revision is registered again with this image in it, and nothing else changed.
"""

from __future__ import annotations

import argparse
import json
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

DEPLOY = Path(__file__).resolve().parent.parent / "fargate-app" / "deploy"


class Failure(Exception):
    """Ends the script. The message says what was wrong and what would be right."""


def require_image(ecr: Any, repository: str, tag: str) -> None:
    """A release of an image that is not there would start tasks that cannot run, until CodeDeploy gives up on it."""
    name = repository.partition("/")[2]
    try:
        ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": tag}])
    except ClientError as error:
        if error.response["Error"]["Code"] == "ImageNotFoundException":
            raise Failure(f"{repository} has no image '{tag}': push one (make image/push TAG={tag})") from error
        raise


def release(ecs: Any, codedeploy: Any, name: str, image: str) -> str:
    """Register the task definition with `image`, and have CodeDeploy start it. The deployment's id."""
    taskdef = runpy.run_path(str(DEPLOY / "taskdef.py"))
    registered = ecs.describe_task_definition(taskDefinition=name)["taskDefinition"]
    definition = json.dumps(taskdef["template"](registered)).replace(taskdef["PLACEHOLDER"], image)
    revision = ecs.register_task_definition(**json.loads(definition))["taskDefinition"]["taskDefinitionArn"]

    appspec = (DEPLOY / "appspec.yaml").read_text(encoding="utf-8").replace("<TASK_DEFINITION>", revision)
    deployment: str = codedeploy.create_deployment(
        applicationName=name,
        deploymentGroupName=name,
        revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": appspec}},
        description=image,
    )["deploymentId"]
    return deployment


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--name", required=True, help="name of service, task family and CodeDeploy application")
    parser.add_argument("--repository", required=True, help="URL of the image repository")
    parser.add_argument("--tag", required=True, help="the image's tag")
    parser.add_argument("--region", help="region of the service (default: AWS's own settings)")
    options = parser.parse_args(arguments)
    session = boto3.Session(region_name=options.region)
    try:
        require_image(session.client("ecr"), options.repository, options.tag)
        image = f"{options.repository}:{options.tag}"
        deployment = release(session.client("ecs"), session.client("codedeploy"), options.name, image)
    except (Failure, BotoCoreError, ClientError) as failure:
        print(f"deploy: {failure}", file=sys.stderr)
        return 1
    print(f"deploy: {image} is on its way to {options.name}: deployment {deployment}")
    print(f"deploy: aws deploy wait deployment-successful --deployment-id {deployment}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
