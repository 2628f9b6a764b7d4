"""`GET changes?after=N`: wait until something changed that whoever serves what was deployed has to read again.

AWS's own data planes learn of a change by ways that are not public. Here, every successful call that changes what is
served adds one to a sequence, and a reader waits for a number other than the one it has seen.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import parse_qs

from werkzeug.wrappers import Request

from . import registry
from .registry import PageError

LONGEST_WAIT_SECONDS = 20

REST_SERVICES = {"apigateway", "lambda"}
"""Whose method says whether a call changes something."""

RPC_SERVICES = {"codedeploy", "ecs", "elasticloadbalancing", "wafv2"}
"""Whose operation's name says it."""

READ_ONLY = re.compile(r"(?:BatchGet|Check|Describe|Discover|Get|List|Poll|Search)[A-Z]\w*")

QUEUE_CHANGES = {"CreateQueue", "DeleteQueue", "SetQueueAttributes"}
"""Of SQS, these; the others are about messages."""

RUNS_SOMETHING = re.compile(
    r"/[\d-]+/functions/.+/(?:invocations|invoke-async|response-streaming-invocations)/?"
    r"|/restapis/[^/]+/(?:resources/[^/]+/methods/[^/]+|authorizers/[^/]+)"
)
"""POST to one of these (Invoke; TestInvokeMethod and TestInvokeAuthorizer) calls what is there, and changes nothing."""


class Changes:
    def __init__(self) -> None:
        self._sequence = 0
        self._changed = threading.Condition()

    def record(self) -> None:
        with self._changed:
            self._sequence += 1
            self._changed.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """The sequence, as soon as it is not `seen`, or after `seconds`."""
        with self._changed:
            self._changed.wait_for(lambda: self._sequence != seen, seconds)
            return self._sequence


CHANGES = Changes()


def is_change(service: str, method: str, path: str, operation: str | None) -> bool:
    """Does such a request, if it succeeds, change what is served?"""
    if service in REST_SERVICES:
        return method not in ("GET", "HEAD") and not (method == "POST" and RUNS_SOMETHING.fullmatch(path))
    if operation is None:
        return False
    if service == "sqs":
        return operation in QUEUE_CHANGES
    return service in RPC_SERVICES and not READ_ONLY.fullmatch(operation)


def operation_of(target: str | None, form: bytes) -> str | None:
    """The operation that a JSON request names in X-Amz-Target, and a query request in its form."""
    if target:
        return target.rpartition(".")[2]
    return parse_qs(form.decode("utf-8", "replace")).get("Action", [None])[0] if form else None


def page(request: Request) -> Any:
    after = request.args.get("after", "-1")
    if not re.fullmatch(r"-1|\d+", after):
        raise PageError(400, f"after={after} is not a sequence number: give the `sequence` of the answer before")
    return {"sequence": CHANGES.wait(int(after), LONGEST_WAIT_SECONDS)}


def install() -> None:
    registry.add_page("GET", "changes", page, waits=True)
