"""Text of any size, in constant memory."""

import hashlib
import threading

from harness import http
from harness.container import KEY, Container

PIECE = ("Some text about abn, Größe and 中文; " * 2000).encode()
REPLACED = ("Some text about ABN AMRO, Größe and 中文; " * 2000).encode()
PIECES = 2500  # 200 MB
ROOM_KIB = 8 * 1024


def test_hundreds_of_megabytes_go_through_without_growth() -> None:
    with Container() as service:
        assert service.post(iter([PIECE] * 20), "text/plain").body == REPLACED * 20
        memory = service.process.resident_kib()
        connection = http.connect(service.url)
        connection.putrequest("POST", "/string/replace")
        for name, value in [("x-api-key", KEY), ("Content-Type", "text/plain"), ("Transfer-Encoding", "chunked")]:
            connection.putheader(name, value)
        connection.endheaders()

        def send() -> None:
            for _ in range(PIECES):
                connection.send(b"%x\r\n%s\r\n" % (len(PIECE), PIECE))
            connection.send(b"0\r\n\r\n")

        sender = threading.Thread(target=send, daemon=True)
        sender.start()
        answer = connection.getresponse()
        assert answer.status == 200
        received, peak, digest = 0, memory, hashlib.sha256()
        while data := answer.read(4 * 1024 * 1024):
            received += len(data)
            digest.update(data)
            peak = max(peak, service.process.resident_kib())
        sender.join()
        connection.close()
        assert received == len(REPLACED) * PIECES
        expected = hashlib.sha256()
        for _ in range(PIECES):
            expected.update(REPLACED)
        assert digest.digest() == expected.digest()
        assert peak <= memory + ROOM_KIB


def test_who_does_not_read_is_not_read_from() -> None:
    """Back-pressure: the answer waits for its reader, the body for the answer, and memory for neither."""
    with Container() as service:
        assert service.replace("abn") == "ABN AMRO"
        memory = service.process.resident_kib()
        connection = http.connect(service.url, patience=1.0)
        connection.putrequest("POST", "/string/replace")
        for name, value in [
            ("x-api-key", KEY),
            ("Content-Type", "text/plain"),
            ("Content-Length", str(10 * 1024 * 1024 * 1024)),
        ]:
            connection.putheader(name, value)
        connection.endheaders()
        sent = 0
        try:
            while sent < 512 * 1024 * 1024:
                connection.send(PIECE)
                sent += len(PIECE)
        except TimeoutError:
            pass
        assert sent < 512 * 1024 * 1024, "the service took all of it without an answer being read"
        assert service.process.resident_kib() <= memory + ROOM_KIB
        assert service.replace("abn") == "ABN AMRO"
        connection.close()
