"""HTTP as it is spoken out there, byte by byte."""

import socket
from urllib.parse import urlsplit

import pytest

from harness import http
from harness.container import KEY, Container

HEADERS = f"Host: x\r\nx-api-key: {KEY}\r\n"
HEAD = f"POST /string/replace HTTP/1.1\r\n{HEADERS}"
BODY = '{"content": "abn"}'
ANSWER = b'{"message":"ABN AMRO"}'


def talk(service: Container, sent: bytes) -> bytes:
    """Sends bytes, and returns all that comes back until the service closes."""
    parts = urlsplit(service.url)
    assert parts.hostname
    with socket.create_connection((parts.hostname, parts.port or 80), timeout=30) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while piece := connection.recv(65536):
            received += piece
        return received


GOOD = {
    "HTTP/1.0": f"POST /string/replace HTTP/1.0\r\n{HEADERS}Content-Length: {len(BODY)}\r\n\r\n{BODY}",
    "an absolute address": f"POST http://x/string/replace HTTP/1.1\r\n{HEADERS}"
    f"Content-Length: {len(BODY)}\r\n\r\n{BODY}",
    "header names in capitals": f"POST /string/replace HTTP/1.1\r\nHOST: x\r\nX-API-KEY: {KEY}\r\n"
    f"CONTENT-LENGTH: {len(BODY)}\r\n\r\n{BODY}",
    "chunks with extensions and trailers": f"{HEAD}Transfer-Encoding: chunked\r\n\r\n"
    f"5;a=b\r\n{BODY[:5]}\r\nd\r\n{BODY[5:]}\r\n0\r\nX-Trailer: y\r\n\r\n",
}

BAD = {
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n",
    "no version": b"GET /\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\n\r\n",
    "a control character in a header": b"GET /status/health HTTP/1.1\r\nHost: x\r\nX: a\x1bb\r\n\r\n",
    "no header name": b"GET /status/health HTTP/1.1\r\n: x\r\n\r\n",
    "a length that is none": f"{HEAD}Content-Length: ten\r\n\r\n".encode(),
    "two lengths": f"{HEAD}Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".encode(),
    "a coding that is not chunked last": f"{HEAD}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n".encode(),
    "a megabyte of headers": b"GET /status/health HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 1024 * 1024 + b"\r\n\r\n",
    "ten thousand headers": b"GET /status/health HTTP/1.1\r\nHost: x\r\n" + b"X: y\r\n" * 10_000 + b"\r\n",
}


@pytest.mark.parametrize("sent", GOOD.values(), ids=GOOD.keys())
def test_every_way_to_say_the_same(sent: str) -> None:
    with Container() as service:
        received = talk(service, sent.encode())
    assert b" 200 OK\r\n" in received
    assert ANSWER in received


def test_requests_one_after_another_on_one_connection_and_without_waiting() -> None:
    one = f"{HEAD}Content-Length: {len(BODY)}\r\n\r\n{BODY}"
    with Container() as service:
        received = talk(service, one.encode() * 10)
    assert received.count(b"HTTP/1.1 200 OK\r\n") == received.count(ANSWER) == 10


@pytest.mark.parametrize("sent", BAD.values(), ids=BAD.keys())
def test_what_is_no_http_is_refused_and_harms_nobody(sent: bytes) -> None:
    with Container() as service:
        try:
            received = talk(service, sent)
        except OSError:
            received = b""  # closed with some of it unread
        assert not received or received.split(b" ", 2)[1] in (b"400", b"414", b"431", b"505"), received[:200]
        assert service.replace("abn") == "ABN AMRO"
        assert "panicked" not in service.process.output


def test_both_lengths_at_once_smuggle_nothing() -> None:
    hidden = f"POST /hidden HTTP/1.1\r\n{HEADERS}\r\n"
    sent = f"{HEAD}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{hidden}"
    with Container() as service:
        received = talk(service, sent.encode())
        # Either refused, or read as RFC 9112 says: chunked wins, and what follows is a request of its own in the open.
        assert received.startswith(b"HTTP/1.1 400 ")
        assert service.replace("abn") == "ABN AMRO"


def test_bytes_that_are_no_text_go_through_text_as_they_are() -> None:
    noise = bytes(range(256)) + b" abn \xff\xfe ing \xe2\x82 rabo"
    with Container() as service:
        response = service.post(noise, "text/plain")
    assert response.status == 200
    assert response.body == bytes(range(256)) + b" ABN AMRO \xff\xfe ING BANK \xe2\x82 Rabobank"


def test_a_body_that_is_too_large_is_refused_before_it_is_sent() -> None:
    with Container() as service:
        head = f"{HEAD}Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n"
        received = talk(service, head.encode())
    assert received.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in received


def test_a_key_that_is_sent_twice_counts_as_sent_once_or_not_at_all() -> None:
    with Container() as service:
        for first, second in [("wrong", "wrong"), ("wrong", KEY)]:
            headers = [("x-api-key", first), ("x-api-key", second)]
            assert http.request(service.url, "POST", "/string/replace", headers, BODY.encode()).status == 403


def test_answers_say_nothing_about_what_runs_here() -> None:
    with Container() as service:
        response = service.get("/status/health")
    assert "server" not in response.headers
    assert "x-powered-by" not in response.headers
