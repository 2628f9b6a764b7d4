"""`endpoints.json`: where everything is, for whoever wants to call it.

The data plane writes this run's into the run's folder. It is copied to where it is looked for; with several runs beside
each other, that is the one that was ready last. At its end a run takes away only its own.
"""

from __future__ import annotations

import os
from pathlib import Path


class Endpoints:
    def __init__(self, own: Path, published: Path) -> None:
        self.own = own
        self.published = published
        self._written = b""
        self._draft = published.with_name(f".{published.name}.{os.getpid()}")

    def is_ready(self) -> bool:
        return self.own.is_file()

    def publish(self) -> None:
        self._write(self.own.read_bytes())

    def _write(self, content: bytes) -> None:
        """The whole file at once: nobody reads half of it."""
        self._written = content
        self.published.parent.mkdir(parents=True, exist_ok=True)
        self._draft.write_bytes(self._written)
        self._draft.replace(self.published)

    def follow(self) -> None:
        """What the data plane changes later, such as the port of a new load balancer, unless another run took over."""
        try:
            content = self.own.read_bytes()
        except FileNotFoundError:
            return  # the data plane ends
        if content != self._written and self._is_ours():
            self._write(content)

    def withdraw(self) -> None:
        self._draft.unlink(missing_ok=True)
        if self._written and self._is_ours():
            self.published.unlink()

    def _is_ours(self) -> bool:
        try:
            return self.published.read_bytes() == self._written
        except FileNotFoundError:
            return False
