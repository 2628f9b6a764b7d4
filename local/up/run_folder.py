"""The folder of one run, `target/local/run-<process id>`: everything temporary is in it, and goes with it."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / "target" / "local"


class RunFolder:
    def __init__(self, folder: Path = LOCAL) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        self.path = folder / f"run-{os.getpid()}"
        self.path.mkdir()

    def make(self, name: str) -> Path:
        folder = self.path / name
        folder.mkdir()
        return folder

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def _sweep(folder: Path) -> None:
    """Removes what runs left behind that were killed outright."""
    for left in folder.glob("run-*"):
        number = re.fullmatch(r"run-(\d+)", left.name)
        if number and not _is_running(int(number[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_running(pid: int) -> bool:
    if pid == os.getpid():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
