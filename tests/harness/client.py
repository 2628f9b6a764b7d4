"""`scripts/main.py`, run as people run it."""

import os
import subprocess
import sys

from harness.control_plane import ROOT

MAIN = ROOT / "scripts" / "main.py"
OWN = ("API_", "AWS_", "TOKEN_TABLE", "QUEUE_URL", "ERROR_QUEUE_URL", "RECEIPT_TABLE")


def run(*arguments: str, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[bytes]:
    """With nothing of this machine's own settings for the client."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
    done = subprocess.run(
        [sys.executable, str(MAIN), *arguments],
        env=environment | {"NO_PROXY": "127.0.0.1"} | variables,
        input=stdin.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done
