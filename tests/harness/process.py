"""One child process: its output captured line by line, its end certain."""

import json
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Self

from harness.waiting import PATIENCE, eventually

# The kernel kills the child when its parent dies, even by SIGKILL. Linux only; elsewhere `stop` has to do.
_END_WITH_PARENT = ("setpriv", "--pdeathsig", "KILL") if shutil.which("setpriv") else ()


class Process:
    """A running program. `environment` is all of its environment: nothing leaks in from the developer's shell."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._child = subprocess.Popen(
            [*_END_WITH_PARENT, *command],
            env={"PATH": "/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert self._child.stdout
        assert self._child.stderr
        self._readers = [
            threading.Thread(target=_read_lines, args=(pipe, lines), daemon=True)
            for pipe, lines in ((self._child.stdout, self.stdout), (self._child.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def exit_code(self) -> int | None:
        """`None` while it runs."""
        return self._child.poll()

    @property
    def output(self) -> str:
        """All that it has printed so far."""
        return "\n".join([*self.stdout, *self.stderr])

    def log(self) -> list[dict[str, Any]]:
        """The lines of JSON that it has printed so far."""
        return [json.loads(line) for line in [*self.stdout, *self.stderr] if line.startswith("{")]

    def wait_for_log(self, what: str, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first line of JSON that fits."""
        return eventually(
            f"{what}, in the log of {self._child.args!r}; it printed:\n{self.output}",
            lambda: next((line for line in self.log() if fits(line)), None),
        )

    def wait_for_output(self, text: str, patience: float = PATIENCE) -> str:
        """The first line that holds `text`."""
        return eventually(
            f"output {text!r} of {self._child.args!r}; it printed:\n{self.output}",
            lambda: next((line for line in [*self.stdout, *self.stderr] if text in line), None),
            patience,
        )

    def signal(self, number: signal.Signals) -> None:
        self._child.send_signal(number)

    def wait(self, patience: float = PATIENCE) -> int:
        """Waits for its end and for the last of its output; returns the exit code."""
        code = self._child.wait(patience)
        for reader in self._readers:
            reader.join(patience)
        return code

    def stop(self) -> int:
        """Ends it: politely, then not."""
        if self._child.poll() is None:
            self._child.terminate()
            try:
                self._child.wait(10)
            except subprocess.TimeoutExpired:
                self._child.kill()
        return self.wait()

    def resident_kib(self) -> int:
        """Resident memory, from /proc."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
        raise AssertionError(f"process {self.pid} has ended")

    def open_files(self) -> int:
        """The number of open file handles, sockets included, from /proc."""
        return sum(1 for _ in Path(f"/proc/{self.pid}/fd").iterdir())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Running:
    """What runs as a process. Used by `with`, it is stopped, and has to end well."""

    process: Process

    def stop(self) -> int:
        return self.process.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.stop() == 0, self.process.output


def _read_lines(pipe: IO[bytes], lines: list[str]) -> None:
    with pipe:
        for line in pipe:
            lines.append(line.decode("utf-8", "replace").rstrip("\n"))
