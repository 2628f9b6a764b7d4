"""The real Terraform root, applied as it is into the local account.

Terraform sees a folder of links to the root's own files: so it does not read the user's `terraform.tfvars`, which is
meant for AWS, and leaves no lock file or backend in the root. A change of the root's files is seen by a later apply.
"""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .run_folder import LOCAL, ROOT

PARALLELISM = 30
"""Most of an apply is the provider's waiting for things that are there at once here; the default of 10 queues them."""

STATE_KEY = "local.tfstate"

LEFT_OUT = {".terraform", ".terraform.lock.hcl", "tests"}
BETWEEN_LINES_SECONDS = 1.0
"""Dozens of resources may come in one second."""

PLUGINS = LOCAL / "plugins"
"""Providers are downloaded once for all runs."""

SETTINGS = {
    "CHECKPOINT_DISABLE": "1",
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_PLUGIN_CACHE_MAY_BREAK_DEPENDENCY_LOCK_FILE": "1",  # without a lock file Terraform would not use its cache
}


def link_root(folder: Path) -> Path:
    root = folder / "terraform"
    root.mkdir()
    for entry in (ROOT / "terraform").iterdir():
        if entry.name not in LEFT_OUT and not entry.name.endswith((".tfvars", ".tfvars.json")):
            (root / entry.name).symlink_to(entry)
    return root


def settings(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    return {"TF_PLUGIN_CACHE_DIR": str(PLUGINS), **environment, "TF_DATA_DIR": str(folder / "data"), **SETTINGS}


@contextmanager
def plugins(wait: Callable[[], None]) -> Iterator[None]:
    """The cache of providers is for one `terraform init` at a time; `wait` is called while another run has it."""
    PLUGINS.mkdir(parents=True, exist_ok=True)
    with (PLUGINS / ".lock").open("w") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                wait()
        yield


def init_command(root: Path, bucket: str, region: str) -> list[str | Path]:
    backend = {"bucket": bucket, "key": STATE_KEY, "region": region}
    return [
        "terraform",
        f"-chdir={root}",
        "init",
        "-no-color",
        *(f"-backend-config={name}={value}" for name, value in backend.items()),
    ]


def apply_command(root: Path, variables: Mapping[str, Any]) -> list[str | Path]:
    return [
        "terraform",
        f"-chdir={root}",
        "apply",
        "-json",
        "-auto-approve",
        f"-parallelism={PARALLELISM}",
        *(f"-var={name}={_text(value)}" for name, value in variables.items()),
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class Apply:
    """Reads what `terraform apply -json` says, line by line.

    https://developer.hashicorp.com/terraform/internals/machine-readable-ui
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._total = 0
        self._done = 0
        self._said = 0.0
        self._under_way: list[str] = []
        self.errors: list[str] = []

    @property
    def waiting_for(self) -> str:
        if not self._total:
            return "planning"
        return f"{self._done} of {self._total} resources; under way: {', '.join(self._under_way[:3])}"

    def line(self, text: str) -> None:
        try:
            event = json.loads(text)
        except ValueError:
            # A crash is told in plain text.
            self.errors.append(text)
            return
        kind = event.get("type")
        if kind == "change_summary" and event["changes"]["operation"] == "plan":
            self._total = event["changes"]["add"] + event["changes"]["change"] + event["changes"]["remove"]
            self._say(f"0 of {self._total} resources")
        elif kind == "apply_start":
            self._under_way.append(_address(event))
        elif kind in ("apply_complete", "apply_errored"):
            self._ended(_address(event), is_done=kind == "apply_complete")
        elif kind == "diagnostic" and event["diagnostic"]["severity"] == "error":
            self.errors.append(_diagnostic(event["diagnostic"]))

    def _ended(self, address: str, *, is_done: bool) -> None:
        if address in self._under_way:
            self._under_way.remove(address)
        if is_done and self._total:
            self._done += 1
            if time.monotonic() - self._said >= BETWEEN_LINES_SECONDS or self._done == self._total:
                self._said = time.monotonic()
                self._say(f"{self._done} of {self._total} resources: {address}")


def _address(event: dict[str, Any]) -> str:
    return str(event["hook"]["resource"]["addr"])


def _diagnostic(diagnostic: dict[str, Any]) -> str:
    address = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
    return f"{diagnostic['summary']}{address}: {diagnostic.get('detail', '')}".rstrip(": ")
