"""What is planned of private, with everything on: numbers, who gets in, and the proxies in an installed nginx."""

import base64
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from harness.https_upstream import HttpsServer
from harness.process import Process
from harness.server import Handler, Server
from harness.waiting import eventually

API = "module.private_api[0]"
LINK = "module.private_link[0]"
LIST = "module.allow_list[0]"
PROXIES = "module.external_services[0]"

PORTS = {"prod": 8000, "dev": 8001, "test": 8002, "stage": 8003}

# API Gateway's integration time-out: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
GATEWAY_SECONDS = 29
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def planned(first_plan: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        change["address"]: change["change"]["after"]
        for change in first_plan["resource_changes"]
        if change["mode"] == "managed"
    }


@pytest.mark.parametrize("stage", PORTS)
def test_a_stage_has_its_own_of_everything(stage: str, planned: dict[str, dict[str, Any]]) -> None:
    listener = planned[f'{LINK}.aws_lb_listener.stage["{stage}"]']
    assert (listener["port"], listener["protocol"]) == (PORTS[stage], "TCP")
    (settings,) = planned[f'{API}.aws_api_gateway_method_settings.this["{stage}"]']["settings"]
    assert (settings["throttling_rate_limit"], settings["throttling_burst_limit"]) == (100, 200)
    host = f"switchyard-private-{stage}-test.example.com"
    assert planned[f'module.domain["private-{stage}"].aws_acm_certificate.this']["domain_name"] == host
    assert planned[f'{API}.aws_api_gateway_domain_name.stage["{stage}"]']["domain_name"] == host
    assert planned[f'{API}.aws_route53_record.stage["{stage}"]']["name"] == host
    mapping = planned[f'{API}.aws_api_gateway_base_path_mapping.stage["{stage}"]']
    assert (mapping["stage_name"], mapping["base_path"]) == (stage, None)
    for log in ("access", "execution"):
        assert f'{API}.aws_cloudwatch_log_group.{log}["{stage}"]' in planned
    assert planned[f'{API}.aws_api_gateway_stage.this["{stage}"]']["xray_tracing_enabled"]
    # The lowest of a stage's own alarms; each module's tests have the thresholds.
    assert f'module.alarms.aws_cloudwatch_metric_alarm.this["private-api-{stage}-server-errors"]' in planned


def test_a_stage_is_behind_one_firewall(planned: dict[str, dict[str, Any]]) -> None:
    """In one place: two could not change hands without a moment in which neither stands there. The cycle asks which."""
    associated = [address for address in planned if "aws_wafv2_web_acl_association" in address and "private" in address]
    assert sorted(associated) == sorted(f'aws_wafv2_web_acl_association.private["{stage}"]' for stage in PORTS)


def test_who_is_not_on_the_list_is_told_whom_to_ask(planned: dict[str, dict[str, Any]]) -> None:
    acl = planned[f"{LIST}.aws_wafv2_web_acl.this"]
    (response,) = acl["default_action"][0]["block"][0]["custom_response"]
    (body,) = acl["custom_response_body"]
    assert (response["response_code"], response["custom_response_body_key"]) == (403, body["key"])
    assert json.loads(body["content"])["message"] == "Forbidden"
    # Nobody was named: neither a contact nor an address for notifications.
    assert json.loads(body["content"])["hint"].endswith(f"ask whoever runs {acl['name'].removesuffix('-closed')}")
    # Nobody was let in, either. (The provider plans an empty set as none.)
    sets = [planned[f'{LIST}.aws_wafv2_ip_set.this["{family}"]'] for family in ("ipv4", "ipv6")]
    assert [each["ip_address_version"] for each in sets] == ["IPV4", "IPV6"]
    assert [each["addresses"] or [] for each in sets] == [[], []]


def test_only_the_vpc_link_reaches_the_load_balancer(
    planned: dict[str, dict[str, Any]], first_plan: dict[str, Any]
) -> None:
    balancer = planned[f"{LINK}.aws_lb.this"]
    assert balancer["internal"]
    assert balancer["enable_cross_zone_load_balancing"]
    assert balancer["enforce_security_group_inbound_rules_on_private_link_traffic"] == "off"
    # The one rule for coming in is of the load balancer behind: its group's id is a variable of the module.
    resources = first_plan["configuration"]["root_module"]["module_calls"]["private_link"]["module"]["resources"]
    into = {
        each["name"]: each["expressions"]["security_group_id"]["references"][0]
        for each in resources
        if each["type"] == "aws_vpc_security_group_ingress_rule"
    }
    assert into == {"target": "var.target.security_group_id"}


def test_the_target_is_the_load_balancer_that_codedeploy_turns(planned: dict[str, dict[str, Any]]) -> None:
    group = planned[f"{LINK}.aws_lb_target_group.this"]
    assert (group["target_type"], group["protocol"], group["port"]) == ("alb", "TCP", 443)
    (check,) = group["health_check"]
    assert (check["protocol"], check["path"], check["matcher"]) == ("HTTPS", "/status/ready", "200")


def test_the_authorizer_asks_for_the_scope_of_private(planned: dict[str, dict[str, Any]]) -> None:
    function = planned['module.private_function["private-authorizer"].aws_lambda_function.this']
    (environment,) = function["environment"]
    assert environment["variables"]["TOKEN_SCOPE"] == "private"
    assert environment["variables"]["TOKEN_SCHEME"] == "required"
    assert environment["variables"]["TOKEN_TABLE"] == planned["module.tokens[0].aws_dynamodb_table.this"]["name"]


def test_the_containers_believe_load_balancers_in_the_subnets(planned: dict[str, dict[str, Any]]) -> None:
    subnets = {
        each["cidr_block"] for address, each in planned.items() if address.startswith("module.network[0].aws_subnet.")
    }
    inner = set(planned["module.waf.aws_wafv2_ip_set.inner[0]"]["addresses"])
    private = {
        each["cidr_block"]
        for address, each in planned.items()
        if address.startswith("module.network[0].aws_subnet.private")
    }
    assert len(subnets) == 4
    assert inner == private, "the network load balancer's addresses are not counted by the firewall"


# nginx itself. What it is given is read off the plan; only where its upstream, port and folder are is this machine's.


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed: its configuration was not tried")


def configuration(planned: dict[str, dict[str, Any]]) -> str:
    definition = json.loads(planned[f"{PROXIES}.aws_ecs_task_definition.this"]["container_definitions"])
    (encoded,) = (
        variable["value"]
        for container in definition
        for variable in container.get("environment", [])
        if variable["name"] == "NGINX_CONFIG"
    )
    return base64.b64decode(encoded).decode()


class Upstream(HttpsServer):
    """Remembers what it was asked."""

    def __init__(self, folder: Path, name: str) -> None:
        self.asked: list[dict[str, Any]] = []
        asked = self.asked

        class Answers(Handler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked.append({"path": self.path, "headers": dict(self.headers.items()), "size": len(body)})
                self.send_response(404 if self.path.startswith("/missing") else 200)
                self.send_header("Content-Length", "8")
                self.end_headers()
                self.wfile.write(b"upstream")

            do_GET = do_POST = answer

        super().__init__(folder, name, Answers)


class Proxy:
    """nginx with the planned configuration, on a port of this machine, before `upstream`."""

    def __init__(self, text: str, folder: Path, upstream: str, trusted: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        for old, new in {
            "listen 9001;": f"listen 127.0.0.1:{self.port};",
            "set $upstream billing.example.com;": f"set $upstream {upstream};",
            "/tmp/nginx": str(folder),
            "/etc/ssl/certs/ca-certificates.crt": str(trusted),
        }.items():
            assert old in text, old
            text = text.replace(old, new)
        file = folder / "nginx.conf"
        file.write_text(text)
        assert NGINX
        command = [NGINX, "-e", "/dev/stderr", "-c", str(file), "-g", "daemon off;"]
        self.process = Process(command, {})
        eventually("nginx is up", lambda: self.process.exit_code is not None or self.is_up())
        assert self.process.exit_code is None, self.process.output

    def is_up(self) -> bool:
        try:
            return self.ask("GET", "/_proxy/health")[0].status == 200
        except ConnectionError:
            return False

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=GATEWAY_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    # nginx's workers, where it was started as root, are another user's.
    for part in (tmp_path, *tmp_path.parents[:3]):
        part.chmod(0o755)
    return tmp_path


@pytest.fixture
def upstream(folder: Path) -> Iterator[Upstream]:
    upstream = Upstream(folder, "billing.example.com")
    yield upstream
    upstream.close()


@pytest.fixture
def proxy(planned: dict[str, dict[str, Any]], folder: Path, upstream: Upstream) -> Iterator[Proxy]:
    proxy = Proxy(configuration(planned), folder, upstream.server.address, upstream.certificate)
    yield proxy
    proxy.process.stop()


@needs_nginx
def test_a_request_goes_to_the_upstream_as_it_came_but_for_our_token(proxy: Proxy, upstream: Upstream) -> None:
    sent = {"Authorization": "Bearer sy_secret", "X-Forwarded-For": "203.0.113.9", "X-Amzn-Trace-Id": "Root=1"}
    answer, body = proxy.ask("POST", "/a%2Fb/c?x=1&y=%20", b"{}", sent)
    assert (answer.status, body) == (200, b"upstream")
    (asked,) = upstream.asked
    assert (asked["path"], asked["size"]) == ("/a%2Fb/c?x=1&y=%20", 2)
    assert "Authorization" not in asked["headers"]
    assert asked["headers"]["Host"] == upstream.server.address
    assert asked["headers"]["X-Forwarded-For"] == "203.0.113.9, 127.0.0.1"
    assert asked["headers"]["X-Forwarded-Proto"] == "https"
    assert asked["headers"]["X-Amzn-Trace-Id"] == "Root=1"
    assert "sy_secret" not in proxy.process.output
    assert "y=" not in proxy.process.wait_for_log("its line", lambda line: line.get("traceId") == "Root=1")["path"]


@needs_nginx
def test_an_answer_of_the_upstream_passes_whatever_it_is(proxy: Proxy) -> None:
    answer, body = proxy.ask("GET", "/missing")
    assert (answer.status, body) == (404, b"upstream")


@needs_nginx
def test_a_body_may_be_as_large_as_api_gateways(proxy: Proxy, upstream: Upstream) -> None:
    answer, _ = proxy.ask("POST", "/", bytes(10 * MEGABYTE))
    assert answer.status == 200
    assert upstream.asked[-1]["size"] == 10 * MEGABYTE
    answer, body = proxy.ask("POST", "/", headers={"Content-Length": str(10 * MEGABYTE + 1)})
    assert (answer.status, json.loads(body)) == (413, {"message": "Request Too Long"})


@needs_nginx
def test_an_upstream_that_is_not_the_one_is_sent_nothing(
    planned: dict[str, dict[str, Any]], folder: Path, upstream: Upstream
) -> None:
    text = configuration(planned)
    other = folder / "other"
    other.mkdir()
    stranger = Upstream(other, "billing.example.com")
    gone = Server(Handler)
    cases = {
        "a certificate of nobody whom it believes": (text, stranger.server.address),
        "a certificate for another name": (
            text.replace("proxy_ssl_name billing.example.com;", "proxy_ssl_name stock.example.com;"),
            upstream.server.address,
        ),
        "nobody there": (text, gone.address),
    }
    try:
        for number, (case, (changed, address)) in enumerate(cases.items()):
            scratch = folder / str(number)
            scratch.mkdir()
            proxy = Proxy(changed, scratch, address, upstream.certificate)
            try:
                answer, body = proxy.ask("POST", "/", b"{}")
                said = (answer.status, json.loads(body), answer.headers["Retry-After"])
                assert said == (503, {"message": "Service Unavailable"}, "1"), case
            finally:
                proxy.process.stop()
        assert stranger.asked == upstream.asked == []
    finally:
        stranger.close()
        gone.close()


@needs_nginx
def test_an_upstream_that_says_nothing_is_given_up_before_api_gateway_gives_up(
    planned: dict[str, dict[str, Any]], folder: Path
) -> None:
    """With a second in place of the twenty that it waits for an answer; terraform's own tests have the sum of all."""
    silent = threading.Event()

    class Silent(Handler):
        def do_GET(self) -> None:
            silent.wait()

    text = configuration(planned)
    assert "proxy_read_timeout 20s;" in text
    upstream = Upstream(folder, "billing.example.com")
    upstream.server.RequestHandlerClass = Silent
    proxy = Proxy(
        text.replace("proxy_read_timeout 20s;", "proxy_read_timeout 1s;"),
        folder,
        upstream.server.address,
        upstream.certificate,
    )
    try:
        answer, _ = proxy.ask("GET", "/")
        assert answer.status == 503
    finally:
        silent.set()
        proxy.process.stop()
        upstream.close()
