"""`python -m local` as a process, and the programs that stand in for slow ones."""

import ctypes
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from harness.control_plane import ROOT
from harness.process import Process
from harness.provider import GARBAGE_COLLECTION
from harness.waiting import eventually

LOCAL = ROOT / "target" / "local"
PASSED_ON = ("HOME", "TF_CLI_CONFIG_FILE", "CARGO_HOME", "RUSTUP_HOME")

START_SECONDS = 480.0
"""Many times what a start takes."""
STAGE_SECONDS = 120.0
END_SECONDS = 60.0


class MakeLocal(Process):
    def __init__(
        self,
        *arguments: str | Path,
        endpoints: Path,
        programs: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """`programs`: a folder that is looked into before the others of PATH."""
        self.endpoints = endpoints
        path = os.environ["PATH"] if programs is None else f"{programs}:{os.environ['PATH']}"
        super().__init__(
            [sys.executable, "-m", "local", "--endpoints", str(endpoints), *map(str, arguments)],
            {
                "PATH": path,
                "PYTHONPATH": str(ROOT),
                **GARBAGE_COLLECTION,
                **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
                **(environment or {}),
            },
        )
        self.run_folder = LOCAL / f"run-{self.pid}"

    def wait_until_ready(self) -> None:
        self.wait_for_line("local: ready after", START_SECONDS)

    def wait_for_line(self, text: str, patience: float = STAGE_SECONDS) -> str:
        """Fails at once when it ends without it."""
        line = eventually(
            f"a line with {text!r}; it printed:\n{self.output}", lambda: self._line(text) or self.exit_code, patience
        )
        assert isinstance(line, str), f"it ended with {self.exit_code} before it said {text!r}:\n{self.output}"
        return line

    def _line(self, text: str) -> str | None:
        return next((line for line in [*self.stdout, *self.stderr] if text in line), None)


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def terraform(*cases: str) -> str:
    """A terraform that does nothing, well, but in these cases of a shell's `case`."""
    version = """version*) echo '{"terraform_version": "1.11.4"}' ;;"""
    return "\n".join(['case "$*" in', version, *(f"{case} ;;" for case in cases), "esac"])


DATA_PLANE = """
while [ $# -gt 0 ]; do case $1 in --endpoints) file=$2 ;; --control-plane) url=$2 ;; esac; shift; done
echo "{\\"control_plane\\": \\"$url\\", \\"gateway\\": \\"\\", \\"endpoints\\": []}" > "$file.new"
mv "$file.new" "$file"
trap 'exit 0' TERM
while :; do sleep 1 & wait; done
"""
"""Serves nothing, and says so."""

FUNCTION = b"\x7fELF\x02\x01".ljust(64, b"\0")
"""What is packed as a function and never run: the header of a 64-bit ELF file, without any section."""

FOR_EVER = "sleep 600 & wait"
"""Something that takes long, with a child of its own."""


@contextmanager
def adopting() -> Iterator[None]:
    """While in here, processes that lose their parent become this process's children, as `children` sees them."""
    libc = ctypes.CDLL(None, use_errno=True)
    set_child_subreaper = 36  # <linux/prctl.h>
    assert libc.prctl(set_child_subreaper, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(set_child_subreaper, 0, 0, 0, 0)


def children() -> dict[int, str]:
    """Running processes whose parent this process is, and their command lines; also those whose parent ended just now,
    and whom the kernel was about to give to this process when they were looked at."""
    parents, commands, ended = {}, {}, set()
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            # The name, in parentheses, may hold anything.
            state, parent, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        process = int(folder.name)
        parents[process] = int(parent)
        commands[process] = command
        # One that has no memory any more, and with that no command line, is about to become a zombie.
        if state == "Z" or not command:
            ended.add(process)

    def is_ours(process: int) -> bool:
        parent = parents.get(process)
        return parent == os.getpid() or (parent in ended and is_ours(parent))

    return {process: commands[process] for process in parents if process not in ended and is_ours(process)}
