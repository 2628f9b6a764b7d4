"""Calls take turns.

A call of AWS's API is atomic: what one reads, no other is changing. moto keeps its state in plain dictionaries and
takes no locks, so that of two calls at once one may find that a dictionary changed while it was looked through, or both
may pass a check that only one of them may pass (a conditional write, a name that is taken). One at a time costs nothing
here: Python runs one thread at a time anyway.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

TURN = threading.Lock()
"""Held by whoever reads or changes moto's state."""


@contextmanager
def others_first() -> Iterator[None]:
    """For a call that waits for something: the others have their turns meanwhile."""
    TURN.release()
    try:
        yield
    finally:
        TURN.acquire()
