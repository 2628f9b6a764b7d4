"""A stand-in for the Lambda Runtime API, for one instance of one function.

The function's process asks for its next event, gets it, and posts its answer, as in
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; tests call [`RuntimeApi.invoke`].
"""

import json
import queue
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from harness.server import Handler, Server
from harness.waiting import PATIENCE

_PREFIX = "/2018-06-01/runtime"
FUNCTION_ARN = "arn:aws:lambda:eu-west-1:123456789012:function:string-replace"
TRACE_ID = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
MAX_PAYLOAD = 6 * 1024 * 1024
"""Bytes of an event and of an answer, as AWS allows for synchronous invocations."""


class FunctionError(Exception):
    """The function reported an error, or gave no answer."""


class TooLarge(Exception):
    """The event is over Lambda's limit; the function does not get to see it."""


@dataclass
class _Invocation:
    event: bytes
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answered: threading.Event = field(default_factory=threading.Event)
    answer: bytes = b""
    failed: bool = False


class RuntimeApi:
    """Listens on 127.0.0.1 until closed. `address` goes into the function's `AWS_LAMBDA_RUNTIME_API`."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[_Invocation | None] = queue.SimpleQueue()
        self._running: dict[str, _Invocation] = {}
        self.asked_for_work = threading.Event()
        """Set once the function has initialised itself."""
        self.init_error: str | None = None
        self._server = Server(_handler(self))
        self._server.start()
        self.address = self._server.address

    def close(self) -> None:
        self._waiting.put(None)
        self._server.close()

    def invoke(self, event: dict[str, Any], patience: float = PATIENCE) -> tuple[str, Any]:
        """Hands `event` to the function; returns the request id and the function's answer."""
        payload = json.dumps(event, ensure_ascii=False).encode()
        if len(payload) > MAX_PAYLOAD:
            raise TooLarge
        invocation = _Invocation(payload)
        self._waiting.put(invocation)
        if not invocation.answered.wait(patience):
            raise FunctionError(f"no answer within {patience:g} s")
        if invocation.failed:
            raise FunctionError(invocation.answer.decode("utf-8", "replace"))
        if len(invocation.answer) > MAX_PAYLOAD:
            raise FunctionError("Function.ResponseSizeTooLarge")
        return invocation.id, json.loads(invocation.answer)

    def next(self) -> _Invocation | None:
        self.asked_for_work.set()
        invocation = self._waiting.get()
        if invocation is not None:
            self._running[invocation.id] = invocation
        return invocation

    def finish(self, request_id: str, answer: bytes, failed: bool) -> bool:
        invocation = self._running.pop(request_id, None)
        if invocation is None:
            return False
        invocation.answer, invocation.failed = answer, failed
        invocation.answered.set()
        return True


def _handler(api: RuntimeApi) -> type[Handler]:
    class RuntimeApiHandler(Handler):
        def do_GET(self) -> None:
            if self.path != f"{_PREFIX}/invocation/next":
                return self._answer(404)
            invocation = api.next()
            if invocation is None:
                return self._answer(410)
            self._answer(
                200,
                invocation.event,
                {
                    "Content-Type": "application/json",
                    "Lambda-Runtime-Aws-Request-Id": invocation.id,
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + 30) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                    "Lambda-Runtime-Trace-Id": TRACE_ID,
                },
            )

        def do_POST(self) -> None:
            body = self._body()
            match self.path.removeprefix(_PREFIX).strip("/").split("/"):
                case ["invocation", request_id, ("response" | "error") as kind]:
                    self._answer(202 if api.finish(request_id, body, failed=kind == "error") else 400)
                case ["init", "error"]:
                    api.init_error = body.decode("utf-8", "replace")
                    self._answer(202)
                case _:
                    self._answer(404)

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            pieces = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                pieces.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass  # trailers
            return b"".join(pieces)

        def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return RuntimeApiHandler
