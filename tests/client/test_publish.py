"""`scripts/main.py publish`, against a small HTTP server that answers as it is told."""

import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from harness.client import run

TOKEN = "sy_a-token-that-must-not-be-shown"
ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
CAPTURED = {"id": ID, "status": "captured"}


@dataclass
class Api:
    """Gives `answers` one after the other, the last one again and again, and keeps what came."""

    answers: list[tuple[int, object]]
    url: str = ""
    requests: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api(answers=[(202, CAPTURED)])

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            api.requests.append((self.command, self.path, headers, body))
            status, said = api.answers.pop(0) if len(api.answers) > 1 else api.answers[0]
            text = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}/beta"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield api
        server.shutdown()


def test_a_file_goes_out_as_it_is_with_the_token(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "body.json"
    content = bytes(range(256)) * 1000
    file.write_bytes(content)
    done = run("publish", str(file), API_ENDPOINT=api.url, API_TOKEN=TOKEN)
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, CAPTURED, b"")
    [(method, path, headers, body)] = api.requests
    assert (method, path, body) == ("POST", "/beta/publish", content)
    assert headers["authdetails"] == f"Bearer {TOKEN}"
    assert headers["content-type"] == "application/json", "by the file's name"
    assert "x-api-key" not in headers


def test_standard_input_and_another_header_and_type(api: Api) -> None:
    arguments = ("publish", "-", "--content-type", "text/csv")
    run(*arguments, stdin="a,b", API_ENDPOINT=api.url, API_TOKEN=TOKEN, API_TOKEN_HEADER="X-Mine")
    [(_, _, headers, body)] = api.requests
    assert (headers["x-mine"], headers["content-type"], body) == (f"Bearer {TOKEN}", "text/csv", b"a,b")
    assert "authdetails" not in headers


def test_without_a_token_none_is_sent_and_an_unknown_type_is_bytes(api: Api) -> None:
    run("publish", "-", stdin="", API_ENDPOINT=api.url)
    [(_, _, headers, body)] = api.requests
    assert (headers["content-type"], body) == ("application/octet-stream", b"")
    assert "authdetails" not in headers


def test_waiting_ends_with_the_receipt(api: Api) -> None:
    receipt = {"id": ID, "status": "done", "attempts": 1, "size": 3, "result": "https://bucket/results"}
    api.answers = [(202, CAPTURED), (200, CAPTURED), (200, {"id": ID, "status": "processing"}), (200, receipt)]
    done = run("publish", "-", "--wait", stdin="abc", API_ENDPOINT=api.url, API_TOKEN=TOKEN)
    assert (done.returncode, json.loads(done.stdout)) == (0, receipt)
    asked = [(method, path, headers["authdetails"]) for method, path, headers, _ in api.requests[1:]]
    assert asked == [("GET", f"/beta/publish/{ID}", f"Bearer {TOKEN}")] * 3


def test_waiting_for_what_fails_says_why(api: Api) -> None:
    receipt = {"id": ID, "status": "failed", "attempts": 1, "reason": "the body is not JSON"}
    api.answers = [(202, CAPTURED), (200, receipt)]
    done = run("publish", "-", "--wait", stdin="{", API_ENDPOINT=api.url, API_TOKEN=TOKEN)
    assert (done.returncode, json.loads(done.stdout)) == (1, receipt)


@pytest.mark.parametrize("answers", [[(403, {"message": "Forbidden", "hint": "The token has expired"})]])
def test_a_refusal_is_shown_with_its_hint_and_not_waited_for(api: Api, answers: list[tuple[int, object]]) -> None:
    api.answers = answers
    done = run("publish", "-", "--wait", stdin="x", API_ENDPOINT=api.url, API_TOKEN=TOKEN)
    assert done.returncode == 1
    assert b"The token has expired" in done.stdout
    assert done.stderr == b"HTTP 403 Forbidden\n"
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "API_ENDPOINT is not set"),
        ({"API_ENDPOINT": "ftp://x"}, "API_ENDPOINT='ftp://x' cannot be used"),
        ({"API_ENDPOINT": "http://127.0.0.1:1", "API_TOKEN": f"{TOKEN}\nx"}, "API_TOKEN cannot be used"),
        ({"API_ENDPOINT": "http://127.0.0.1:1", "API_TOKEN_HEADER": "a b"}, "API_TOKEN_HEADER='a b' cannot be used"),
    ],
)
def test_a_missing_or_bad_variable_is_named(variables: dict[str, str], named: str) -> None:
    done = run("publish", "-", **variables)
    assert done.returncode == 2
    assert named in done.stderr.decode()
    assert TOKEN.encode() not in done.stderr + done.stdout


def test_a_file_that_is_not_there_is_named(api: Api) -> None:
    done = run("publish", "absent.json", API_ENDPOINT=api.url)
    assert done.returncode == 2
    assert "absent.json cannot be read: No such file" in done.stderr.decode()
    assert api.requests == []


def test_an_answer_that_is_not_json_is_named(api: Api) -> None:
    api.answers = [(202, CAPTURED), (200, "not an object")]
    done = run("publish", "-", "--wait", stdin="x", API_ENDPOINT=api.url)
    assert done.returncode == 1
    assert "is API_ENDPOINT the publish API's?" in done.stderr.decode()
