"""What has to be on this machine."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

from .failure import Failure

TERRAFORM = (1, 11)
"""The root's `required_version`: the first with write-only arguments."""

DATA_PLANE = "data-plane"
CONTAINER = "fargate-app"


def check_tools(*, build: bool) -> str:
    """Says which are there; the first that is missing, with where it comes from, ends it."""
    if sys.platform not in ("linux", "darwin"):
        raise Failure(f"this machine is {sys.platform}; make local runs on Linux and macOS")
    found = [f"terraform {_terraform()}"]
    if build:
        _require("cargo", "https://rustup.rs")
        _require("cc", "a C compiler: Debian's build-essential or Xcode's command line tools")
        found += ["cargo", "cc"]
    return ", ".join(found)


def _require(tool: str, where: str) -> str:
    path = shutil.which(tool)
    if path is None:
        raise Failure(f"'{tool}' is missing: {where}")
    return path


def _terraform() -> str:
    wanted = ".".join(map(str, TERRAFORM))
    where = f"https://developer.hashicorp.com/terraform/install ({wanted} or newer)"
    path = _require("terraform", where)
    asked = subprocess.run([path, "version", "-json"], capture_output=True, text=True, check=False)
    try:
        version: str = json.loads(asked.stdout)["terraform_version"]
        numbers = tuple(int(part) for part in version.split("-")[0].split("."))
    except (ValueError, KeyError) as error:
        raise Failure(f"'{path} version -json' does not say its version: {asked.stderr or asked.stdout}") from error
    if numbers < TERRAFORM:
        raise Failure(f"'{path}' is terraform {version}: {where}")
    return version


def check_binaries(folder: Path, names: list[str]) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise Failure(
            f"{folder} lacks {', '.join(missing)}: build with `cargo build --locked --workspace`, "
            "or leave --no-build out"
        )
