"""Child processes: their lines as they come, and their certain end.

Each child leads a process group of its own. Ctrl-C in a terminal reaches this program alone, which then ends its
children one after the other, and whatever they have started with them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from .failure import Failure
from .interruption import Interruption

POLL_SECONDS = 0.05
TAIL_LINES = 40
"""How many of its last lines a child that failed is quoted with."""

# When this program is killed outright, the kernel ends its children. Linux only; the control plane and the data plane
# look for their parent themselves, everywhere.
_END_WITH_PARENT = ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


class Child:
    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[str], None],
        stop_signal: signal.Signals,
        patience: float,
    ) -> None:
        self.name = name
        self.stop_signal = stop_signal
        self.patience = patience
        self.tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._on_line = on_line
        self._popen = subprocess.Popen(
            [*_END_WITH_PARENT, *map(str, command)],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._popen.stdout
        self._reader = threading.Thread(target=self._read, args=(self._popen.stdout,), name=name, daemon=True)
        self._reader.start()

    @property
    def exit_code(self) -> int | None:
        """None while it runs. A signal that ended it is negative."""
        return self._popen.poll()

    @property
    def pid(self) -> int:
        return self._popen.pid

    def signal_group(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._popen.pid, number)

    def drain(self, seconds: float) -> None:
        """Waits for the last of its lines."""
        self._reader.join(seconds)

    def failure(self) -> Failure:
        self.drain(1)
        how = ended(self.exit_code)
        return Failure(f"{self.name} {how}" + "".join(f"\n  {line}" for line in self.tail))

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for raw in pipe:
                line = raw.decode("utf-8", "replace").rstrip()
                self.tail.append(line)
                self._on_line(line)


def ended(code: int | None) -> str:
    if code is None:
        return "runs"
    return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"


class Children:
    def __init__(self, interruption: Interruption) -> None:
        self._interruption = interruption
        self._running: list[Child] = []
        self._services: list[Child] = []

    def start(
        self,
        name: str,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        folder: Path,
        on_line: Callable[[str], None],
        *,
        stop_signal: signal.Signals = signal.SIGTERM,
        patience: float = 10,
        is_service: bool = False,
    ) -> Child:
        """`patience`: seconds between the polite signal and the other one. A service is not expected to end."""
        with self._interruption.held():
            try:
                child = Child(name, command, environment, folder, on_line, stop_signal, patience)
            except OSError as error:
                raise Failure(f"{name} cannot be started: {error}") from error
            self._running.append(child)
            if is_service:
                self._services.append(child)
        return child

    def wait(self, child: Child, tick: Callable[[], None]) -> None:
        """Until it has ended well. Fails when it ends otherwise, or when a service ends."""
        self.wait_for(lambda: child.exit_code is not None, tick)
        child.signal_group(signal.SIGKILL)  # what it may have left
        child.drain(5)
        self._running.remove(child)
        if child.exit_code != 0:
            raise child.failure()

    def wait_for(self, is_done: Callable[[], bool], tick: Callable[[], None]) -> None:
        """Calls `tick` all the time. Fails when a service ends."""
        while not is_done():
            tick()
            for service in self._services:
                if service.exit_code is not None:
                    raise service.failure()
            time.sleep(POLL_SECONDS)

    def end_all(self) -> None:
        """The last one first: whoever uses another is ended before it."""
        while self._running:
            self._end(self._running.pop())

    def _end(self, child: Child) -> None:
        if child.exit_code is None:
            # To itself alone: it ends its own children in its own order.
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, child.stop_signal)
            deadline = time.monotonic() + child.patience
            while child.exit_code is None and time.monotonic() < deadline and not self._interruption.impatient:
                time.sleep(POLL_SECONDS)
        child.signal_group(signal.SIGKILL)
        while child.exit_code is None:
            time.sleep(POLL_SECONDS)
        child.drain(5)
