"""Stands for a container's binary in tests. What it does is said by its environment and by the path.

/status/ready  200 if READY_FILE is there (or not set), else 503
/environment   the environment, as JSON
/head          the request's headers, as JSON
/pid           the process's number
/echo          each piece of the body as it comes, in chunks
/exit          ends the process, without an answer
/hang          says so in RELEASE_FILE.waiting, and answers when RELEASE_FILE is there
EXIT_AT_ONCE   set: ends before it listens
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

POLL_SECONDS = 0.01


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/status/ready":
            ready = "READY_FILE" not in os.environ or os.path.exists(os.environ["READY_FILE"])
            self.answer(200 if ready else 503, "ready" if ready else "not ready")
        elif path == "/environment":
            self.answer(200, json.dumps(dict(os.environ)))
        elif path == "/head":
            self.answer(200, json.dumps([[name.lower(), value] for name, value in self.headers.items()]))
        elif path == "/pid":
            self.answer(200, str(os.getpid()))
        elif path == "/exit":
            os._exit(3)
        elif path == "/hang":
            open(os.environ["RELEASE_FILE"] + ".waiting", "w").close()
            while not os.path.exists(os.environ["RELEASE_FILE"]):
                time.sleep(POLL_SECONDS)
            self.answer(200, "released")
        else:
            self.answer(200, os.environ.get("NAME", "fixture"))

    def do_POST(self) -> None:
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while size := int(self.rfile.readline(), 16):
            self.chunk(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        self.chunk(b"")

    def chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def answer(self, status: int, body: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *arguments: object) -> None:
        pass


if "EXIT_AT_ONCE" in os.environ:
    sys.exit(1)
server = ThreadingHTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
server.daemon_threads = True
server.serve_forever()
