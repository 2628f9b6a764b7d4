"""A stand-in for a REST API in front of one Lambda function: HTTP requests become proxy events, answers come back.

It is a thin one: routing, keys, validation and gateway responses are API Gateway's own business, not played here.
"""

import base64
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from harness.function import Function
from harness.runtime_api import FunctionError, TooLarge
from harness.server import Handler, Server

STAGE = "test"
_RESOURCES = ("/string/replace",)


@dataclass(frozen=True)
class Mount:
    """Where the API is mounted: what precedes the resource's path in the two places where an event has a path."""

    name: str
    path_prefix: str
    context_prefix: str


MOUNTS = (
    # The API's own host name: the stage is in the request context alone.
    Mount("stage", "", f"/{STAGE}"),
    # A custom domain with a base path: it is in both.
    Mount("base-path", "/strings", "/strings"),
    # A custom domain without a base path: nothing anywhere.
    Mount("bare-domain", "", ""),
    # As some proxies and older test events have it: the stage in the path as well.
    Mount("stage-in-path", f"/{STAGE}", f"/{STAGE}"),
)


def event(
    method: str, target: str, headers: list[tuple[str, str]], body: bytes, mount: Mount, binary: bool = False
) -> dict[str, Any]:
    """A REST (v1) proxy event, with every member that AWS sends. `binary`: as for a binary media type."""
    url = urlsplit(target)
    resource = url.path if url.path in _RESOURCES else "/{proxy+}" if url.path != "/" else "/"
    query = parse_qsl(url.query, keep_blank_values=True)
    # What is no binary media type is read as UTF-8 by API Gateway, whatever it is.
    text = base64.b64encode(body).decode() if binary else body.decode("utf-8", "replace")
    return {
        "resource": resource,
        "path": mount.path_prefix + url.path,
        "httpMethod": method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _grouped(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _grouped(query),
        "pathParameters": {"proxy": url.path.lstrip("/")} if resource == "/{proxy+}" else None,
        "stageVariables": {"alias": STAGE},
        "requestContext": {
            "resourceId": "a1b2c3",
            "resourcePath": resource,
            "httpMethod": method,
            "extendedRequestId": "AbCdEfGhIjKlMnO=",
            "requestTime": "02/Jan/2026:03:04:05 +0000",
            "requestTimeEpoch": 1767323045000,
            "path": mount.context_prefix + url.path,
            "accountId": "123456789012",
            "protocol": "HTTP/1.1",
            "stage": STAGE,
            "domainPrefix": "abcdef1234",
            "domainName": "abcdef1234.execute-api.eu-west-1.amazonaws.com",
            "deploymentId": "d1e2f3",
            "requestId": str(uuid.uuid4()),
            "apiId": "abcdef1234",
            "identity": {
                "cognitoIdentityPoolId": None,
                "accountId": None,
                "cognitoIdentityId": None,
                "caller": None,
                "sourceIp": "192.0.2.1",
                "principalOrgId": None,
                "accessKey": None,
                "cognitoAuthenticationType": None,
                "cognitoAuthenticationProvider": None,
                "userArn": None,
                "userAgent": "tests",
                "user": None,
            },
        },
        "body": text or None,
        "isBase64Encoded": binary,
    }


class RestApi:
    """Serves `function` by HTTP at `url`."""

    def __init__(self, function: Function, mount: Mount) -> None:
        self._server = Server(_handler(function, mount))
        self._server.start()
        self.url = self._server.url

    def close(self) -> None:
        self._server.close()


def _handler(function: Function, mount: Mount) -> type[Handler]:
    class RestApiHandler(Handler):
        def handle_request(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                _, answer = function.invoke(event(self.command, self.path, self.headers.items(), body, mount))
                status, headers, content = _answer(answer)
            except TooLarge:
                status, headers, content = 413, [], b'{"message":"Request Too Long"}'
            except (FunctionError, MalformedAnswer) as error:
                print(f"the function failed: {error}")  # shown by pytest beside the failing test
                status, headers, content = 502, [], b'{"message": "Internal server error"}'
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in ("content-length", "transfer-encoding", "connection"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = handle_request

    return RestApiHandler


class MalformedAnswer(Exception):
    """API Gateway would say 502."""


def _answer(answer: Any) -> tuple[int, list[tuple[str, str]], bytes]:
    """Reads a function's answer as strictly as API Gateway does."""
    if not isinstance(answer, dict) or not isinstance(answer.get("statusCode"), int):
        raise MalformedAnswer(f"no statusCode in {answer!r}")
    if extra := answer.keys() - {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}:
        raise MalformedAnswer(f"unknown members {sorted(extra)}")
    body = answer.get("body") or ""
    if not isinstance(body, str):
        raise MalformedAnswer(f"the body is a {type(body).__name__}, not a string")
    many = answer.get("multiValueHeaders") or {}
    headers = [(name, value) for name, values in many.items() for value in values]
    taken = {name.lower() for name in many}
    headers += [(name, value) for name, value in (answer.get("headers") or {}).items() if name.lower() not in taken]
    content = base64.b64decode(body, validate=True) if answer.get("isBase64Encoded") else body.encode()
    return answer["statusCode"], headers, content


def _grouped(pairs: list[tuple[str, str]]) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped or None
