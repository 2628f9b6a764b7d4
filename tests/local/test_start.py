"""What is said at the start: what is missing, what fails, how far it is."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.control_plane import ROOT
from harness.make_local import END_SECONDS, MakeLocal, program, terraform
from harness.process import Process

Start = Callable[..., MakeLocal]


def test_progress_is_shown_step_by_step_and_summed_up(start: Start, programs: Path) -> None:
    make_local = start("--no-build", programs=programs)
    make_local.wait_until_ready()
    lines = make_local.stdout
    assert lines[0] == "[check 0 s] looking for what is needed"
    steps = ["check", "control plane", "init", "pack", "apply", "data plane"]
    firsts = [next(at for at, line in enumerate(lines) if line.startswith(f"[{step} 0 s]")) for step in steps]
    assert firsts == sorted(firsts)
    summary = next(line for line in lines if line.startswith("local: ready after"))
    pattern = ", ".join(rf"{step} \d+ s" for step in steps)
    assert re.fullmatch(rf"local: ready after \d+ s: {pattern}", summary)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--architectures", "lambda,kubernetes"],
            "'lambda,kubernetes' should be one or more of lambda, fargate, events",
        ),
        (["--architectures", ","], "should be one or more of lambda, fargate, events"),
        (["--port", "http"], "'http' is not a port: give a number from 0 to 65535"),
        (["--root-domain", "localhost"], "'localhost' is not a domain name, such as example.com"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], message: str) -> None:
    process = Process([sys.executable, "-m", "local", *arguments], {"PYTHONPATH": str(ROOT)})
    assert process.wait() == 2
    assert message in process.output


@pytest.mark.parametrize(
    ("name", "script", "message"),
    [
        (
            "terraform",
            'echo \'{"terraform_version": "1.5.7"}\'',
            "is terraform 1.5.7: https://developer.hashicorp.com/terraform/install (1.11 or newer)",
        ),
        ("terraform", "echo broken", "does not say its version: broken"),
    ],
)
def test_a_tool_that_will_not_do(start: Start, programs: Path, name: str, script: str, message: str) -> None:
    program(programs, name, script)
    make_local = start("--no-build", programs=programs)
    assert make_local.wait(END_SECONDS) == 1
    assert message in make_local.output


def test_a_tool_that_is_missing_is_named(tmp_path: Path) -> None:
    # Nothing is found here but what starts the process.
    if setpriv := shutil.which("setpriv"):
        (tmp_path / "setpriv").symlink_to(setpriv)
    process = Process([sys.executable, "-m", "local"], {"PYTHONPATH": str(ROOT), "PATH": str(tmp_path)})
    assert process.wait() == 1
    assert "local: 'terraform' is missing: https://developer.hashicorp.com/terraform/install" in process.output


def test_binaries_that_are_missing_are_named(start: Start, programs: Path, stand_ins: Path) -> None:
    (stand_ins / "string-replace").unlink()
    make_local = start("--no-build", programs=programs)
    assert make_local.wait(END_SECONDS) == 1
    assert (
        f"local: {stand_ins} lacks string-replace: build with `cargo build --locked --workspace`" in make_local.output
    )


def test_without_lambda_no_function_is_needed(start: Start, programs: Path, stand_ins: Path) -> None:
    (stand_ins / "string-replace").unlink()
    make_local = start("--no-build", "--architectures", "fargate", programs=programs)
    make_local.wait_until_ready()


def test_a_build_that_fails_is_quoted(start: Start, programs: Path) -> None:
    program(programs, "cargo", "echo 'error[E0425]: cannot find value' >&2; exit 101")
    make_local = start(programs=programs)
    assert make_local.wait(END_SECONDS) == 1
    assert "local: build ended with exit code 101\n  error[E0425]: cannot find value" in make_local.output


def test_an_apply_that_fails_says_why(start: Start, programs: Path) -> None:
    """Terraform's own words, from its machine-readable lines."""
    error = (
        '{"@level":"error","type":"diagnostic","diagnostic":{"severity":"error","summary":"Invalid value",'
        '"detail":"It should be a name.","address":"aws_thing.this"}}'
    )
    program(programs, "terraform", terraform(f"*apply*) echo '{error}'; exit 1"))
    make_local = start("--no-build", programs=programs)
    assert make_local.wait(END_SECONDS) == 1
    assert "local: terraform apply failed:\n  Invalid value (aws_thing.this): It should be a name." in make_local.output


def test_what_the_user_has_set_for_aws_does_not_reach_terraform(start: Start, programs: Path, tmp_path: Path) -> None:
    program(programs, "terraform", terraform(f"*apply*) env > {tmp_path}/env"))
    theirs = {"AWS_PROFILE": "production", "AWS_ENDPOINT_URL_S3": "https://example.com", "TF_VAR_identifier": "other"}
    make_local = start("--no-build", programs=programs, environment=theirs)
    make_local.wait_until_ready()
    given = dict(line.split("=", 1) for line in (tmp_path / "env").read_text().splitlines() if "=" in line)
    assert given["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")
    assert given["AWS_CONFIG_FILE"] == given["AWS_SHARED_CREDENTIALS_FILE"] == "/dev/null"
    assert not theirs.keys() & given.keys()
