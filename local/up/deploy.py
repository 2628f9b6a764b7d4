"""`make local/deploy`: a release of the container, blue to green, against the `make local` that runs, and a view of it.

It is `make deploy`'s script that releases. What is different: there is no image, so that a name for one is put into the
repository first; the tasks run the binary that `make local` was started with, as it is by now.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

from . import running
from .account import environment
from .failure import Failure
from .run_folder import ROOT
from .running import Running

ENDED = ("Succeeded", "Failed", "Stopped")
POLL_SECONDS = 0.5

MANIFEST = '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", "layers": []}'


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.up.deploy", description=(__doc__ or "").partition("\n")[0])
    running.add_arguments(parser)
    parser.add_argument("--tag", help="the image's tag (default: one of the time)")
    options = parser.parse_args(arguments)
    try:
        found = running.find(options.endpoints, options.region)
        name = service_name(found)
        deployment = release(found, name, options.tag or time.strftime("local-%Y%m%d-%H%M%S"))
        return 0 if watch(found, deployment) == "Succeeded" else 1
    except Failure as failure:
        print(f"local/deploy: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("local/deploy: the deployment goes on without a viewer", file=sys.stderr)
        return 130


def service_name(found: Running) -> str:
    """The root gives service, task family, repository and CodeDeploy application one name."""
    names: list[str] = found.client("codedeploy").list_applications()["applications"]
    if len(names) != 1:
        deployed = ", ".join(names) or "none"
        raise Failure(f"one CodeDeploy application is needed, and there is {deployed}: start `make local` with fargate")
    return names[0]


def release(found: Running, name: str, tag: str) -> str:
    ecr = found.client("ecr")
    repository = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"]
    ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=MANIFEST)
    arguments = ["--name", name, "--repository", repository, "--tag", tag, "--region", found.region]
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "deploy.py", *arguments],
        env=environment(found.control_plane, found.region),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    identifier = re.search(r"deployment (d-\w+)", done.stdout)
    if done.returncode != 0 or identifier is None:
        raise Failure(f"scripts/deploy.py ended with exit code {done.returncode}: {done.stdout}")
    print(done.stdout.splitlines()[0], flush=True)
    return identifier[1]


def watch(found: Running, deployment: str) -> str:
    """Prints what changes, with the seconds since the start, until it has ended; returns how."""
    codedeploy = found.client("codedeploy")
    start = time.monotonic()
    told: set[str] = set()
    while True:
        info = codedeploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        for line in [*_events(codedeploy, deployment), _overview(info)]:
            if line not in told:
                told.add(line)
                print(f"[{deployment} {time.monotonic() - start:.0f} s] {line}", flush=True)
        if info["status"] in ENDED:
            return str(info["status"])
        time.sleep(POLL_SECONDS)


def _events(codedeploy: Any, deployment: str) -> list[str]:
    lines = []
    try:
        identifiers = codedeploy.list_deployment_targets(deploymentId=deployment)["targetIds"]
    except codedeploy.exceptions.DeploymentNotStartedException:
        identifiers = []
    for identifier in identifiers:
        target = codedeploy.get_deployment_target(deploymentId=deployment, targetId=identifier)["deploymentTarget"]
        for event in target["ecsTarget"].get("lifecycleEvents", []):
            if event["status"] != "Pending":
                lines.append(f"{event['lifecycleEventName']}: {event['status']}")
        for tasks in target["ecsTarget"].get("taskSetsInfo", []):
            counts = f"{tasks.get('runningCount', 0)} of {tasks.get('desiredCount', 0)} tasks"
            lines.append(
                f"{tasks.get('taskSetLabel', 'tasks')}: {counts}, {tasks.get('trafficWeight', 0):.0f} % of traffic"
            )
    return lines


def _overview(info: dict[str, Any]) -> str:
    error = info.get("errorInformation")
    return str(info["status"]) + (f": {error.get('code')}: {error.get('message')}" if error else "")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
