"""An HTTP client that sends exactly what it is told: no header of its own but Content-Length, and Host unless given."""

import contextlib
import http.client
import json
import ssl
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from harness.waiting import PATIENCE


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def request(
    base_url: str,
    method: str,
    path: str,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    body: bytes | Iterable[bytes] | None = None,
    patience: float = PATIENCE,
    source: str | None = None,
) -> Response:
    """Sends one request on a connection of its own. A body that is given in pieces is sent chunked.

    `source`: the address to send from. All of 127.0.0.0/8 is this machine's, so that a client can be another one.
    """
    parts = urlsplit(base_url)
    given = list(headers.items() if isinstance(headers, Mapping) else headers)
    has_host = any(name.lower() == "host" for name, _ in given)
    connection = connect(base_url, patience, source)
    try:
        target = parts.path.rstrip("/") + path
        connection.putrequest(method, target, skip_host=has_host, skip_accept_encoding=True)
        for name, value in given:
            connection.putheader(name, value.encode("utf-8"))
        if not isinstance(body, bytes | None):
            connection.putheader("Transfer-Encoding", "chunked")
        elif body is not None or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body or b"")))
        connection.endheaders()
        # Sent beside the reading: a service that answers while it reads stops reading when nobody takes its answer.
        sender = threading.Thread(target=_send, args=(connection, body), daemon=True)
        sender.start()
        response = response_of(connection)
        sender.join(patience)
        return response
    finally:
        connection.close()


def _send(connection: http.client.HTTPConnection, body: bytes | Iterable[bytes] | None) -> None:
    # Answered, and closed, before the whole body was sent? The answer is what counts.
    with contextlib.suppress(OSError):
        if isinstance(body, bytes | None):
            connection.send(body or b"")
            return
        for piece in body:
            connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.send(b"0\r\n\r\n")


def connect(base_url: str, patience: float = PATIENCE, source: str | None = None) -> http.client.HTTPConnection:
    parts = urlsplit(base_url)
    source_address = (source, 0) if source else None
    assert parts.hostname, f"{base_url!r} is not a URL"
    if parts.scheme == "https":
        return http.client.HTTPSConnection(
            parts.hostname,
            parts.port,
            timeout=patience,
            source_address=source_address,
            context=ssl.create_default_context(),
        )
    return http.client.HTTPConnection(parts.hostname, parts.port, timeout=patience, source_address=source_address)


def response_of(connection: http.client.HTTPConnection) -> Response:
    answer = connection.getresponse()
    headers = {name.lower(): value for name, value in answer.getheaders()}
    return Response(answer.status, headers, answer.read())
