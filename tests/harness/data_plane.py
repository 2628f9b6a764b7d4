"""The data plane as a process: it serves what a control plane holds."""

import json
import os
import re
from pathlib import Path
from typing import Any

from harness.binaries import binary
from harness.control_plane import REGION
from harness.process import Process, Running
from harness.waiting import eventually

START_SECONDS = 60


class DataPlane(Running):
    """Ready when made: everything that the control plane held then is served. `folder` is its own."""

    def __init__(self, control_plane: str, folder: Path, container_binary: str) -> None:
        endpoints = folder / "endpoints.json"
        self.process = Process(
            [
                os.environ.get("DATA_PLANE") or binary("data-plane"),
                *("--control-plane", control_plane, "--region", REGION, "--port", "0"),
                *("--work-directory", str(folder / "work"), "--endpoints", str(endpoints)),
                *("--container-binary", container_binary),
            ],
            {"PATH": os.environ["PATH"]},
        )
        try:
            self.endpoints: dict[str, Any] = eventually(
                "the data plane's endpoints", lambda: self._written(endpoints), START_SECONDS
            )
        except BaseException:
            self.process.stop()
            raise
        self.url: str = self.endpoints["gateway"]

    def _written(self, endpoints: Path) -> dict[str, Any] | None:
        if self.process.exit_code is not None:
            raise RuntimeError(f"the data plane ended with code {self.process.wait()}:\n{self.process.output}")
        return json.loads(endpoints.read_text("utf-8")) if endpoints.exists() else None

    def wait_for_line(self, pattern: str) -> None:
        """Waits for a line of its log that `pattern` is found in."""
        eventually(
            f"a line of the data plane's log with {pattern}",
            lambda: any(re.search(pattern, line) for line in self.process.output.splitlines()),
        )
