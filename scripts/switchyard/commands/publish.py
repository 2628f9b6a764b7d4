"""`publish`: one body to the publish API, and how far it has come."""

import argparse
import json
import mimetypes
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from switchyard.endpoint import Answer, Endpoint
from switchyard.failure import NO_ANSWER, REFUSED, WRONG_USE, Failure

NAME = "publish"
HELP = "Publish a file of up to 10 MB; with --wait, see it processed."

UNKNOWN_TYPE = "application/octet-stream"
TRIES_EVERY_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 600.0
"""The queue's delay, a cold start and a burst before it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="what to publish; - is standard input")
    parser.add_argument("--content-type", metavar="TYPE", help=f"what it is (default: by its name, or {UNKNOWN_TYPE})")
    parser.add_argument(
        "--wait",
        action="store_true",
        help="wait until it is processed, and print the receipt; a failed attempt ends the wait; another may follow",
    )
    parser.epilog = (
        "variables:\n"
        "  API_ENDPOINT     the API's URL with its stage: `terraform output publish`\n"
        "  API_TOKEN        a token with the scope publish: `main.py token create`; empty or not set: none is sent\n"
        "  API_TOKEN_HEADER the header that brings it (default: AuthDetails)\n\n" + (parser.epilog or "")
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    endpoint = Endpoint.with_token(environment)
    content_type = arguments.content_type or mimetypes.guess_type(arguments.file)[0] or UNKNOWN_TYPE
    answer = endpoint.send("POST", "publish", body=_body(arguments.file), content_type=content_type)
    if not answer.ok or not arguments.wait:
        return answer.show()
    return _wait(endpoint, _read(answer, "id"))


def _body(file: str) -> bytes:
    if file == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}", WRONG_USE) from error


def _wait(endpoint: Endpoint, published: str) -> int:
    deadline = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        answer = endpoint.send("GET", f"publish/{published}", body=None, content_type=None)
        if not answer.ok:
            return answer.show()
        status = _read(answer, "status")
        if status in ("done", "failed"):
            answer.show()
            return 0 if status == "done" else REFUSED
        if time.monotonic() > deadline:
            raise Failure(f"{published} is still {status} after {LONGEST_WAIT_SECONDS:g} s", NO_ANSWER)
        time.sleep(TRIES_EVERY_SECONDS)


def _read(answer: Answer, member: str) -> str:
    try:
        value: str = json.loads(answer.body)[member]
    except (ValueError, KeyError, TypeError) as error:
        raise Failure(
            f"the answer has no {member}; is API_ENDPOINT the publish API's? {answer.body[:200]!r}", REFUSED
        ) from error
    return value
