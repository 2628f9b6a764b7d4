"""Asks a built binary of a service for its contract."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import threading
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from switchyard.openapi.contract import BadContract, Json, checked

START_SECONDS = 30
"""How long the binary may take until it listens."""

ANSWER_SECONDS = 10


def contract(binary: Path) -> Json:
    """What `binary`, started for this alone on a port of its own, serves as /openapi.json."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOST": "127.0.0.1",
        "PORT": "0",
        "API_KEY": secrets.token_hex(16),
    }
    try:
        process = subprocess.Popen(
            [binary], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
    except OSError as error:
        raise BadContract(
            f"{binary} cannot be started: {error}: build it with `cargo build --bin {binary.name}`"
        ) from error
    with process:
        # What does not come up by then is ended, which ends its output as well.
        limit = threading.Timer(START_SECONDS, process.kill)
        limit.start()
        try:
            url = f"http://{_address(binary, process)}/openapi.json"
            limit.cancel()
            with urlopen(url, timeout=ANSWER_SECONDS) as answer:
                return checked(json.load(answer), f"/openapi.json of {binary}")
        except (URLError, ValueError) as error:
            raise BadContract(f"{binary} does not serve its contract: {error}") from error
        finally:
            limit.cancel()
            process.kill()


def _address(binary: Path, process: subprocess.Popen[str]) -> str:
    """Where it listens, from its log: a line of JSON."""
    said = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line)
        entry: Any = json.loads(line) if line.startswith("{") else {}
        if entry.get("message") == "listening":
            return str(entry["address"])
    heard = "".join(said) or "nothing"
    raise BadContract(
        f"{binary} ended without listening, or was ended after {START_SECONDS} seconds; it said:\n{heard}"
    )
