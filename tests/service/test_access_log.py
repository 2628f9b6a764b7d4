"""One line of JSON per request: what was asked, what came of it, who asked; never a body, never the key."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness import http
from harness.container import KEY, Container

TRACE = "Root=1-67891233-abcdef012345678912345678"


def lines_of(service: Container) -> list[dict[str, Any]]:
    """Ends the service, so that all lines are there, and returns those of requests."""
    service.process.stop()
    return [line for line in service.process.log() if "method" in line]


def test_every_request_has_one_line_with_what_came_of_it() -> None:
    body = b'{"content": "abn"}'
    with Container() as service:
        service.process.stdout.clear()  # of the requests that it was waited for with
        answers = [
            service.post(body),
            service.post(b"abn", "text/plain"),
            service.post(b"{"),
            service.post(body, path="/nowhere?secret=needle"),
            http.request(service.url, "POST", "/string/replace", {"x-api-key": "wrong"}, body),
            service.get("/docs"),
        ]
        lines = [line for line in lines_of(service) if line["path"] != "/status/health"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/string/replace", 200),
        ("POST", "/string/replace", 200),
        ("POST", "/string/replace", 400),
        ("POST", "/nowhere", 404),
        ("POST", "/string/replace", 403),
        ("GET", "/docs", 200),
    ]
    for line, answer in zip(lines, answers, strict=True):
        assert line["milliseconds"] >= 0
        assert line["bytes_out"] == len(answer.body)
        assert line["client_ip"] == "127.0.0.1"
        assert line["request_id"]
    assert [line["bytes_in"] for line in lines[:3]] == [len(body), 3, 1]
    assert len({line["request_id"] for line in lines}) == len(lines)


def test_bodies_keys_and_query_strings_are_in_no_line() -> None:
    with Container() as service:
        service.post(b'{"content": "needle abn"}')
        service.post(b'{"needle')
        service.post(b"needle abn", "text/plain")
        service.post(b"", path="/string/replace?q=needle")
        http.request(service.url, "POST", "/string/replace", {"x-api-key": "needle-of-a-wrong-key"}, b"needle")
        service.process.stop()
        assert len([line for line in service.process.log() if line.get("path") == "/string/replace"]) == 5
        assert "needle" not in service.process.output
        assert KEY not in service.process.output


def test_the_trace_id_is_taken_over_and_the_request_id_is_told() -> None:
    with Container() as service:
        response = service.post(b'{"content": "abn"}', headers={"X-Amzn-Trace-Id": TRACE})
        [line] = [line for line in lines_of(service) if line["path"] == "/string/replace"]
    assert TRACE.removeprefix("Root=") in json.dumps(line)
    assert line["request_id"] == response.headers["x-request-id"]


@pytest.mark.parametrize(
    ("trusted_proxies", "forwarded_for", "client"),
    [
        ("", "203.0.113.7", "127.0.0.1"),
        ("10.0.0.0/16", "203.0.113.7", "127.0.0.1"),
        ("127.0.0.1/32", "203.0.113.7", "203.0.113.7"),
        ("127.0.0.1/32", "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        ("127.0.0.1/32", "203.0.113.7, 10.0.0.5", "10.0.0.5"),
        ("127.0.0.1/32,10.0.0.0/16", "198.51.100.1, 203.0.113.7, 10.0.0.5", "203.0.113.7"),
        ("127.0.0.1/32,2001:db8::/56", "203.0.113.7, 2001:db8::5", "203.0.113.7"),
        ("127.0.0.1/32", "nonsense", "127.0.0.1"),
    ],
)
def test_the_client_is_who_a_trusted_proxy_says_it_is(trusted_proxies: str, forwarded_for: str, client: str) -> None:
    with Container({"TRUSTED_PROXIES": trusted_proxies}) as service:
        service.post(b'{"content": "abn"}', headers={"X-Forwarded-For": forwarded_for})
        [line] = [line for line in lines_of(service) if line["path"] == "/string/replace"]
    assert line["client_ip"] == client


def test_a_text_that_breaks_off_is_told_as_such() -> None:
    with Container() as service:
        parts = urlsplit(service.url)
        assert parts.hostname
        with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
            head = f"POST /string/replace HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nContent-Type: text/plain\r\n"
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\nabn".encode())
        line = service.process.wait_for_log("the request's line", lambda line: line.get("path") == "/string/replace")
    assert line["aborted"] is True
    assert line["bytes_in"] == 3


def test_what_a_client_sends_cannot_forge_a_line() -> None:
    with Container() as service:
        hostile = '/a%0a{"status":200}"\\'
        service.post(b"", path=hostile, headers={"X-Amzn-Trace-Id": 'a"b\\c', "X-Request-Id": 'd"e\tf'})
        service.process.stop()
        assert len(service.process.log()) == len([line for line in service.process.stdout if line])
        [line] = [line for line in service.process.log() if line.get("status") == 404]
    assert line["path"] == hostile
