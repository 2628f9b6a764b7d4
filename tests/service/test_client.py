"""The client and the service, together, as the documentation tells people to use them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.container import KEY, Container

MAIN = Path(__file__).parents[2] / "scripts" / "main.py"


@pytest.mark.parametrize(
    ("key", "body", "code", "answer"),
    [
        (KEY, '{"content": "ABN und Größe"}', 0, {"message": "ABN AMRO und Größe"}),
        (KEY, "{", 1, {"message": "Something went wrong in decoding Payload"}),
        ("a-key-that-is-wrong", '{"content": "ABN"}', 1, {"message": "Forbidden"}),
    ],
)
def test_the_client_prints_what_the_service_answers(key: str, body: str, code: int, answer: dict[str, str]) -> None:
    with Container() as service:
        done = subprocess.run(
            [sys.executable, str(MAIN), "query", "-x", "POST", "-path", "string/replace", "-body", body],
            env={"API_ENDPOINT": service.url, "API_KEY": key, "NO_PROXY": "127.0.0.1"},
            capture_output=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == code, done.stderr.decode()
    assert json.loads(done.stdout) == answer
