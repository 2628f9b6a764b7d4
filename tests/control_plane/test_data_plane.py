"""Calls that run something are passed on to the data plane that is registered."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from harness.control_plane import ControlPlane
from harness.process import free_port


class Runner(BaseHTTPRequestHandler):
    """Answers what it was sent, as Lambda would a function that fails."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("X-Amz-Function-Error", "Unhandled")
        self.send_header("X-Path", self.path)
        self.send_header("X-Invocation-Type", self.headers.get("X-Amz-Invocation-Type", ""))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def own() -> Iterator[ControlPlane]:
    """Of its own, for tests that register a data plane: that cannot be taken back."""
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def runner() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Runner)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def register(plane: ControlPlane, url: Any) -> requests.Response:
    return requests.put(f"{plane.url}/_control_plane/data_plane", json={"url": url}, timeout=5)


def test_invoke_reaches_the_data_plane_as_it_is(own: ControlPlane, runner: str) -> None:
    assert register(own, runner).json() == {"url": runner}
    assert requests.get(f"{own.url}/_control_plane/data_plane", timeout=5).json() == {"url": runner}
    answer = own.client("lambda").invoke(FunctionName="things", Qualifier="prod", Payload=b'{"a": 1}')
    assert answer["Payload"].read() == b'{"a": 1}'
    assert answer["FunctionError"] == "Unhandled"
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-path"] == "/2015-03-31/functions/things/invocations?Qualifier=prod"


def test_an_arn_stays_as_it_was_written(own: ControlPlane, runner: str) -> None:
    register(own, runner)
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:things:prod"
    answer = own.client("lambda").invoke(FunctionName=arn, InvocationType="RequestResponse", Payload=b"{}")
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert headers["x-path"] == f"/2015-03-31/functions/{arn.replace(':', '%3A')}/invocations"
    assert headers["x-invocation-type"] == "RequestResponse"


def test_test_invoke_method_is_passed_on(own: ControlPlane, runner: str) -> None:
    register(own, runner)
    answer = own.client("apigateway").test_invoke_method(restApiId="a", resourceId="b", httpMethod="GET", body="x")
    assert answer["body"] == "x"
    assert answer["ResponseMetadata"]["HTTPHeaders"]["x-path"] == "/restapis/a/resources/b/methods/GET"


def test_without_a_data_plane_the_caller_is_told(control_plane: ControlPlane) -> None:
    with pytest.raises(ClientError, match="There is no data plane, so nothing runs"):
        control_plane.client("lambda").invoke(FunctionName="things")


def test_a_data_plane_that_is_gone_is_named(own: ControlPlane) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    register(own, url)
    with pytest.raises(ClientError, match=f"The data plane at {url} does not answer"):
        own.client("lambda").invoke(FunctionName="things")


@pytest.mark.parametrize("url", ["", "127.0.0.1:80", "https://127.0.0.1:80", "http://127.0.0.1:80/path", None, 5])
def test_what_is_no_address_is_refused(control_plane: ControlPlane, url: Any) -> None:
    response = register(control_plane, url)
    assert response.status_code == 400
    assert 'Give the data plane\'s address: {"url": "http://127.0.0.1:PORT"}' in response.json()["message"]


def test_what_is_no_json_is_refused(control_plane: ControlPlane) -> None:
    page = f"{control_plane.url}/_control_plane/data_plane"
    response = requests.put(page, data="{", headers={"content-type": "application/json"}, timeout=5)
    assert response.status_code == 400
    assert "message" in response.json()
