"""Services outside AWS, through the VPC link: the proxies are an installed nginx with the deployed configuration."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator

import pytest

from harness import http
from harness.control_plane import client
from harness.https_upstream import HttpsUpstream
from harness.make_local import MakeLocal
from harness.private import EXTERNAL_PORTS
from harness.waiting import eventually

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/opt/homebrew/bin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: its services were left out")

Upstreams = dict[str, HttpsUpstream]


class Api:
    """An API whose paths are those of the services outside AWS, below the name of each."""

    def __init__(self, deployed: MakeLocal) -> None:
        document = json.loads(deployed.endpoints.read_text())
        self._gateway = client(document["control_plane"], "apigateway")
        balancers = client(document["control_plane"], "elbv2").describe_load_balancers()["LoadBalancers"]
        (balancer,) = [each["DNSName"] for each in balancers if each["Type"] == "network"]
        (link,) = self._gateway.get_vpc_links()["items"]
        self.id = self._gateway.create_rest_api(name="external", binaryMediaTypes=["*/*"])["id"]
        paths = {
            f"/{name}/{{proxy+}}": {
                "x-amazon-apigateway-any-method": {
                    "parameters": [{"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "x-amazon-apigateway-integration": {
                        "type": "http_proxy",
                        "httpMethod": "ANY",
                        "uri": f"http://{balancer}:{port}/{{proxy}}",
                        "connectionType": "VPC_LINK",
                        "connectionId": link["id"],
                        "requestParameters": {
                            "integration.request.path.proxy": "method.request.path.proxy",
                            "integration.request.header.X-Forwarded-For": "context.identity.sourceIp",
                        },
                    },
                }
            }
            for name, port in EXTERNAL_PORTS.items()
        }
        definition = {"openapi": "3.0.1", "info": {"title": "external", "version": "1"}, "paths": paths}
        self._gateway.put_rest_api(restApiId=self.id, mode="overwrite", body=json.dumps(definition))
        self._gateway.create_deployment(restApiId=self.id, stageName="dev")
        self._url = f"{document['gateway']}/_aws/execute-api/{self.id}/dev"

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> http.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return http.request(self._url, method, path, given, body)

    def delete(self) -> None:
        self._gateway.delete_rest_api(restApiId=self.id)


@pytest.fixture(scope="module")
def api(deployed: MakeLocal) -> Iterator[Api]:
    api = Api(deployed)
    try:
        # Served, whatever it answers: without nginx nobody is behind it.
        eventually("the API is served", lambda: api.ask("GET", "/billing/_proxy/health").status != 403)
        yield api
    finally:
        api.delete()


@needs_nginx
def test_a_request_reaches_the_service_by_verified_tls(api: Api, upstreams: Upstreams) -> None:
    sent = {"Authorization": "Bearer sy_secret", "X_Forwarded_For": "203.0.113.9", "Content_Type": "text/plain"}
    answer = api.ask("POST", "/billing/invoices/7?year=2026", b"due", **sent)
    assert answer.status == 200, answer.body
    got = answer.json()
    assert (got["method"], got["path"], got["body"]) == ("POST", "/invoices/7?year=2026", "due")
    headers = got["headers"]
    assert headers["host"] == upstreams["billing"].url.removeprefix("https://")
    # The caller as API Gateway saw it, then who the proxy heard it from. What the caller made up went no further.
    assert headers["x-forwarded-for"] == "127.0.0.1, 127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-amzn-trace-id"].startswith("Root=1-")
    assert "authorization" not in headers, "the token is for API Gateway"


@needs_nginx
def test_a_service_with_another_certificate_is_sent_nothing(api: Api, upstreams: Upstreams) -> None:
    answer = api.ask("POST", "/impostor/invoices", b"due")
    assert (answer.status, answer.json()) == (503, {"message": "Service Unavailable"})
    assert upstreams["impostor"].asked == []


@needs_nginx
def test_a_service_that_is_away_is_told_as_such(api: Api) -> None:
    answer = api.ask("GET", "/away/invoices")
    assert (answer.status, answer.json()) == (503, {"message": "Service Unavailable"})
    assert answer.headers["retry-after"] == "1"


@pytest.mark.skipif(NGINX is not None, reason="nginx is installed")
def test_without_nginx_that_is_said_once(deployed: MakeLocal) -> None:
    said = [line for line in [*deployed.stdout, *deployed.stderr] if "is left out: it is nginx" in line]
    assert len(said) == 1
