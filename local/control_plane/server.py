"""The HTTP side: one WSGI application for every service, on one port of the loopback interface."""

from __future__ import annotations

import errno
import io
import re
import socket
import sys
import threading
import traceback
from collections.abc import Callable, Iterable
from functools import partial
from http.client import HTTPConnection
from typing import Any

from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.exceptions import ClientDisconnected
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from . import pages, registry
from .changes import CHANGES, is_change, operation_of
from .data_plane import DATA_PLANE
from .faults import FAULTS
from .turns import TURN

HOST = "127.0.0.1"

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

SIGNED_FOR = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")


class PortInUse(Exception):
    """Somebody else listens on the port that was asked for."""


class ControlPlane(DomainDispatcherApplication):
    """Sends a request to moto, to a service that this package adds, or to this control plane's own pages.

    A request carries the service's name in its signature (the signature itself is never checked).
    """

    def __init__(self) -> None:
        super().__init__(create_backend_app)
        self._backends: dict[str | None, Any] = {}

    def get_backend_for_host(self, host: str | None) -> Any:
        """moto lists its own folders for it, and tries hundreds of patterns. There are as many hosts as services."""
        if host not in self._backends:
            self._backends[host] = super().get_backend_for_host(host)
        return self._backends[host]

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(pages.PREFIX):
            return pages.answer(Request(environ))(environ, start_response)
        try:
            body = read_body(environ)
        except ClientDisconnected as error:
            return error(environ, start_response)
        signature = SIGNED_FOR.search(environ.get("HTTP_AUTHORIZATION", ""))
        service = signature["service"].lower() if signature else ""
        method, target = environ["REQUEST_METHOD"], environ.get("HTTP_X_AMZ_TARGET")
        form = body if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded") else b""
        operation = operation_of(target, form)
        fault = FAULTS.meet(service, method, path, operation)
        if fault is None:
            return self._carry_out(service, operation, environ, start_response)
        if fault.kind == "late":
            FAULTS.wait_until_lifted(service, fault)
            return self._carry_out(service, operation, environ, start_response)
        if fault.kind == "lost":
            Response.from_app(partial(self._carry_out, service, operation), environ, buffered=True)
        else:
            # A client that still sends would take a closed connection for another kind of failure.
            Request(environ).get_data()
        is_query = operation is not None and target is None
        protocol = "rest-xml" if service == "s3" else "query" if is_query else "json"
        return fault.answer(protocol)(environ, start_response)

    def _carry_out(
        self, service: str, operation: str | None, environ: Environ, start_response: StartResponse
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if DATA_PLANE.takes(service, method, path):
            return DATA_PLANE.pass_on(Request(environ))(environ, start_response)
        if is_change(service, method, path, operation):
            start_response = recording(start_response)
        try:
            with TURN:
                if added := registry.ADDED.get(service):
                    status, headers, body = added.dispatch(BackendRequest(environ))
                    return Response(body, status=status, headers=headers)(environ, start_response)
                return super().__call__(environ, start_response)  # type: ignore[no-any-return]
        except Exception as error:
            return failure(service or path, error)(environ, start_response)


def read_body(environ: Environ) -> bytes:
    """The request's body, left to be read again: a client that is slow to send it must not hold up the others' turns.
    What comes in chunks, without a length, is left as it is."""
    if not environ.get("CONTENT_LENGTH"):
        return b""
    body = Request(environ).get_data(cache=False)
    environ["wsgi.input"] = io.BytesIO(body)
    return body


def recording(start_response: StartResponse) -> StartResponse:
    """Says that something changed, when the answer says that the call succeeded: it is done by then."""

    def start(status: str, *more: Any, **named: Any) -> Any:
        if status.startswith("2"):
            CHANGES.record()
        return start_response(status, *more, **named)

    return start


def failure(service: str, error: Exception) -> Response:
    """501, which no AWS SDK retries: the caller learns at once what is wrong, and the log where. (A 500 is tried again
    for minutes, with nothing to see.)"""
    if isinstance(error, NotImplementedError):
        message = f"The local control plane lacks this operation of {service}: {error}"
    else:
        message = f"The local control plane failed in {service}: {type(error).__name__}: {error}"
        traceback.print_exception(error)
    print(message, file=sys.stderr, flush=True)
    return registry.json_response({"__type": "ControlPlaneFailure", "message": message}, status=501)


class QuietRequestHandler(MotoRequestHandler):
    """Leaves out the line per request; errors are still written."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


class Server:
    """Listens from the moment it is made; answers once `start` has returned."""

    def __init__(self, port: int, *, log_requests: bool = False) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        # Lets a port be taken again right after its last owner ended; a port that is listened on stays refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            if error.errno == errno.EADDRINUSE:
                raise PortInUse(
                    f"port {port} on {HOST} is in use: give another --port, or 0 for any free one"
                ) from error
            raise
        self.port: int = listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}"
        self._server: BaseWSGIServer = make_server(
            HOST,
            self.port,
            ControlPlane(),
            threaded=True,
            request_handler=MotoRequestHandler if log_requests else QuietRequestHandler,
            fd=listener.fileno(),
        )
        # werkzeug has its own duplicate of the descriptor.
        listener.close()
        self._thread = threading.Thread(target=self._server.serve_forever, name="control-plane", daemon=True)

    def start(self) -> None:
        """Serve, and return when a request has been answered."""
        self._thread.start()
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            connection.request("GET", "/_control_plane/health")
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                raise RuntimeError(f"{self.url} answered its health check with {response.status}")
        finally:
            connection.close()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
