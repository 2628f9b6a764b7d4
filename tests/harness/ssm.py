"""An SSM that does as it is told: answers, refuses, fails, hangs or talks nonsense.

Speaks the AWS JSON 1.1 protocol for `GetParameter` at `url`, which goes into `AWS_ENDPOINT_URL`.
"""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from harness.server import Handler, Server

PARAMETER = "/switchyard/map"


@dataclass(frozen=True)
class Reply:
    """What the next requests are answered by; `None` as the status hangs until the reply is changed."""

    status: int | None
    body: bytes = b""


def value(text: str, version: int) -> Reply:
    """The parameter, holding `text`."""
    parameter = {
        "ARN": f"arn:aws:ssm:eu-west-1:123456789012:parameter{PARAMETER}",
        "DataType": "text",
        "LastModifiedDate": 1767323045.123,
        "Name": PARAMETER,
        "Type": "String",
        "Value": text,
        "Version": version,
    }
    return Reply(200, json.dumps({"Parameter": parameter}).encode())


def rules(document: Mapping[str, Any], version: int) -> Reply:
    """The parameter, holding a map."""
    return value(json.dumps(document), version)


def error(status: int, code: str, message: str = "no reason given") -> Reply:
    """An AWS error, such as 400 `ParameterNotFound` or 500 `InternalServerError`."""
    return Reply(status, json.dumps({"__type": code, "message": message}).encode())


HANG = Reply(None)
NONSENSE = Reply(200, b"<html>certainly not SSM</html>")


class Ssm:
    """Has a port on 127.0.0.1, and listens there from when `listen` is called or the context is entered.

    `reply` may be changed at any time; `names` lists the parameters that were asked for.
    """

    def __init__(self, reply: Reply) -> None:
        self.names: list[str] = []
        self._reply = reply
        self._changed = threading.Condition()
        self._server = Server(_handler(self._answer))
        self.url = self._server.url

    @property
    def environment(self) -> dict[str, str]:
        """What a service needs to read its map here, and to look again every second."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "STRINGS_MAPPING_PARAMETER_NAME": PARAMETER,
            "STRINGS_MAPPING_REFRESH_SECONDS": "1",
        }

    def listen(self) -> None:
        self._server.start()

    def __enter__(self) -> Self:
        self.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.reply = Reply(503)  # lets go of those that hang
        self.close()

    def close(self) -> None:
        """Connections are refused from now on."""
        self._server.close()

    @property
    def reply(self) -> Reply:
        return self._reply

    @reply.setter
    def reply(self, reply: Reply) -> None:
        with self._changed:
            self._reply = reply
            self._changed.notify_all()

    def _answer(self, target: str, body: bytes) -> Reply:
        if target != "AmazonSSM.GetParameter":
            return error(400, "UnknownOperationException", target)
        name = json.loads(body)["Name"]
        self.names.append(name)
        with self._changed:
            if self._reply.status is None:
                self._changed.wait_for(lambda: self._reply.status is not None)
                return Reply(503)
            return self._reply if name == PARAMETER else error(400, "ParameterNotFound", name)


def _handler(answer: Callable[[str, bytes], Reply]) -> type[Handler]:
    class SsmHandler(Handler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            reply = answer(self.headers.get("X-Amz-Target", ""), body)
            assert reply.status is not None
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

    return SsmHandler
