"""Waiting for something to become true, with a generous bound: tests say what must happen, never how fast."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0


def eventually(what: str, check: Callable[[], T | None], patience: float = PATIENCE, pause: float = 0.02) -> T:
    """Calls `check` until it returns something true; fails with `what` and the last error when patience ends. `pause`
    seconds lie between the calls, more where a call takes time from what is waited for."""
    end = time.monotonic() + patience
    while True:
        reason = "not yet"
        try:
            if result := check():
                return result
        except (OSError, AssertionError, ValueError) as error:
            reason = f"{type(error).__name__}: {error}"
        if time.monotonic() > end:
            raise AssertionError(f"{what}: did not happen within {patience:g} s ({reason})")
        time.sleep(pause)
