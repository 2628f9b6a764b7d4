"""Services that fail for a while, so that what is built on them can be seen to stand it: `PUT faults/{service}`.

On AWS that is what the Fault Injection Service is for. Here a fault is one service's, by the name that requests to it
are signed for, until it is lifted:

    PUT faults/s3 {"kind": "refused", "requests": "PUT .*", "status": 503, "code": "SlowDown"}
    GET faults/s3       {"kind": "refused", "met": 7}: how many requests it has met
    DELETE faults/s3

| kind | the request is | the caller |
|---|---|---|
| refused | not carried out | gets the error |
| lost | carried out | gets the error, as when an answer is lost |
| late | carried out when the fault is lifted | gets the answer then, or has gone |

`requests` is a regular expression for which ones, the whole of "METHOD /path" or of the operation's name. Left out are
all of them, 503 and ServiceUnavailable. What services of this process do among each other is not hindered: S3 goes on
telling SQS of its objects, which is what it does on AWS in the end, and nobody can see when, because nobody can read
the queue.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import Any

from werkzeug.wrappers import Request, Response

from . import registry
from .registry import PageError

KINDS = ("refused", "lost", "late")
MEMBERS = {"kind", "requests", "status", "code"}
ERRORS = range(400, 600)

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html
DEFAULT_STATUS, DEFAULT_CODE = 503, "ServiceUnavailable"


@dataclass
class Fault:
    kind: str
    requests: re.Pattern[str]
    status: int
    code: str
    met: int = 0

    @staticmethod
    def of(given: Any) -> Fault:
        """Checks what somebody asks for."""
        if not isinstance(given, dict) or given.keys() - MEMBERS:
            raise PageError(400, f"A fault is an object of {', '.join(sorted(MEMBERS))}")
        kind, status, code = given.get("kind"), given.get("status", DEFAULT_STATUS), given.get("code", DEFAULT_CODE)
        if kind not in KINDS:
            raise PageError(400, f"kind={kind!r} is none: give {', '.join(KINDS)}")
        if type(status) is not int or status not in ERRORS:
            raise PageError(400, f"status={status!r} is no error: give a number from {ERRORS[0]} to {ERRORS[-1]}")
        if not isinstance(code, str) or not re.fullmatch(r"\w+", code):
            raise PageError(400, f"code={code!r} is none: give an error code of AWS, such as {DEFAULT_CODE}")
        try:
            requests = re.compile(given.get("requests", ".*"))
        except (re.error, TypeError) as error:
            raise PageError(400, f"requests={given['requests']!r} is no regular expression: {error}") from error
        return Fault(kind, requests, status, code)

    def answer(self, protocol: str) -> Response:
        """The error as services of that protocol word it: rest-xml, query, or one in JSON."""
        message = f"A fault that was asked for: {self.kind}"
        if protocol in ("rest-xml", "query"):
            text = f"<Error><Code>{self.code}</Code><Message>{message}</Message></Error>"
            text = f"<ErrorResponse>{text}</ErrorResponse>" if protocol == "query" else text
            return Response(text, status=self.status, mimetype="application/xml")
        response = registry.json_response({"__type": self.code, "message": message}, self.status)
        response.headers["x-amzn-ErrorType"] = self.code
        return response


class Faults:
    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._changed = threading.Condition()

    def put(self, service: str, fault: Fault) -> None:
        with self._changed:
            self._faults[service] = fault
            self._changed.notify_all()

    def lift(self, service: str) -> None:
        with self._changed:
            self._faults.pop(service, None)
            self._changed.notify_all()

    def find(self, service: str) -> Fault | None:
        return self._faults.get(service)

    def meet(self, service: str, method: str, path: str, operation: str | None) -> Fault | None:
        """The fault that such a request meets."""
        with self._changed:
            fault = self._faults.get(service)
            names = (f"{method} {path}", operation or "")
            if fault is None or not any(fault.requests.fullmatch(name) for name in names):
                return None
            fault.met += 1
            return fault

    def wait_until_lifted(self, service: str, fault: Fault) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._faults.get(service) is not fault)


FAULTS = Faults()


def put(request: Request, service: str) -> Any:
    FAULTS.put(service, Fault.of(request.get_json()))
    return {"service": service}


def show(_: Request, service: str) -> Any:
    fault = FAULTS.find(service)
    if fault is None:
        raise PageError(404, f"{service} has no fault")
    return {"kind": fault.kind, "met": fault.met}


def lift(_: Request, service: str) -> Any:
    FAULTS.lift(service)
    return {"service": service}


def install() -> None:
    registry.add_page("PUT", r"faults/(?P<service>[a-z0-9-]+)", put)
    registry.add_page("GET", r"faults/(?P<service>[a-z0-9-]+)", show)
    registry.add_page("DELETE", r"faults/(?P<service>[a-z0-9-]+)", lift)
