"""`scripts/main.py query`, run as people run it, against a small HTTP server that records what it gets."""

import http.server
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

MAIN = Path(__file__).parents[2] / "scripts" / "main.py"
KEY = "a-key-that-must-not-be-shown"


@dataclass
class Recorder:
    """Answers every request with `status` and `body`, and keeps what came."""

    url: str = ""
    status: int = 200
    body: bytes = b'{"message":"ABN AMRO"}'
    headers: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Recorder]:
    recorder = Recorder()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            recorder.requests.append((self.command, self.path, headers, body))
            self.send_response(recorder.status)
            for name, value in recorder.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(recorder.body)))
            self.end_headers()
            self.wfile.write(recorder.body)

        do_GET = do_POST = do_PUT = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        recorder.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield recorder
        server.shutdown()


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    environment = {name: value for name, value in os.environ.items() if name not in ("API_ENDPOINT", "API_KEY")}
    environment |= {"NO_PROXY": "127.0.0.1"} | variables
    command = [sys.executable, str(MAIN), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, timeout=30, check=False)
    assert KEY.encode() not in done.stdout + done.stderr
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done


def query(api: Recorder, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return run("query", *arguments, API_ENDPOINT=api.url, API_KEY=KEY)


def test_the_documented_call(api: Recorder) -> None:
    done = query(api, "-x", "POST", "-path", "test/string/replace", "-body", '{"content": "ABN"}')
    assert (done.returncode, done.stdout, done.stderr) == (0, b'{"message":"ABN AMRO"}\n', b"")
    [(method, path, headers, body)] = api.requests
    assert (method, path, json.loads(body)) == ("POST", "/test/string/replace", {"content": "ABN"})
    assert headers["x-api-key"] == KEY
    assert headers["content-type"] == "application/json"


def test_a_base_path_and_slashes_on_both_sides_are_joined_by_one(api: Recorder) -> None:
    run("query", "-path", "/string/replace", API_ENDPOINT=f"{api.url}/base/", API_KEY=KEY)
    assert api.requests[0][1] == "/base/string/replace"


def test_content_type_and_text_go_out_as_utf_8(api: Recorder) -> None:
    api.body = "Größe".encode()
    done = query(api, "-path", "string/replace", "-content-type", "text/plain", "-body", "Größe – 中")
    assert done.stdout == "Größe\n".encode()
    assert api.requests[0][2]["content-type"] == "text/plain"
    assert api.requests[0][3] == "Größe – 中".encode()


def test_without_a_body_no_content_type_is_sent(api: Recorder) -> None:
    query(api, "-x", "get", "-path", "status/health")
    [(method, path, headers, body)] = api.requests
    assert (method, path, body) == ("GET", "/status/health", b"")
    assert "content-type" not in headers


@pytest.mark.parametrize("status", [302, 400, 403, 404, 503])
def test_another_status_is_shown_with_its_body_and_fails(api: Recorder, status: int) -> None:
    api.status, api.body = status, b'{"message":"Some reason"}'
    done = query(api, "-path", "string/replace", "-body", "{}")
    assert done.returncode == 1
    assert f"HTTP {status} " in done.stderr.decode()
    assert done.stdout == b'{"message":"Some reason"}\n'


def test_a_redirect_is_not_followed_because_the_key_would_go_with_it(api: Recorder) -> None:
    api.status, api.headers = 307, {"Location": f"{api.url}/elsewhere"}
    assert query(api, "-path", "string/replace", "-body", "{}").returncode == 1
    assert [path for _, path, _, _ in api.requests] == ["/string/replace"]


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "API_ENDPOINT and API_KEY are not set"),
        ({"API_ENDPOINT": "http://127.0.0.1:1"}, "API_KEY is not set"),
        ({"API_KEY": KEY}, "API_ENDPOINT is not set"),
        ({"API_ENDPOINT": " ", "API_KEY": KEY}, "API_ENDPOINT is not set"),
        ({"API_ENDPOINT": "ftp://host", "API_KEY": KEY}, "API_ENDPOINT='ftp://host' cannot be used"),
        ({"API_ENDPOINT": "http://host:port", "API_KEY": KEY}, "API_ENDPOINT='http://host:port' cannot be used"),
        ({"API_ENDPOINT": "http://a b", "API_KEY": KEY}, "API_ENDPOINT='http://a b' cannot be used"),
        ({"API_ENDPOINT": f"http://me:{KEY}@host", "API_KEY": KEY}, "API_ENDPOINT='http://...@host' cannot be used"),
        ({"API_ENDPOINT": "http://127.0.0.1:1", "API_KEY": f"{KEY}\nx"}, "API_KEY cannot be used"),
        ({"API_ENDPOINT": "http://127.0.0.1:1", "API_KEY": f"{KEY}é"}, "API_KEY cannot be used"),
    ],
)
def test_a_missing_or_bad_variable_is_named(variables: dict[str, str], named: str) -> None:
    done = run("query", "-path", "string/replace", **variables)
    assert done.returncode == 2
    assert named in done.stderr.decode()
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((), "-path"),
        (("-path", "p", "-timeout", "0"), "'0' is not a number of seconds"),
        (("-path", "p", "-timeout", "soon"), "'soon' is not a number of seconds"),
        (("-path", "p", "-x", "GET /"), "'GET /' is not a method"),
    ],
)
def test_a_bad_argument_is_named(arguments: tuple[str, ...], named: str) -> None:
    done = run("query", *arguments, API_ENDPOINT="http://127.0.0.1:1", API_KEY=KEY)
    assert done.returncode == 2
    assert named in done.stderr.decode()


def test_a_bare_host_name_means_https() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        first_bytes = []

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                first_bytes.append(connection.recv(3))

        thread = threading.Thread(target=accept)
        thread.start()
        done = run("query", "-path", "p", API_ENDPOINT=f"127.0.0.1:{port}", API_KEY=KEY)
        thread.join(10)
    assert first_bytes[0][:2] == b"\x16\x03"  # a TLS handshake record
    assert done.returncode == 3


def test_nobody_there_is_said_briefly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    done = run("query", "-path", "p", API_ENDPOINT=f"http://127.0.0.1:{port}", API_KEY=KEY)
    assert done.returncode == 3
    assert f"no answer from http://127.0.0.1:{port}: [Errno" in done.stderr.decode()


def test_a_silent_api_is_given_up_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        done = run("query", "-path", "p", "-timeout", "0.2", API_ENDPOINT=f"http://127.0.0.1:{port}", API_KEY=KEY)
    assert done.returncode == 3
    assert "within 0.2 s" in done.stderr.decode()


def test_a_missing_package_is_named_with_how_to_get_it(tmp_path: Path) -> None:
    # A package of that name which behaves as an absent one does.
    (tmp_path / "requests.py").write_text("raise ModuleNotFoundError(\"No module named 'requests'\")")
    done = run("query", "-path", "p", API_ENDPOINT="http://127.0.0.1:1", API_KEY=KEY, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "pip install -r requirements.txt" in done.stderr.decode()


def test_help_tells_the_exit_codes() -> None:
    done = run("query", "--help")
    assert done.returncode == 0
    assert "exit codes:" in done.stdout.decode()
