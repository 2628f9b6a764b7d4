"""A binary that is asked for its contract, and what becomes of one that has none."""

import sys
from pathlib import Path

import pytest

import openapi
from switchyard.openapi import container
from switchyard.openapi.contract import BadContract

SERVER = """\
import http.server, json, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/openapi.json" else 404)
        self.end_headers()
        self.wfile.write(DOCUMENT)

    def log_message(self, *arguments):
        pass

server = http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler)
assert len(os.environ["API_KEY"]) >= 16
print("no line of JSON")
print(json.dumps({"message": "map loaded"}))
print(json.dumps({"message": "listening", "address": "%s:%d" % server.server_address}), flush=True)
server.serve_forever()
"""


def program(folder: Path, text: str) -> Path:
    file = folder / "service"
    file.write_text(f"#!{sys.executable}\n{text}")
    file.chmod(0o755)
    return file


def test_a_binary_is_started_asked_and_ended(tmp_path: Path) -> None:
    document = (Path(__file__).parents[3] / "terraform" / "openapi" / "contracts" / "string.json").read_bytes()
    binary = program(tmp_path, f"DOCUMENT = {document!r}\n{SERVER}")
    file = tmp_path / "contracts" / "string.json"
    assert openapi.main(["contract", str(binary), str(file)]) == 0
    assert file.read_bytes() == document, "it is written as it is committed"
    assert openapi.main(["contract", "--check", str(binary), str(file)]) == 0


def test_a_contract_that_moved_is_drift(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = b'{"openapi": "3.1.0", "info": {"title": "a", "version": "2"}, "paths": {"/a": {}}}'
    binary = program(tmp_path, f"DOCUMENT = {document!r}\n{SERVER}")
    file = tmp_path / "a.json"
    file.write_text(document.decode().replace('"2"', '"1"'))
    assert openapi.main(["contract", "--check", str(binary), str(file)]) == 1
    assert f"{file} is not what its sources say: run `make openapi`" in capsys.readouterr().err
    assert '"1"' in file.read_text()


def test_a_binary_that_is_not_there_is_to_be_built(tmp_path: Path) -> None:
    with pytest.raises(BadContract, match=r"gone cannot be started: .*: build it with `cargo build --bin gone`"):
        container.contract(tmp_path / "gone")


def test_a_binary_that_ends_at_once_is_heard(tmp_path: Path) -> None:
    with pytest.raises(BadContract, match=r"(?s)ended without listening.*PORT is taken"):
        container.contract(program(tmp_path, 'raise SystemExit("PORT is taken")'))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"<html>", "does not serve its contract"),
        (b"{}", "is no OpenAPI 3.0 or 3.1 document: it has no member 'openapi'"),
    ],
)
def test_an_answer_that_is_no_contract_is_named(tmp_path: Path, document: bytes, message: str) -> None:
    with pytest.raises(BadContract, match=message):
        container.contract(program(tmp_path, f"DOCUMENT = {document!r}\n{SERVER}"))
