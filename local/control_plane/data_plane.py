"""Who runs what was deployed: `PUT data_plane {"url": "http://127.0.0.1:P"}`.

From then on the calls of AWS's API that run something (Lambda's Invoke, API Gateway's TestInvokeMethod and
TestInvokeAuthorizer) are passed on to it, as they are; it answers them as AWS does.
"""

from __future__ import annotations

from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from . import registry
from .changes import RUNS_SOMETHING
from .registry import PageError

LONGEST_CALL_SECONDS = 910
"""Lambda's longest time-out is 900 s; the data plane keeps to it, this is for one that hangs."""

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}

SERVICES = {"apigateway", "lambda"}


class DataPlane:
    def __init__(self) -> None:
        self.url: str | None = None

    def takes(self, service: str, method: str, path: str) -> bool:
        """Is this a call that runs something?"""
        return service in SERVICES and method == "POST" and RUNS_SOMETHING.fullmatch(path) is not None

    def pass_on(self, request: Request) -> Response:
        if self.url is None:
            return unavailable("There is no data plane, so nothing runs: start the control plane by `make local`")
        address = urlsplit(self.url)
        connection = HTTPConnection(str(address.hostname), address.port, timeout=LONGEST_CALL_SECONDS)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP | {"host"}}
        try:
            # As it came: a function's ARN in the path stays percent-encoded.
            connection.request("POST", request.environ["REQUEST_URI"], body=request.get_data(), headers=headers)
            answer = connection.getresponse()
            kept = [(name, value) for name, value in answer.getheaders() if name.lower() not in HOP_BY_HOP]
            return Response(answer.read(), status=answer.status, headers=kept)
        except (OSError, HTTPException) as error:
            return unavailable(f"The data plane at {self.url} does not answer: {error}")
        finally:
            connection.close()


def unavailable(message: str) -> Response:
    # Not a status that an SDK tries again for minutes.
    response = registry.json_response({"__type": "NoDataPlane", "message": message}, 501)
    response.headers["x-amzn-ErrorType"] = "NoDataPlane"
    return response


DATA_PLANE = DataPlane()


def register(request: Request) -> Any:
    given = request.get_json()
    url = given.get("url") if isinstance(given, dict) else None
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme != "http" or not parts.hostname or parts.path.strip("/"):
        raise PageError(400, 'Give the data plane\'s address: {"url": "http://127.0.0.1:PORT"}')
    DATA_PLANE.url = url
    return {"url": url}


def registered(_: Request) -> Any:
    return {"url": DATA_PLANE.url}


def install() -> None:
    registry.add_page("PUT", "data_plane", register)
    registry.add_page("GET", "data_plane", registered)
