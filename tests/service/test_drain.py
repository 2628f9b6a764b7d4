"""SIGTERM: what was taken on is finished, nothing new is taken on, and it does not take for ever."""

import http.client
import json
import signal
import socket
import threading
from collections import Counter
from urllib.parse import urlsplit

from harness import http as wire
from harness.container import KEY, Container
from harness.waiting import eventually

BODY = b'{"content": "abn and ing"}'
REPLACED = {"message": "ABN AMRO and ING BANK"}


def refused(service: Container) -> bool:
    parts = urlsplit(service.url)
    assert parts.hostname
    try:
        socket.create_connection((parts.hostname, parts.port or 80), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


class Running:
    """A request that the service has taken on, as its `100 Continue` shows, and whose body is still to come."""

    def __init__(self, service: Container, body: bytes, content_type: str) -> None:
        parts = urlsplit(service.url)
        assert parts.hostname
        self.socket = socket.create_connection((parts.hostname, parts.port or 80), timeout=30)
        self.body = body
        self.socket.sendall(
            f"POST /string/replace HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n".encode()
        )
        assert self.socket.recv(25) == b"HTTP/1.1 100 Continue\r\n\r\n"

    def finish(self) -> tuple[int, bytes]:
        self.socket.sendall(self.body)
        response = http.client.HTTPResponse(self.socket)
        response.begin()
        with self.socket:
            return response.status, response.read()


def test_requests_that_are_running_are_finished() -> None:
    with Container() as service:
        running = [Running(service, BODY, "application/json") for _ in range(25)]
        texts = [Running(service, b"abn " * 50_000, "text/plain") for _ in range(25)]
        service.process.signal(signal.SIGTERM)
        eventually("new connections refused", lambda: refused(service))
        assert service.process.exit_code is None
        for request in running:
            status, body = request.finish()
            assert (status, json.loads(body)) == (200, REPLACED)
        for request in texts:
            assert request.finish() == (200, b"ABN AMRO " * 50_000)
        assert service.process.wait() == 0


def test_idle_connections_do_not_delay_the_end() -> None:
    with Container() as service:
        connection = wire.connect(service.url)
        connection.request("POST", "/string/replace", BODY, {"x-api-key": KEY})
        assert wire.response_of(connection).status == 200
        service.process.signal(signal.SIGTERM)
        assert service.process.wait(5) == 0
        connection.close()


def test_under_load_no_request_that_was_taken_on_is_lost() -> None:
    """Each client dials anew for every request, so that a refused connection is the only right way to be sent away."""
    outcomes: Counter[str] = Counter()
    lost: list[str] = []
    stop = threading.Event()
    with Container() as service:

        def client() -> None:
            while not stop.is_set():
                try:
                    response = wire.request(service.url, "POST", "/string/replace", {"x-api-key": KEY}, BODY)
                except (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected):
                    # Not a byte of an answer: the connection was still in the kernel's queue, or was refused.
                    outcomes["refused"] += 1
                    return
                except (OSError, http.client.HTTPException) as error:
                    lost.append(repr(error))
                    return
                if response.status != 200 or response.json() != REPLACED:
                    lost.append(repr(response))
                outcomes["answered"] += 1

        clients = [threading.Thread(target=client) for _ in range(8)]
        for thread in clients:
            thread.start()
        eventually("some load", lambda: outcomes["answered"] > 200)
        service.process.signal(signal.SIGTERM)
        code = service.process.wait()
        stop.set()
        for thread in clients:
            thread.join()
        assert not lost
        assert outcomes["refused"] == len(clients)
        assert code == 0
        # What the service says it answered is what the clients got.
        told = [line for line in service.process.log() if line.get("path") == "/string/replace"]
        assert len(told) == outcomes["answered"]


def test_who_never_finishes_is_not_waited_for_longer_than_configured() -> None:
    with Container({"DRAIN_SECONDS": "1"}) as service:
        request = Running(service, BODY, "application/json")
        service.process.signal(signal.SIGTERM)
        service.process.wait(20)
        request.socket.close()


def test_interrupting_it_by_hand_ends_it_as_well() -> None:
    with Container() as service:
        assert service.replace("abn") == "ABN AMRO"
        service.process.signal(signal.SIGINT)
        assert service.process.wait(20) == 0
