"""The private API's definition, served: through a VPC link and a network load balancer to the container, and to a
second service that says what it got."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import openapi
from conformance.function import Functions, uri
from conformance.upstream import Upstream
from harness import contracts, http
from harness.container import KEY, Container
from harness.control_plane import ControlPlane
from harness.data_plane import DataPlane
from harness.network_load_balancer import network_load_balancer
from harness.private_definition import FOLDER, STAGES_LISTENER, definition
from harness.server import Handler, Server
from harness.waiting import eventually

APP, ADMIN = "https://app.example.com", "https://admin.example.com"
TOKEN = {"Authorization": "Bearer good"}
NOT_FOUND = {"message": "Unable to find the requested resource"}
LISTENER, ECHO_LISTENER = 8001, 8100
ROOMY = b"x" * 300_000

# Who comes with the good token is let in; everybody else is told why not, as by the authorizer of this repository.
AUTHORIZER = {
    "when": [
        {
            "event": {"authorizationToken": "Bearer good"},
            "action": {"policy": {"effect": "Allow", "resources": ["{stageArn}/*"], "context": {"key": ""}}},
        }
    ],
    "otherwise": {
        "policy": {"effect": "Deny", "resources": ["{stageArn}/*"], "context": {"key": "The token is unknown"}}
    },
}

LIST = {"type": "array", "items": {"type": "string"}}
ECHO = contracts.contract(
    {
        "/things/{id}": {
            "put": {
                "operationId": "put",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "tag", "in": "query", "required": True, "schema": LIST},
                    {"name": "X-Customer", "in": "header", "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"type": "object", "required": ["sum"]}}}},
                "responses": contracts.OK,
            }
        }
    }
)


class Echo(Handler):
    """Answers with the request."""

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = json.dumps({"path": self.path, "headers": headers, "body": body.decode()}).encode()
        self.send_response(299)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


@dataclass(frozen=True)
class Private:
    url: str

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.Response:
        return http.request(
            self.url, method, path, {name.replace("_", "-"): value for name, value in headers.items()}, body
        )


def with_echo(folder: Path, authorizer: str, echo: str) -> dict[str, Any]:
    """The definition, with the echo as a second service."""
    string = json.loads((FOLDER / "contracts" / "string.json").read_text())
    entry = json.loads((FOLDER / "services.json").read_text())["string"] | {"contract": "string.json"}
    services = contracts.written(folder, string=(string, entry), echo=(ECHO, {"prefix": "/echo"}))
    template = folder / "private.yaml"
    assert openapi.main(["template", "--services", str(services), "--file", str(template)]) == 0
    terraform = folder / "terraform"
    terraform.mkdir()
    base_urls = {"string": STAGES_LISTENER, "echo": echo}
    return definition(
        terraform, [APP, ADMIN], credentials=True, base_urls=base_urls, authorizer=authorizer, template=template
    )


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Private]:
    folder = tmp_path_factory.mktemp("private")
    control_plane, recorder, echo = ControlPlane(), Upstream(), Server(Echo)
    echo.start()
    try:
        with Container({"TRUSTED_PROXIES": "127.0.0.1/32"}) as container:
            targets = {LISTENER: container.url.removeprefix("http://"), ECHO_LISTENER: echo.address}
            arn, name = network_load_balancer(control_plane, targets)
            gateway = control_plane.client("apigateway")
            link = gateway.create_vpc_link(name="private", targetArns=[arn])["id"]
            authorizer = uri(Functions(control_plane.client, recorder.address).make(AUTHORIZER))
            api = gateway.create_rest_api(name="private", binaryMediaTypes=["*/*"])["id"]
            document = with_echo(folder, authorizer, f"http://{name}:{ECHO_LISTENER}")
            gateway.put_rest_api(restApiId=api, mode="merge", body=json.dumps(document))
            gateway.create_deployment(
                restApiId=api, stageName="dev", variables={"VPCLINK": link, "VPCNLB": f"{name}:{LISTENER}"}
            )
            data_plane = DataPlane(control_plane.url, folder, container_binary="no-container-runs")
            try:
                private = Private(f"{data_plane.url}/_aws/execute-api/{api}/dev")
                eventually("a healthy target", lambda: private.ask("GET", "/status/health").status == 200)
                yield private
            finally:
                assert data_plane.stop() == 0, data_plane.process.output
    finally:
        echo.close()
        recorder.close()
        assert control_plane.stop() == 0


def test_without_a_token_there_is_health_alone(private: Private) -> None:
    assert private.ask("GET", "/status/health").json() == {"message": "UP"}
    for method, path in [("GET", "/status/ready"), ("GET", "/openapi.json"), ("POST", "/string/replace")]:
        refused = private.ask(method, path)
        assert (refused.status, refused.json()) == (
            401,
            {
                "message": "Unauthorized",
                "hint": "Send the header Authorization with Bearer and a token",
                "http_method": method,
            },
        )


def test_a_wrong_token_is_told_why(private: Private) -> None:
    refused = private.ask("GET", "/status/ready", Authorization="Bearer bad")
    assert (refused.status, refused.json()) == (
        403,
        {"message": "Forbidden", "hint": "The token is unknown", "http_method": "GET"},
    )
    assert refused.headers["access-control-allow-origin"] == APP


@pytest.mark.parametrize(
    ("body", "content_type", "status", "answer"),
    [
        (b'{"content": "I bank with Rabo."}', "application/json", 200, b'{"message":"I bank with Rabobank."}'),
        (b'{"content": 1}', "application/json", 400, b'{"message":"Malformed Input"}'),
        (b'{"content":', "application/json", 400, b'{"message":"Something went wrong in decoding Payload"}'),
        (b"ABN \xff\xfe", "text/plain", 200, b"ABN AMRO \xff\xfe"),
        (b"ABN", "text/plain; charset=utf-16", 415, b'{"message":"Unsupported Media Type"}'),
        (ROOMY, "text/plain", 200, ROOMY),
    ],
    ids=["json", "malformed", "no-json", "bytes", "charset", "large"],
)
def test_what_the_service_answers_arrives_as_it_is(
    private: Private, body: bytes, content_type: str, status: int, answer: bytes
) -> None:
    got = private.ask("POST", "/string/replace", body, **TOKEN, x_api_key=KEY, Content_Type=content_type)
    assert (got.status, got.body) == (status, answer)


def test_a_compressed_body_is_the_services_to_refuse(private: Private) -> None:
    headers = {**TOKEN, "Content_Type": "text/plain", "x_api_key": KEY}
    got = private.ask("POST", "/string/replace", gzip.compress(b"ABN"), Content_Encoding="gzip", **headers)
    assert (got.status, got.json()) == (415, {"message": "Unsupported Media Type"})


def test_the_services_own_key_is_the_services_to_check(private: Private) -> None:
    without = private.ask("POST", "/string/replace", b"{}", **TOKEN)
    wrong = private.ask("POST", "/string/replace", b"{}", **TOKEN, x_api_key="wrong")
    for refused in (without, wrong):
        assert (refused.status, refused.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "/nothing"),
        ("PUT", "/nothing/at/all"),
        ("GET", "/string"),
        ("GET", "/string/replace"),
        ("DELETE", "/status/health"),
        ("GET", "/status/health/more"),
        ("OPTIONS", "/nothing"),
    ],
)
def test_whatever_else_is_asked_for_is_not_found(private: Private, method: str, path: str) -> None:
    body = b"a body" if method in ("POST", "PUT") else None
    for got in (private.ask(method, path, body), private.ask(method, path, body, **TOKEN)):
        assert (got.status, got.json()) == (404, NOT_FOUND)


@pytest.mark.parametrize(
    ("origin", "named"), [(APP, APP), (ADMIN, ADMIN), ("https://evil.example.com", APP), ("null", APP)]
)
@pytest.mark.parametrize("header", ["Origin", "origin"])
def test_a_preflight_names_the_origin_that_asks_if_it_is_allowed(
    private: Private, header: str, origin: str, named: str
) -> None:
    asking = {header: origin, "Access-Control-Request-Method": "POST"}
    got = http.request(private.url, "OPTIONS", "/string/replace", asking)
    assert (got.status, got.body) == (204, b"")
    cors = {name: value for name, value in got.headers.items() if name.startswith("access-control-") or name == "vary"}
    assert cors == {
        "access-control-allow-origin": named,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": "Authorization,Content-Type,Content-Encoding,x-api-key",
        "access-control-allow-credentials": "true",
        "access-control-max-age": "600",
        "vary": "Origin",
    }


def put(private: Private, path: str, body: bytes = b'{"sum": 1}', **headers: str) -> http.Response:
    return private.ask("PUT", path, body, Content_Type="application/json", **TOKEN, **headers)


def test_a_second_service_gets_its_request_under_its_own_path(private: Private) -> None:
    got = put(private, "/echo/things/a%20b?tag=1&tag=2&more=3", X_Customer="c1", x_other="o1")
    assert got.status == 299, "a status that the contract does not have"
    request = got.json()
    assert (request["path"], request["body"]) == ("/things/a%20b?tag=1&tag=2&more=3", '{"sum": 1}')
    assert (request["headers"]["x-customer"], request["headers"]["x-other"]) == ("c1", "o1")
    assert request["headers"]["x-amzn-trace-id"].startswith("Root=1-")


def test_the_callers_address_is_what_the_gateway_saw_and_not_what_the_caller_says(private: Private) -> None:
    got = put(private, "/echo/things/1?tag=1", X_Forwarded_For="203.0.113.7", x_forwarded_for="203.0.113.8")
    assert got.json()["headers"]["x-forwarded-for"] == "127.0.0.1"


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("/echo/things/1", b'{"sum": 1}', "Bad Request"),
        ("/echo/things/1?tag=1", b"{}", "The body is not what it should be"),
        ("/echo/things/1?tag=1", b"{", "The body is not what it should be"),
    ],
)
def test_a_service_may_have_the_gateway_check_its_requests(
    private: Private, path: str, body: bytes, message: str
) -> None:
    refused = put(private, path, body)
    assert (refused.status, refused.json()["message"]) == (400, message)
    assert refused.json()["cause"]
