"""The data plane as a process: how it starts, keeps up and ends."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.binaries import binary
from harness.control_plane import REGION, ROOT, ControlPlane
from harness.data_plane import DataPlane
from harness.greetings import deploy
from harness.process import Process
from harness.waiting import eventually

NO_CONTAINER = "/bin/false"


@pytest.fixture
def control_plane() -> Iterator[ControlPlane]:
    plane = ControlPlane()
    yield plane
    plane.stop()


def arguments(folder: Path, control_plane: str, *more: str) -> list[str]:
    return [
        *(binary("data-plane"), "--control-plane", control_plane, "--region", REGION),
        *("--work-directory", str(folder / "work"), "--endpoints", str(folder / "endpoints.json")),
        *("--container-binary", NO_CONTAINER, *more),
    ]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def endpoints(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "endpoints.json").read_text("utf-8"))["endpoints"]
    return found


def test_wrong_usage_is_named(tmp_path: Path) -> None:
    for more, expected in (
        (["--port", "many"], '--port is "many", and should be a number from 0 to 65535'),
        (["--colour"], "--colour"),
    ):
        ended = run(*arguments(tmp_path, "http://127.0.0.1:1"), *more)
        assert (ended.returncode, ended.stdout) == (64, "")
        assert expected in ended.stderr
    assert "--region REGION is missing" in run(binary("data-plane"), "--control-plane", "http://127.0.0.1:1").stderr


def test_it_does_not_start_without_a_control_plane(tmp_path: Path) -> None:
    ended = run(*arguments(tmp_path, "http://127.0.0.1:1"))
    assert ended.returncode == 1
    assert "there is no control plane to serve" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_it_takes_no_directory_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    precious = tmp_path / "work" / "precious"
    precious.touch()
    ended = run(*arguments(tmp_path, "http://127.0.0.1:1"))
    assert ended.returncode == 1
    assert "is not empty" in ended.stderr
    assert precious.exists()


def test_a_port_in_use_is_named(tmp_path: Path, control_plane: ControlPlane) -> None:
    port = control_plane.url.rpartition(":")[2]
    ended = run(*arguments(tmp_path, control_plane.url, "--port", port))
    assert ended.returncode == 1
    assert f"cannot listen on port {port} of 127.0.0.1" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_it_ends(tmp_path: Path, control_plane: ControlPlane, number: signal.Signals) -> None:
    data_plane = DataPlane(control_plane.url, tmp_path, NO_CONTAINER)
    assert (tmp_path / "work").is_dir()
    # Somebody watches the page: that must not hold it up.
    with urllib.request.urlopen(f"{data_plane.url}/_local/requests") as events:
        assert events.readline().startswith(b"event: ")
        os.kill(data_plane.process.pid, number)
        assert data_plane.process.wait() == 0
    assert list(tmp_path.iterdir()) == []


def test_it_ends_with_its_parent(tmp_path: Path, control_plane: ControlPlane) -> None:
    # The harness's processes die with us by other means, so this one's parent is in between.
    parent = f"import subprocess, time; subprocess.Popen({arguments(tmp_path, control_plane.url)!r}); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", parent])
    try:
        eventually("it is ready", (tmp_path / "endpoints.json").exists)
    finally:
        process.kill()
        process.wait()
    eventually("all is gone", lambda: list(tmp_path.iterdir()) == [])


def test_a_new_api_is_served_and_named(tmp_path: Path, control_plane: ControlPlane) -> None:
    data_plane = DataPlane(control_plane.url, tmp_path, NO_CONTAINER)
    try:
        assert data_plane.endpoints["endpoints"] == []
        api, key = deploy(control_plane.client("apigateway"))
        url = f"{data_plane.url}/_aws/execute-api/{api}"
        expected: list[dict[str, Any]] = [
            {"name": "lambda-test", "architecture": "lambda", "stage": "test", "url": f"{url}/test", "headers": {}},
            {
                **{"name": "lambda-prod", "architecture": "lambda", "stage": "prod", "url": f"{url}/prod"},
                "headers": {"x-api-key": key},
            },
        ]
        eventually("both stages in endpoints.json", lambda: endpoints(tmp_path) == expected)
        request = urllib.request.Request(f"{url}/prod/guarded", headers=expected[1]["headers"])
        with urllib.request.urlopen(request) as answer:
            assert answer.status == 200
        # The key is for whoever runs this; the log of requests does not hold it.
        data_plane.wait_for_line("GET /prod/guarded 200")
        lines = [line for line in data_plane.process.output.splitlines() if "gateway" in line]
        assert lines
        assert not any(key in line for line in lines)
    finally:
        assert data_plane.stop() == 0


def test_it_serves_on_without_the_control_plane_and_follows_the_next_one(tmp_path: Path) -> None:
    first = ControlPlane()
    port = first.url.rpartition(":")[2]
    apigateway = first.client("apigateway")
    api, _ = deploy(apigateway)
    data_plane = DataPlane(first.url, tmp_path, NO_CONTAINER)
    try:
        url = f"{data_plane.url}/_aws/execute-api/{api}/test/hello"
        first.stop()
        data_plane.wait_for_line("what was read before is still served")
        with urllib.request.urlopen(f"{data_plane.url}/_local/state") as answer:
            assert [door["name"] for door in json.load(answer)["front_doors"]] == ["lambda-test", "lambda-prod"]
        second = Process(
            [sys.executable, "-m", "local.control_plane", "--port", port],
            {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        )
        try:
            data_plane.wait_for_line("the control plane is up to date again")
            eventually("what the new one does not have is gone", lambda: endpoints(tmp_path) == [])
            with pytest.raises(urllib.error.HTTPError, match="403"):
                urllib.request.urlopen(url)
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_control_plane/data_plane") as answer:
                assert json.load(answer) == {"url": data_plane.url}
        finally:
            second.stop()
        said = [line for line in data_plane.process.output.splitlines() if "still served" in line]
        assert len(said) <= 2, "it is said once, or twice if it happened while it was read"
    finally:
        assert data_plane.stop() == 0
