"""The commands beside a running `make local`: local/env and local/deploy."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.control_plane import ROOT
from harness.make_local import MakeLocal
from harness.process import free_port

Start = Callable[..., MakeLocal]
COMMANDS = ["local.up.env", "local.up.deploy"]


def run(command: str, endpoints: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", command, "--endpoints", str(endpoints)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not there: start `make local` first, in another terminal"),
        ("{", "does not name a control plane: start `make local` again"),
        ("[]", "does not name a control plane: start `make local` again"),
    ],
)
def test_nothing_that_runs(tmp_path: Path, command: str, content: str | None, message: str) -> None:
    file = tmp_path / "endpoints.json"
    if content is not None:
        file.write_text(content)
    done = run(command, file)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{file} {message}" in done.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_what_was_killed_outright_is_not_taken_for_running(tmp_path: Path, command: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    file = tmp_path / "endpoints.json"
    file.write_text(f'{{"control_plane": "{url}"}}')
    done = run(command, file)
    assert done.returncode == 1
    assert f"nothing answers at {url}, as {file} says: start `make local` again" in done.stderr


def test_a_shell_gets_what_it_needs_for_the_account(start: Start, programs: Path) -> None:
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    lines = run("local.up.env", make_local.endpoints).stdout
    asked = subprocess.run(
        ["sh", "-c", f"{lines}\n{sys.executable} -c '{WHO_AM_I}'"], capture_output=True, text=True, check=True
    )
    assert asked.stdout == "123456789012\n"


WHO_AM_I = 'import boto3; print(boto3.client("sts").get_caller_identity()["Account"])'


def test_without_a_container_there_is_nothing_to_deploy(start: Start, programs: Path) -> None:
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    done = run("local.up.deploy", make_local.endpoints)
    assert done.returncode == 1
    assert "one CodeDeploy application is needed, and there is none: start `make local` with fargate" in done.stderr
