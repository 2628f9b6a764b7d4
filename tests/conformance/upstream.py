"""What is behind the gateway: an HTTP endpoint that answers as a case says, and a recorder of what arrived where."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from harness.server import Handler, Server


@dataclass(frozen=True)
class Forwarded:
    """A request as the endpoint got it."""

    method: str
    path: str
    """Without the case's own first segment; with the query string."""
    headers: list[tuple[str, str]]
    body: bytes


class Upstream:
    """One server for all cases: the first segment of a path is a case's id."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}
        """By case: status, headers (a mapping or a list of pairs), body | json | body_base64, delay in seconds."""
        self._lock = threading.Lock()
        self._forwarded: list[Forwarded] = []
        self._events: list[tuple[str, Any]] = []
        self._server = Server(self._handler())
        self._server.start()
        self.address = self._server.address

    def close(self) -> None:
        self._server.close()

    def forget(self) -> None:
        """Empties the records: a case starts."""
        with self._lock:
            self._forwarded.clear()
            self._events.clear()

    @property
    def forwarded(self) -> list[Forwarded]:
        with self._lock:
            return list(self._forwarded)

    def events(self, function: str) -> list[Any]:
        """The events that a function got since the case started."""
        with self._lock:
            return [event for name, event in self._events if name == function]

    def invocations(self) -> Counter[str]:
        with self._lock:
            return Counter(name for name, _ in self._events)

    def _handler(self) -> type[Handler]:
        upstream = self

        class UpstreamHandler(Handler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                first, slash, rest = self.path.removeprefix("/").partition("/")
                if first == "_events":
                    with upstream._lock:
                        upstream._events.append((rest, json.loads(body)))
                    return self._answer({})
                with upstream._lock:
                    upstream._forwarded.append(Forwarded(self.command, slash + rest, list(self.headers.items()), body))
                self._answer(upstream.answers.get(first, {"status": 404}))

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any

            def _answer(self, answer: dict[str, Any]) -> None:
                time.sleep(answer.get("delay", 0))
                body, headers = content(answer), pairs(answer.get("headers", {}))
                self.send_response(answer.get("status", 200))
                for name, value in headers:
                    self.send_header(name, value)
                if "content-type" not in {name.lower() for name, _ in headers}:
                    self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        return UpstreamHandler


def content(source: dict[str, Any]) -> bytes:
    """The body that a request, an answer or an expectation says, in one of the ways to say it."""
    if "json" in source:
        return json.dumps(source["json"]).encode()
    if "body_base64" in source:
        return base64.b64decode(source["body_base64"])
    if "body_size" in source:
        return b"a" * int(source["body_size"])
    return str(source.get("body", "")).encode()


def pairs(headers: Any) -> list[tuple[str, str]]:
    """Headers of a case: a mapping, or a list of pairs where a name comes twice."""
    return [(str(name), str(value)) for name, value in (headers.items() if isinstance(headers, dict) else headers)]
