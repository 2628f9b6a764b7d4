"""The Lambda functions' packages, from the binaries that were built for this machine."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

from .run_folder import ROOT

LAMBDAS = ROOT / "lambdas"

NEEDED_BY = {"lambda", "publish", "private"}
"""Architectures that have functions."""


def names() -> list[str]:
    """One folder each."""
    return sorted(folder.name for folder in LAMBDAS.iterdir() if (folder / "Cargo.toml").is_file())


def architecture() -> str:
    """This machine's CPU, as Lambda calls it."""
    return "arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"


def pack_command(binaries: Path, name: str, packages: Path) -> list[str | Path]:
    script = ROOT / "scripts" / "lambda_package.py"
    return [sys.executable, script, "pack", "--this-machine", binaries / name, packages / f"{name}.zip"]
