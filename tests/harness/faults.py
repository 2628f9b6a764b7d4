"""Services of the control plane that fail for a while: local/control_plane/faults.py says how."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from harness import http
from harness.waiting import eventually


class Fault:
    def __init__(self, control_plane: str, service: str) -> None:
        self._control_plane = control_plane
        self._path = f"/_control_plane/faults/{service}"

    def put(self, **fault: object) -> None:
        body = json.dumps(fault).encode()
        answer = http.request(self._control_plane, "PUT", self._path, {"Content-Type": "application/json"}, body)
        assert answer.status == 200, answer.body

    def lift(self) -> None:
        assert http.request(self._control_plane, "DELETE", self._path).status == 200

    def wait_until_met(self, requests: int = 1) -> None:
        """Until so many requests have met it."""
        eventually(f"{requests} requests at {self._path}", lambda: self._met() >= requests)

    def _met(self) -> int:
        met: int = http.request(self._control_plane, "GET", self._path).json()["met"]
        return met


@contextmanager
def fault(control_plane: str, service: str, kind: str, **more: object) -> Iterator[Fault]:
    """`service`, by the name that requests to it are signed for, fails in here."""
    fault = Fault(control_plane, service)
    fault.put(kind=kind, **more)
    try:
        yield fault
    finally:
        fault.lift()
