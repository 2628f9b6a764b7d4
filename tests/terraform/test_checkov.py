"""checkov finds nothing, has read every file, and is told why by each skip."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    command = ["make", "--silent", "check/checkov", "ARGS=--output json --soft-fail"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    parsed = json.loads(run.stdout)
    assert isinstance(parsed, dict)
    return parsed


def test_nothing_is_found(report: dict[str, Any]) -> None:
    found = [
        f"{each['check_id']} {each['resource']}: {each['check_name']}" for each in report["results"]["failed_checks"]
    ]
    assert found == []
    # A scan of nothing finds nothing.
    assert report["summary"]["passed"] > 200


def test_every_file_was_read(report: dict[str, Any]) -> None:
    """checkov leaves out a file that it cannot parse, and calls the scan clean."""
    assert report["summary"]["parsing_errors"] == 0


SKIP = re.compile(r"#\s*checkov:skip=(?P<rest>.*)")


def test_each_skip_says_why() -> None:
    skips = [
        (f"{file.relative_to(ROOT)}:{number}", match["rest"])
        for file in sorted((ROOT / "terraform").rglob("*.tf"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if (match := SKIP.search(line))
    ]
    assert skips
    without_reason = [where for where, rest in skips if not re.fullmatch(r"CKV2?_AWS_\d+:\S.{15,}", rest)]
    assert without_reason == []
