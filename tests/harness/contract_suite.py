"""The contract suite, run as by somebody who has no more than an address and headers."""

import os
import subprocess
import sys
from collections.abc import Mapping

from harness.control_plane import ROOT

WITHOUT_PLUGINS = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""The contract uses none of those that are installed, and importing them takes longer than asking all of it."""


def assert_kept(url: str, front_door: str, headers: Mapping[str, str], seconds: float) -> None:
    """What is at `url` keeps the contract, as far as it holds for such a front door."""
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract"]
    given = [f"--header={name}={value}" for name, value in headers.items()]
    done = subprocess.run(
        [sys.executable, *command, "--base-url", url, "--front-door", front_door, *given],
        cwd=ROOT,
        env={**os.environ, **WITHOUT_PLUGINS},
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout[-8000:]
    assert " passed" in done.stdout
