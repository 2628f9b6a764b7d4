"""What the stand-ins have in common: an HTTP server on a free port of 127.0.0.1, in threads of this process."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Keeps connections, sends at once, and logs nothing."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Has its port at once; connections are refused until `start`."""

    daemon_threads = True

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler, bind_and_activate=False)
        self.server_bind()
        self.address = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.address}"
        self._serving = False

    def start(self) -> None:
        self.server_activate()
        self._serving = True
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        if self._serving:
            self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        # Processes under test are killed while they wait for an answer: that is no error here.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
