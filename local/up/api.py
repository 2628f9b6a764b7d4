"""`make local/api/release` and its like: the release commands against the `make local` that runs.

It is `make api/release`'s script. What is different: Terraform's outputs are read from the state in the local
account, and what is released is noted in a folder of that account's own, `target/local/releases/<lineage of the
state>`, since the next `make local` is another account.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import running
from .account import environment
from .failure import Failure
from .run_folder import LOCAL, ROOT
from .running import Running
from .steps import STATE_BUCKET_PARAMETER
from .terraform import STATE_KEY


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.up.api", description=(__doc__ or "").partition("\n")[0])
    running.add_arguments(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, help="what scripts/release.py is told, such as api-status")
    options = parser.parse_args(arguments)
    try:
        found = running.find(options.endpoints, options.region)
        state = terraform_state(found)
    except Failure as failure:
        print(f"local/api: {failure}", file=sys.stderr)
        return 1
    folder = notes(state)
    outputs = {name: json.dumps(state["outputs"][name]["value"]) for name in ("apis", "functions")}
    given = {"--file": folder / "releases.json", "--folder": folder, "--region": found.region}
    words = [
        *(str(word) for pair in given.items() for word in pair),
        *(f"--{key}={said}" for key, said in outputs.items()),
    ]
    return subprocess.run(
        [sys.executable, ROOT / "scripts" / "release.py", *words, *options.command],
        env=environment(found.control_plane, found.region),
        check=False,
    ).returncode


def terraform_state(found: Running) -> dict[str, Any]:
    bucket = found.client("ssm").get_parameter(Name=STATE_BUCKET_PARAMETER)["Parameter"]["Value"]
    body = found.client("s3").get_object(Bucket=bucket, Key=STATE_KEY)["Body"]
    state: dict[str, Any] = json.load(body)
    if "apis" not in state["outputs"]:
        raise Failure("nothing is deployed there yet: wait until `make local` says that it serves")
    return state


def notes(state: dict[str, Any]) -> Path:
    """The account's own folder; at first it says what the account was deployed with."""
    folder = LOCAL / "releases" / str(state["lineage"])
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "releases.json").exists():
        shutil.copy(ROOT / "terraform" / "releases.json", folder / "releases.json")
    return folder


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
