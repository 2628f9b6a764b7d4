"""`scripts/run_tests.py`, which adds up what the test runners say: whatever it counts, a failure stays one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from run_tests import Counts, counted, judged

SCRIPT = Path(__file__).parents[2] / "scripts" / "run_tests.py"


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ("test result: ok. 5 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s", Counts(5, 0)),
        ("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out", Counts(3, 2)),
        ("Success! 12 passed, 0 failed.", Counts(12, 0)),
        ("\x1b[31mFailure!\x1b[0m 1 passed, 1 failed, 2 skipped.", Counts(1, 1)),
        ("======= 5 passed, 2 deselected in 1.20s =======", Counts(5, 0)),
        ("\x1b[31m==== \x1b[31m1 failed\x1b[0m, 7 passed, 1 error in 61.00s (0:01:01) ====\x1b[0m", Counts(7, 2)),
        ("3 passed in 0.10s", Counts(3, 0)),
        ("====== no tests ran in 0.01s ======", Counts(0, 0)),
        ("1 passed in 0.1s\r\ntest result: ok. 2 passed; 0 failed", Counts(3, 0)),
        ("terraform: apply 60 s\nbefore: 9 passed in 1s\n   Compiling replace v1.0.0", Counts(0, 0)),
    ],
)
def test_closing_lines_are_added_up(log: str, expected: Counts) -> None:
    assert counted(log) == expected


@pytest.mark.parametrize(
    ("counts", "code", "expected"),
    [
        (Counts(3, 0), 0, Counts(3, 0)),
        (Counts(3, 0), 2, Counts(3, 1)),
        (Counts(3, 4), 2, Counts(3, 4)),
        (Counts(3, 4), 0, Counts(3, 4)),
        (Counts(0, 0), 0, Counts(0, 1)),
    ],
)
def test_a_part_that_failed_is_a_failure_whatever_was_counted(counts: Counts, code: int, expected: Counts) -> None:
    assert judged(counts, code) == expected


@pytest.mark.parametrize(
    ("recipes", "code", "closing"),
    [
        ({"a": "echo '2 passed in 0.1s'", "b": "echo 'test result: ok. 3 passed; 0 failed'"}, 0, "5 passed, 0 failed"),
        ({"a": "echo '1 failed, 2 passed in 1s'; false", "b": "echo '3 passed in 1s'"}, 1, "5 passed, 1 failed"),
        ({"a": "echo '2 passed in 0.1s'; kill -9 $$$$", "b": "echo '3 passed in 1s'"}, 1, "5 passed, 1 failed"),
        ({"a": "echo '2 passed in 0.1s'", "b": "true"}, 1, "2 passed, 1 failed"),
    ],
)
def test_every_part_runs_and_the_last_line_and_the_exit_code_say_how_it_went(
    tmp_path: Path, recipes: dict[str, str], code: int, closing: str
) -> None:
    done = run_tests(tmp_path, recipes, [*recipes])
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == closing
    assert (tmp_path / "target" / "test" / "a.log").read_text() != ""


def test_a_part_beside_the_others_runs_meanwhile_and_is_shown_after_them(tmp_path: Path) -> None:
    # Each waits for what the other one leaves.
    recipes = {
        "a": "touch a; until test -e c; do sleep 0.05; done; echo '1 passed in 1s'",
        "b": "echo '2 passed in 1s'",
        "c": "until test -e a; do sleep 0.05; done; touch c; echo '3 passed, 1 failed in 1s'; false",
    }
    done = run_tests(tmp_path, recipes, ["a", "b", "--beside", "c"])
    shown = [line for line in done.stdout.splitlines() if line.startswith("===") or " in 1s" in line]
    said = ["=== make a", "1 passed in 1s", "=== make b", "2 passed in 1s", "=== make c", "3 passed, 1 failed in 1s"]
    assert shown == said, done.stdout
    assert (done.stdout.splitlines()[-1], done.returncode) == ("6 passed, 1 failed", 1)


def run_tests(folder: Path, recipes: dict[str, str], arguments: list[str]) -> subprocess.CompletedProcess[str]:
    makefile = folder / "Makefile"
    makefile.write_text("".join(f".PHONY: {name}\n{name}:\n\t@{recipe}\n" for name, recipe in recipes.items()))
    # The script's own folder decides which Makefile it runs, so it is run from a copy.
    copy = folder / "scripts" / SCRIPT.name
    copy.parent.mkdir()
    copy.write_text(SCRIPT.read_text())
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(
        [sys.executable, str(copy), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
