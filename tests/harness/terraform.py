"""The real `terraform`, run on a scratch copy of the root, in an environment of the test's own."""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.control_plane import CREDENTIALS, REGION, ROOT
from harness.provider import GARBAGE_COLLECTION, running

# Without a bound on attempts the provider repeats a failing call for minutes; without the metadata service switched off
# it looks for one first.
SETTINGS = {
    **CREDENTIALS,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_MAX_ATTEMPTS": "2",
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    **GARBAGE_COLLECTION,
}
NO_CHANGES, CHANGES = 0, 2
LIMIT_SECONDS = 900  # many times what any command takes; a provider that waits for ever must not
TAIL_CHARACTERS = 4000
"""Of what a command printed, behind its errors, in the message that it failed."""
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
        self._outputs: dict[str, Any] | None = None
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

    @contextmanager
    def one_provider(self) -> Iterator[None]:
        """Meanwhile all commands use the same process of the provider. For small ones, of which its start is most."""
        usual = self._environment
        with running(Path(usual["TF_DATA_DIR"]), usual) as more:
            self._environment = usual | more
            try:
                yield
            finally:
                self._environment = usual

    def apply(self, *only: str, **variables: Any) -> None:
        """Everything, or `only` the resources at these addresses and what they need."""
        targets = [f"-target={address}" for address in only]
        self._outputs = None
        self._run("apply", ["-auto-approve", "-compact-warnings", *targets, *self._variable_arguments(**variables)])

    def destroy(self) -> None:
        self._outputs = None
        self._run("destroy", ["-auto-approve", "-compact-warnings", *self._variable_arguments()])

    def plan(self, **variables: Any) -> Changes:
        """What an apply would change, with `variables` on top of the usual ones."""
        return {} if self._plan(**variables) == NO_CHANGES else planned_changes(self._planned())

    def plan_change(self, **variables: Any) -> Changes:
        """What an apply would change because of `variables` or of changed files. Of everything else the state is
        believed: hundreds of resources need not be asked for again."""
        return planned_changes(self.plan_document("-refresh=false", **variables))

    def plan_document(self, *options: str, **variables: Any) -> dict[str, Any]:
        self._plan(*options, **variables)
        return self._planned()

    def outputs(self) -> dict[str, Any]:
        """Of the last apply."""
        if self._outputs is None:
            self._outputs = {name: output["value"] for name, output in self._json("output", "-json").items()}
        return self._outputs

    def _plan(self, *options: str, **variables: Any) -> int:
        always = [f"-out={self._plan_file}", "-detailed-exitcode", "-compact-warnings"]
        arguments = [*always, *options, *self._variable_arguments(**variables)]
        return self._run("plan", arguments, expected=(NO_CHANGES, CHANGES))

    def _planned(self) -> dict[str, Any]:
        return self._json("show", "-json", str(self._plan_file))

    @property
    def _plan_file(self) -> Path:
        return self.folder / "plan"

    def _json(self, command: str, *arguments: str) -> dict[str, Any]:
        shown = subprocess.run(
            self._command(command, arguments), env=self._environment, capture_output=True, text=True, check=False
        )
        assert shown.returncode == 0, failure(command, shown.returncode, shown.stderr.splitlines(keepends=True))
        document: dict[str, Any] = json.loads(shown.stdout)
        return document

    def _variable_arguments(self, **more: Any) -> list[str]:
        # None is what a variable is that nobody sets.
        values = {**self.variables, **more}.items()
        return [f"-var={name}={_as_text(value)}" for name, value in values if value is not None]

    def _command(self, command: str, arguments: Sequence[str]) -> list[str]:
        return ["terraform", f"-chdir={self.root}", command, "-no-color", *arguments]

    def _run(self, command: str, arguments: Sequence[str], expected: Sequence[int] = (0,)) -> int:
        """Run a command and pass its lines on, each with the seconds since it began; its exit code."""
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
        assert code in expected, failure(command, code, lines)
        return code

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


def failure(command: str, code: int, lines: Sequence[str]) -> str:
    """What to say of a command that failed: Terraform's errors first, all of them, because whoever quotes the message
    quotes its beginning; then the end of all else that was printed."""
    errors: list[str] = []
    others: list[str] = []
    is_error = False
    for line in lines:
        # A diagnostic begins at the margin, and goes on until the next; nothing else follows the first one.
        if line.startswith(("Error: ", "Warning: ")):
            is_error = line.startswith("Error: ")
        (errors if is_error else others).append(line)
    end = "".join(others)[-TAIL_CHARACTERS:]
    return f"terraform {command} ended with {code}:\n{''.join(errors)}\nThe end of what it printed besides:\n{end}"


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_progress(line: str) -> bool:
    """Resources as they come and go, and the sums; the long text of the plan itself is left out."""
    return not line.startswith(" ") and line.strip() != "" and "Refreshing state" not in line
