"""`query`: one request to the API, its answer on standard output."""

import argparse
import re
from collections.abc import Mapping

from switchyard.endpoint import TIMEOUT_SECONDS, Endpoint

NAME = "query"
HELP = "Send one request to the API and print the answer."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    # One dash, as in the system that this client mirrors.
    parser.add_argument("-x", metavar="METHOD", default="POST", type=_method, help="the method (default: POST)")
    parser.add_argument(
        "-path",
        required=True,
        help="the path below API_ENDPOINT, e.g. string/replace, or test/string/replace with a stage",
    )
    parser.add_argument("-body", help='the body, e.g. \'{"content": "ABN and ing"}\' (default: none)')
    parser.add_argument(
        "-content-type",
        metavar="TYPE",
        default="application/json",
        help="the body's type; text/plain sends and returns bare text (default: application/json)",
    )
    parser.add_argument(
        "-timeout",
        metavar="SECONDS",
        default=TIMEOUT_SECONDS,
        type=_seconds,
        help="how long to wait for the connection, and then for each next part of the answer (default: 30)",
    )


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    endpoint = Endpoint.from_environment(environment)
    body = None if arguments.body is None else arguments.body.encode("utf-8", "surrogateescape")
    answer = endpoint.send(
        arguments.x,
        arguments.path,
        body=body,
        content_type=None if body is None else arguments.content_type,
        timeout=arguments.timeout,
    )
    return answer.show()


def _method(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z]+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a method: use GET, POST, ...")
    return text.upper()


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from above 0 to 86400")
    return seconds
