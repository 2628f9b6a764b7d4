"""However it ends, nothing is left: no process, no port, no temporary file."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from harness.control_plane import ROOT
from harness.make_local import (
    DATA_PLANE,
    END_SECONDS,
    FOR_EVER,
    LOCAL,
    MakeLocal,
    adopting,
    children,
    program,
    terraform,
)
from harness.waiting import eventually

Start = Callable[..., MakeLocal]

STARTING = "starting an AWS account"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """Whatever loses its parent becomes a child of this process, where it is seen."""
    with adopting():
        before = children()
        yield
        left = {pid: command for pid, command in children().items() if pid not in before}
        assert not left, f"still running: {left}"


def control_plane(make_local: MakeLocal) -> str:
    line = make_local.wait_for_line("http://127.0.0.1:")
    match = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert match
    return match[0]


def assert_gone(make_local: MakeLocal, endpoints: Path) -> None:
    assert not make_local.run_folder.exists()
    assert not endpoints.exists()
    for url in set(re.findall(r"http://127\.0\.0\.1:\d+", make_local.output)):
        with pytest.raises(requests.ConnectionError):
            requests.get(url, timeout=5)


FEW_RESOURCES = ("--architectures", "events")
"""Enough for an apply of the real Terraform to be under way for a while."""

SIGNS = {
    "check": "[check",
    "control plane": STARTING,
    "init": "[init",
    "build": "build | Compiling",
    "pack": "[pack",
    "apply": "[apply",
    "data plane": "[data plane",
}
"""Stage → what is printed at its beginning."""


@pytest.mark.parametrize("stage", SIGNS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_at_each_stage(
    start: Start, programs: Path, stand_ins: Path, tmp_path: Path, stage: str, number: signal.Signals, code: int
) -> None:
    # Each of the programs that are waited for takes for ever, with a child of its own, when its stage is the one.
    program(programs, "cargo", f"echo Compiling; {FOR_EVER if stage == 'build' else ''}")
    slow = [f"*{stage}*) {FOR_EVER}"] if stage in ("init", "apply") else []
    program(programs, "terraform", terraform(*slow))
    if stage == "data plane":
        program(stand_ins, "data-plane", FOR_EVER)
    make_local = start(programs=programs)
    make_local.wait_for_line(SIGNS[stage])
    make_local.signal(number)
    assert make_local.wait(END_SECONDS) == code, make_local.output
    assert f"local: {number.name}: ending" in make_local.stdout
    assert_gone(make_local, tmp_path / "endpoints.json")


@pytest.mark.parametrize("sign", ["[apply 0 s] planning", " resources: "])
def test_interrupted_while_terraform_applies(start: Start, tmp_path: Path, sign: str) -> None:
    """The real one, with its provider's processes: while it plans, and while it makes things."""
    make_local = start("--no-build", *FEW_RESOURCES)
    make_local.wait_for_line(sign)
    make_local.signal(signal.SIGINT)
    assert make_local.wait(END_SECONDS) == 130, make_local.output
    assert_gone(make_local, tmp_path / "endpoints.json")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_when_ready(start: Start, programs: Path, tmp_path: Path, number: signal.Signals) -> None:
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    assert requests.get(f"{control_plane(make_local)}/_control_plane/health", timeout=5).ok
    make_local.signal(number)
    assert make_local.wait(END_SECONDS) == 0, make_local.output
    assert_gone(make_local, tmp_path / "endpoints.json")


def test_ctrl_c_in_a_terminal(stand_ins: Path, programs: Path, tmp_path: Path) -> None:
    """A terminal interrupts all of the process group: make, and what it runs."""
    endpoints = tmp_path / "endpoints.json"
    with (tmp_path / "log").open("w+") as log:
        make = subprocess.Popen(
            ["make", "local", f"ARGS=--no-build --binaries {stand_ins} --endpoints {endpoints}"],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            stdout=log,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            eventually("make local is ready", lambda: endpoints.exists() or make.poll(), 120)
            assert make.poll() is None, (tmp_path / "log").read_text()
            os.killpg(make.pid, signal.SIGINT)
            make.wait(END_SECONDS)
        finally:
            make.kill()
        output = (tmp_path / "log").read_text()
    assert "local: SIGINT: ending" in output
    assert "Traceback" not in output
    assert not endpoints.exists()


def test_a_second_ctrl_c_waits_for_nobody(start: Start, programs: Path, stand_ins: Path, tmp_path: Path) -> None:
    program(stand_ins, "data-plane", f"trap '' TERM\n{DATA_PLANE.replace('trap', ': trap')}")
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    make_local.signal(signal.SIGINT)
    make_local.wait_for_line("local: SIGINT: ending")
    make_local.signal(signal.SIGINT)
    assert make_local.wait(END_SECONDS) == 0, make_local.output
    assert_gone(make_local, tmp_path / "endpoints.json")


def test_killed_outright_its_children_end_and_the_next_one_cleans_up(
    start: Start, programs: Path, tmp_path: Path
) -> None:
    before = children()
    killed = start("--no-build", programs=programs)
    killed.wait_until_ready()
    killed.signal(signal.SIGKILL)
    killed.wait()
    eventually("its children end", lambda: not set(children()) - set(before), 30)
    assert killed.run_folder.exists()
    following = start("--no-build", programs=programs)
    following.wait_for_line(STARTING)
    assert not killed.run_folder.exists()


def test_killed_outright_in_an_apply(start: Start) -> None:
    before = children()
    killed = start("--no-build", *FEW_RESOURCES)
    killed.wait_for_line(" resources: ")
    killed.signal(signal.SIGKILL)
    killed.wait()
    eventually("terraform and its providers end", lambda: not set(children()) - set(before), 60)


@pytest.mark.parametrize("name", ["local.control_plane", "data-plane"])
def test_a_part_that_dies_is_named_and_ends_the_rest(start: Start, programs: Path, tmp_path: Path, name: str) -> None:
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    os.kill(child_of(make_local, name), signal.SIGKILL)
    assert make_local.wait(END_SECONDS) == 1
    part = {"local.control_plane": "the control plane", "data-plane": "the data plane"}[name]
    assert f"local: {part} was ended by SIGKILL" in make_local.output
    assert_gone(make_local, tmp_path / "endpoints.json")


def test_a_part_that_does_not_start_is_quoted(start: Start, programs: Path, stand_ins: Path, tmp_path: Path) -> None:
    program(stand_ins, "data-plane", "echo 'cannot read what was deployed' >&2; exit 3")
    make_local = start("--no-build", programs=programs)
    assert make_local.wait(END_SECONDS) == 1
    assert "local: the data plane ended with exit code 3\n  cannot read what was deployed" in make_local.output
    assert_gone(make_local, tmp_path / "endpoints.json")


def child_of(make_local: MakeLocal, name: str) -> int:
    listing = subprocess.run(
        ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(make_local.pid)], capture_output=True, text=True, check=True
    ).stdout
    return next(int(line.split()[0]) for line in listing.splitlines() if name in line)


def test_a_reader_that_goes_away_ends_it(stand_ins: Path, programs: Path, tmp_path: Path) -> None:
    """`python -m local | head -2`"""
    endpoints = tmp_path / "endpoints.json"
    with (tmp_path / "errors").open("w") as errors:
        make_local = subprocess.Popen(
            [sys.executable, "-m", "local", "--no-build", "--binaries", stand_ins, "--endpoints", endpoints],
            cwd=ROOT,
            env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert make_local.stdout
        with make_local.stdout as reader:
            reader.readline()
        assert make_local.wait(END_SECONDS) == 143
    assert (tmp_path / "errors").read_text() == ""
    assert not (LOCAL / f"run-{make_local.pid}").exists()


def test_two_beside_each_other(start: Start, programs: Path, tmp_path: Path) -> None:
    """The file is of the one that was ready last, and goes with that one only."""
    endpoints = tmp_path / "endpoints.json"
    first = start("--no-build", programs=programs)
    first.wait_until_ready()
    second = start("--no-build", programs=programs)
    second.wait_until_ready()
    assert control_plane(second) in endpoints.read_text()
    assert first.run_folder.is_dir()
    first.signal(signal.SIGINT)
    assert first.wait(END_SECONDS) == 0, first.output
    assert control_plane(second) in endpoints.read_text()
    assert requests.get(f"{control_plane(second)}/_control_plane/health", timeout=5).ok
    second.signal(signal.SIGINT)
    assert second.wait(END_SECONDS) == 0, second.output
    assert not endpoints.exists()
    assert not list(LOCAL.glob(f"run-{second.pid}"))
