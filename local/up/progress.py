"""What is printed while it starts: lines with the step and the seconds since it began, and a sum at the end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

HEARTBEAT_SECONDS = 5.0
"""A step that has nothing to say says that it is still at it, this often."""


class Progress:
    """Lines come from several threads; each is written whole."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start = time.monotonic()
        self._step = ""
        self._step_start = self._start
        self._last = self._start
        self.durations: list[tuple[str, float]] = []
        self.waiting_for = ""
        """What the heartbeat names."""

    @contextmanager
    def step(self, name: str, what: str) -> Iterator[None]:
        """Its duration counts only when it succeeds: nobody reads the sum otherwise."""
        self._step, self._step_start, self.waiting_for = name, time.monotonic(), what
        self.say(what)
        yield
        self.durations.append((name, time.monotonic() - self._step_start))

    def say(self, text: str) -> None:
        elapsed = time.monotonic() - self._step_start
        self.line(f"[{self._step} {elapsed:.0f} s] {text}")

    def line(self, text: str) -> None:
        with self._lock:
            self._last = time.monotonic()
            try:
                sys.stdout.write(text + "\n")
                sys.stdout.flush()
            except BrokenPipeError:
                # Nobody reads it any more, as in `make local | head`: as if it was ended.
                sys.stdout = open(os.devnull, "w")  # noqa: SIM115 (for the rest of the process's life)
                os.kill(os.getpid(), signal.SIGTERM)

    def tick(self) -> None:
        """To be called often; prints seldom."""
        if time.monotonic() - self._last >= HEARTBEAT_SECONDS:
            self.say(f"still: {self.waiting_for}")

    def total(self) -> float:
        return time.monotonic() - self._start

    def summary(self) -> str:
        parts = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.durations)
        return f"ready after {self.total():.0f} s: {parts}"
