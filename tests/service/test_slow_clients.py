"""Clients that take their time hold up nobody but themselves, and not for ever."""

import socket
import time
from urllib.parse import urlsplit

from harness.container import KEY, Container
from harness.waiting import eventually

CROWD = 200


def dial(service: Container) -> socket.socket:
    parts = urlsplit(service.url)
    assert parts.hostname
    return socket.create_connection((parts.hostname, parts.port or 80), timeout=30)


def head(length: int, content_type: str = "application/json", **headers: str) -> bytes:
    further = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return (
        f"POST /string/replace HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n{further}"
        f"Content-Type: {content_type}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def closed(connection: socket.socket) -> bool:
    """Whether the other side ends it; what it says before is read."""
    try:
        while connection.recv(4096):
            pass
    except ConnectionResetError:
        pass
    return True


def test_a_crowd_that_never_finishes_its_headers_holds_up_nobody_and_is_sent_away() -> None:
    with Container({"HEADER_READ_TIMEOUT_SECONDS": "2"}) as service:
        crowd = [dial(service) for _ in range(CROWD)]
        for connection in crowd:
            connection.sendall(b"POST /string/replace HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        for _ in range(20):
            assert service.replace("abn") == "ABN AMRO"
        for connection in crowd[:5]:  # a byte now and then does not prolong it
            connection.sendall(b"y")
        assert all(closed(connection) for connection in crowd)


def test_a_crowd_that_says_nothing_does_not_keep_out_those_who_do() -> None:
    with Container({"MAX_CONNECTIONS": "20"}) as service:
        crowd = [dial(service) for _ in range(60)]
        for _ in range(5):
            assert service.replace("abn") == "ABN AMRO"
        assert service.process.open_files() < 60
        for connection in crowd:
            connection.close()


def test_a_crowd_that_never_finishes_its_bodies_holds_up_nobody() -> None:
    with Container() as service:
        crowd = [dial(service) for _ in range(CROWD)]
        for connection in crowd:
            connection.sendall(head(1000) + b'{"content": "a')
        for _ in range(20):
            assert service.replace("abn") == "ABN AMRO"
        for connection in crowd:
            connection.close()


def test_bodies_that_stall_are_given_up_and_make_room() -> None:
    with Container({"BODY_STALL_TIMEOUT_SECONDS": "1", "MAX_CONCURRENT_REQUESTS": "4"}) as service:
        crowd = [dial(service) for _ in range(4)]
        for connection, content_type in zip(crowd, ["application/json", "text/plain"] * 2, strict=True):
            connection.sendall(head(1000, content_type) + b'{"content": "a')
        assert all(closed(connection) for connection in crowd)
        assert service.replace("abn") == "ABN AMRO"


def test_a_slow_body_is_served_in_the_end() -> None:
    body = b'{"content": "abn"}'
    with Container() as service, dial(service) as connection:
        connection.sendall(head(len(body)))
        for at in range(len(body)):
            connection.sendall(body[at : at + 1])
            time.sleep(0.01)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_an_idle_connection_is_closed() -> None:
    with Container({"IDLE_TIMEOUT_SECONDS": "1"}) as service, dial(service) as connection:
        body = b'{"content": "abn"}'
        connection.sendall(head(len(body)) + body)
        assert closed(connection)


def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    with Container() as service:
        assert service.replace("abn") == "ABN AMRO"
        files = service.process.open_files()
        for number in range(100):
            connection = dial(service)
            connection.sendall(head(10_000_000, "text/plain") + b"abn " * number)
            connection.close()
        eventually("all of their sockets closed", lambda: service.process.open_files() <= files)
        assert service.replace("abn") == "ABN AMRO"


def test_over_the_limit_of_requests_at_a_time_the_rest_is_told_to_come_back() -> None:
    with Container({"MAX_CONCURRENT_REQUESTS": "4"}) as service:
        body = b'{"content": "abn"}'
        busy = [dial(service) for _ in range(4)]
        for connection in busy:
            connection.sendall(head(len(body), expect="100-continue"))
            assert connection.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n", "it has been taken on"
        response = service.post(body)
        assert response.status == 503
        assert int(response.headers["retry-after"]) >= 1
        assert set(response.json()) == {"message"}
        assert service.get("/status/health").status == 200, "health is not a matter of load"
        for connection in busy:
            connection.sendall(body)
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.close()
        eventually("room again", lambda: service.post(body).status == 200)
