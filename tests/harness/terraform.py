"""The real `terraform`, run on a scratch copy of the root, in an environment of the test's own."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.control_plane import CREDENTIALS, REGION, ROOT

# Without a bound on attempts the provider repeats a failing call for minutes; without the metadata service switched off
# it looks for one first.
SETTINGS = {
    **CREDENTIALS,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "2",
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
}
NO_CHANGES, CHANGES = 0, 2
LIMIT_SECONDS = 900  # many times what any command takes; a provider that waits for ever must not
STATE_BUCKET_PARAMETER = "/terraform/statefiles/bucket"

Changes = dict[str, tuple[str, ...]]
"""Address → what is planned for it, in Terraform's order: ("update",), ("create", "delete") ..."""


class Terraform:
    """One working copy with its own backend, data directory and variables."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.folder = folder
        self.root = folder / "terraform"
        self.variables: dict[str, Any] = {}
        self.timings: list[str] = []
        """What was run and how long it took, in its order."""
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],  # the CLI configuration, which may name a mirror for providers
            "AWS_ENDPOINT_URL": endpoint,
            "TF_DATA_DIR": str(folder / "data"),
            **{name: os.environ[name] for name in ("TF_CLI_CONFIG_FILE",) if name in os.environ},
            **SETTINGS,
        }
        shutil.copytree(ROOT / "terraform", self.root, ignore=shutil.ignore_patterns(".terraform", "tests", "*.tfvars"))

    def bootstrap(self) -> None:
        """The bucket of the state and the parameter that names it, as `make terraform/bootstrap` makes them."""
        self._script("bootstrap")

    def init(self) -> None:
        bucket = self._script("name").strip()
        backend = {"bucket": bucket, "key": "cycle.tfstate", "region": REGION}
        self._run("init", [f"-backend-config={name}={value}" for name, value in backend.items()])

    def apply(self, *only: str, **variables: Any) -> None:
        """Everything, or `only` the resources at these addresses and what they need."""
        targets = [f"-target={address}" for address in only]
        self._run("apply", ["-auto-approve", "-compact-warnings", *targets, *self._variable_arguments(**variables)])

    def destroy(self) -> None:
        self._run("destroy", ["-auto-approve", "-compact-warnings", *self._variable_arguments()])

    def plan(self, **variables: Any) -> Changes:
        """What an apply would change, with `variables` on top of the usual ones."""
        return planned_changes(self.plan_document(**variables))

    def plan_change(self, **variables: Any) -> Changes:
        """What an apply would change because of `variables` or of changed files. Of everything else the state is
        believed: asking for hundreds of resources again takes most of a plan's time."""
        return planned_changes(self.plan_document("-refresh=false", **variables))

    def plan_document(self, *options: str, **variables: Any) -> dict[str, Any]:
        file = self.folder / "plan"
        always = [f"-out={file}", "-detailed-exitcode", "-compact-warnings"]
        arguments = [*always, *options, *self._variable_arguments(**variables)]
        self._run("plan", arguments, expected=(NO_CHANGES, CHANGES))
        shown = subprocess.run(
            self._command("show", ["-json", str(file)]),
            env=self._environment,
            capture_output=True,
            check=True,
        )
        document: dict[str, Any] = json.loads(shown.stdout)
        return document

    def outputs(self) -> dict[str, Any]:
        shown = subprocess.run(
            self._command("output", ["-json"]), env=self._environment, capture_output=True, check=True
        )
        return {name: output["value"] for name, output in json.loads(shown.stdout).items()}

    def _variable_arguments(self, **more: Any) -> list[str]:
        # None is what a variable is that nobody sets.
        values = {**self.variables, **more}.items()
        return [f"-var={name}={_as_text(value)}" for name, value in values if value is not None]

    def _command(self, command: str, arguments: Sequence[str]) -> list[str]:
        return ["terraform", f"-chdir={self.root}", command, "-no-color", *arguments]

    def _run(self, command: str, arguments: Sequence[str], expected: Sequence[int] = (0,)) -> None:
        """Run a command and pass its lines on, each with the seconds since it began."""
        start = time.monotonic()
        child = subprocess.Popen(
            self._command(command, arguments),
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert child.stdout
        lines: list[str] = []
        limit = threading.Timer(LIMIT_SECONDS, child.terminate)
        limit.start()
        try:
            for line in child.stdout:
                lines.append(line)
                if _is_progress(line):
                    print(f"{command} {time.monotonic() - start:4.0f} s  {line.rstrip()}", file=sys.stderr, flush=True)
            code = child.wait()
        finally:
            limit.cancel()
            if child.poll() is None:
                child.terminate()
                child.wait()
        self.timings.append(f"{command} {time.monotonic() - start:.0f} s")
        assert code in expected, f"terraform {command} ended with {code}:\n{''.join(lines)[-12000:]}"

    def _script(self, command: str) -> str:
        done = subprocess.run(
            [
                sys.executable,
                "scripts/state_bucket.py",
                command,
                "--parameter",
                STATE_BUCKET_PARAMETER,
                "--region",
                REGION,
            ],
            cwd=ROOT,
            env=self._environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"state_bucket.py {command}: {done.stdout}{done.stderr}"
        return done.stdout


def planned_changes(document: dict[str, Any]) -> Changes:
    """What a plan would do to resources. Reading a data source is not a change."""
    return {
        change["address"]: tuple(change["change"]["actions"])
        for change in document.get("resource_changes", [])
        if change["change"]["actions"] not in (["no-op"], ["read"])
    }


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_progress(line: str) -> bool:
    """Resources as they come and go, and the sums; the long text of the plan itself is left out."""
    return not line.startswith(" ") and line.strip() != "" and "Refreshing state" not in line
