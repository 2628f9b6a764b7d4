"""How the process behaves: ready line, ports, signals, parent."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import requests

from harness.control_plane import ROOT, ControlPlane
from harness.process import Process
from harness.waiting import eventually

COMMAND = [sys.executable, "-m", "local.control_plane"]
ENVIRONMENT = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}


@pytest.fixture
def own() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.stop()


def test_the_line_that_says_ready_is_the_only_output_and_true(own: ControlPlane) -> None:
    assert own.process.stdout == [json.dumps({"control_plane": own.url})]
    assert own.process.stderr == []
    assert requests.get(f"{own.url}/_control_plane/health", timeout=5).json() == {"status": "ready"}


def test_a_port_in_use_is_refused(own: ControlPlane) -> None:
    port = own.url.rsplit(":", 1)[1]
    second = Process([*COMMAND, "--port", port], ENVIRONMENT)
    assert second.wait() == 1
    assert second.stderr == [
        f"control plane: port {port} on 127.0.0.1 is in use: give another --port, or 0 for any free one"
    ]
    assert second.stdout == []


@pytest.mark.parametrize("text", ["65536", "-1", "http", ""])
def test_what_is_no_port_is_refused(text: str) -> None:
    process = Process([*COMMAND, f"--port={text}"], ENVIRONMENT)
    assert process.wait() == 2
    assert f"'{text}' is not a port: give a number from 0 to 65535" in process.output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_and_frees_the_port(own: ControlPlane, number: signal.Signals) -> None:
    own.process.signal(number)
    assert own.process.wait() == 0
    assert own.process.stderr == []
    again = Process([*COMMAND, "--port", own.url.rsplit(":", 1)[1]], ENVIRONMENT)
    try:
        again.wait_for_output(own.url, patience=60)
    finally:
        again.stop()


def test_it_ends_with_its_parent() -> None:
    """A parent that is killed has no time to end its children."""
    program = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen({[*COMMAND, '--port', '0']!r}, stdout=subprocess.PIPE, text=True)\n"
        "print(child.pid, child.stdout.readline(), flush=True)\n"
        "time.sleep(600)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline().split()[0])
        parent.kill()
    eventually("the control plane ends when its parent was killed", lambda: not _runs(pid))


def _runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_an_operation_that_is_missing_is_named_at_once(control_plane: ControlPlane) -> None:
    """501 is what no SDK retries. The provider would repeat a 500 for minutes."""
    target = {"X-Amz-Target": "CodePipeline_20150709.RetryStageExecution", "Content-Type": "application/x-amz-json-1.1"}
    signature = (
        "AWS4-HMAC-SHA256 Credential=local/20260101/eu-west-1/codepipeline/aws4_request, SignedHeaders=, Signature="
    )
    answer = requests.post(control_plane.url, headers={**target, "Authorization": signature}, data="{}", timeout=30)
    assert answer.status_code == 501
    assert "lacks this operation of codepipeline: The retry_stage_execution action" in answer.json()["message"]
