"""Sends a case's requests as they are written, and compares what comes back."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from dataclasses import dataclass
from typing import Any

from conformance.case import Absent, Matches
from conformance.upstream import Forwarded, Upstream, content, pairs
from harness.http import connect

PATIENCE = 40
"""Seconds for an answer: more than the longest integration timeout of 29 s."""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes


def send(gateway: str, prefix: str, request: dict[str, Any]) -> Answer:
    """`prefix`: where the stage is on the gateway; a request with a Host of its own starts at the root."""
    connection = connect(gateway, PATIENCE)
    try:
        method, headers = request.get("method", "GET"), pairs(request.get("headers", {}))
        has_body = any(name in request for name in ("json", "body", "body_base64", "body_size"))
        path = request.get("path", "/")
        connection.putrequest(
            method, path if "host" in request else prefix + path, skip_host="host" in request, skip_accept_encoding=True
        )
        if "host" in request:
            headers = [("Host", request["host"]), *headers]
        if "json" in request and "content-type" not in {name.lower() for name, _ in headers}:
            headers.append(("Content-Type", "application/json"))
        for name, value in headers:
            connection.putheader(name, value.encode("utf-8"))
        body = content(request)
        if has_body or method in ("POST", "PUT", "PATCH"):
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        # Beside the reading: who answers while it reads stops reading when nobody takes its answer.
        sender = threading.Thread(target=_send_body, args=(connection, body), daemon=True)
        sender.start()
        answer = connection.getresponse()
        received = Answer(answer.status, answer.getheaders(), answer.read())
        sender.join(PATIENCE)
        return received
    finally:
        connection.close()


def _send_body(connection: http.client.HTTPConnection, body: bytes) -> None:
    # Refused before all of it was read? The answer is what counts.
    with contextlib.suppress(OSError):
        connection.send(body)


def check_answer(expected: dict[str, Any], answer: Answer) -> list[str]:
    """What is wrong with the answer, one line each."""
    wrong = []
    if answer.status != expected["status"]:
        wrong.append(f"status {answer.status}, not {expected['status']}")
    wrong += check_headers(expected.get("headers", {}), answer.headers, "header")
    wrong += check_body(expected, answer.body, "body")
    if wrong:
        headers = "".join(f"\n  {name}: {value}" for name, value in answer.headers)
        wrong.append(f"the answer was {answer.status}{headers}\n  {answer.body[:1500].decode('utf-8', 'replace')}")
    return wrong


def check_headers(expected: dict[str, Any], headers: list[tuple[str, str]], where: str) -> list[str]:
    """A list stands for a header that comes several times."""
    wrong = []
    for name, value in expected.items():
        found = [text for other, text in headers if other.lower() == name.lower()]
        actual: Any = found if isinstance(value, list) else found[0] if len(found) == 1 else found or Absent()
        wrong += differences(value, actual, f"{where} {name}")
    return wrong


def check_body(expected: dict[str, Any], body: bytes, where: str) -> list[str]:
    if "json" in expected or "json_contains" in expected:
        try:
            parsed = json.loads(body)
        except ValueError:
            return [f"{where} is no JSON: {body[:500]!r}"]
        if "json" in expected:
            return differences(expected["json"], parsed, where, exact=True)
        return differences(expected["json_contains"], parsed, where)
    if "body" in expected:
        return differences(expected["body"], body.decode("utf-8", "replace"), where)
    if "body_base64" in expected and content(expected) != body:
        return [f"{where} is {body[:200]!r}, not {content(expected)[:200]!r}"]
    return []


def differences(expected: Any, actual: Any, where: str, exact: bool = False) -> list[str]:
    """Where `actual` is not as expected. Unless `exact`, objects may have more members than expected."""
    match expected:
        case Absent():
            return [] if isinstance(actual, Absent) else [f"{where} is {actual!r}, but there should be none"]
        case Matches():
            text = actual if isinstance(actual, str) else json.dumps(actual, default=repr)
            return [] if re.fullmatch(expected.pattern, text) else [f"{where} is {actual!r}, not {expected!r}"]
        case dict() if isinstance(actual, dict):
            more = sorted(set(actual) - set(expected)) if exact else []
            return [f"{where}.{name} is {actual[name]!r}, but there should be none" for name in more] + [
                line
                for name, value in expected.items()
                for line in differences(value, actual.get(name, Absent()), f"{where}.{name}", exact)
            ]
        case list() if isinstance(actual, list) and len(actual) == len(expected):
            return [
                line
                for index, (value, item) in enumerate(zip(expected, actual, strict=True))
                for line in differences(value, item, f"{where}[{index}]", exact)
            ]
    same = expected == actual and isinstance(expected, bool) == isinstance(actual, bool)
    return [] if same else [f"{where} is {actual!r}, not {expected!r}"]


def check_functions(request: dict[str, Any], upstream: Upstream, functions: dict[str, str]) -> list[str]:
    """`functions`: a case's name for a function → its name in the account."""
    wrong = []
    for name, expected in request.get("events", {}).items():
        events = upstream.events(functions[name])
        found = events[-1] if events else Absent()
        wrong += differences(expected, found, f"the event of function {name}")
    counts = upstream.invocations()
    for name, times in request.get("invocations", {}).items():
        if counts[functions[name]] != times:
            wrong.append(f"function {name} was invoked {counts[functions[name]]} times, not {times}")
    return wrong


def check_forwarded(expected: dict[str, Any], forwarded: list[Forwarded]) -> list[str]:
    """What the HTTP endpoint got, the last request of this case."""
    if "times" in expected and len(forwarded) != expected["times"]:
        return [f"the endpoint got {len(forwarded)} requests, not {expected['times']}"]
    if set(expected) == {"times"}:
        return []
    if not forwarded:
        return ["the endpoint got no request"]
    last = forwarded[-1]
    wrong = []
    for name in ("method", "path"):
        if name in expected:
            wrong += differences(expected[name], getattr(last, name), f"the endpoint's {name}")
    wrong += check_headers(expected.get("headers", {}), last.headers, "the endpoint's header")
    wrong += check_body(expected, last.body, "the endpoint's body")
    if wrong:
        wrong.append(f"the endpoint got {last}")
    return wrong
