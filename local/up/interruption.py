"""Ctrl-C and SIGTERM as an exception, at any point but those that must not be cut in two."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """Not an Exception: nothing but the end of the program may catch it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Interruption:
    """Raises `Interrupted` once. What comes later only says that the user has no patience left."""

    def __init__(self) -> None:
        self._held = 0
        self._pending: int | None = None
        self._raised = False
        self.impatient = False
        for number in SIGNALS:
            signal.signal(number, self._arrived)

    def disarm(self) -> None:
        """From here on nothing is raised: it ends anyway."""
        self._raised = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Not in here, but right after: starting a process and writing down that it runs belong together."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            if self._held == 0 and self._pending is not None and not self._raised:
                self._raised = True
                raise Interrupted(self._pending)

    def _arrived(self, number: int, _: FrameType | None) -> None:
        if self._raised:
            self.impatient = True
        elif self._held:
            self._pending = number
        else:
            self._raised = True
            raise Interrupted(number)
