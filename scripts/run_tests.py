"""Runs parts of the tests one after the other, each a target of the Makefile, and adds up what they say.

    run_tests.py test/crates test/service

Everything that a part prints is passed on as it comes, and kept in target/test/. A part that fails does not keep the
later ones from running. The last line is `N passed, N failed`: the sum of the test runners' own closing lines. Whether
all is well is decided by the parts' exit codes; counting can only add failures: a part that ends with an error is at
least one, and a part in which nothing passed is one too.
"""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "target" / "test"

COLOUR = re.compile(r"\x1b\[[\d;]*m")
# The lines with which `cargo test`, `terraform test` and pytest close.
CLOSING = re.compile(
    r"^test result: \w+\. (?P<cargo>\d.*)$"
    r"|^(?:Success|Failure)! (?P<terraform>\d+ passed, \d+ failed.*)$"
    r"|^(?:=+ )?(?P<pytest>\d+ [a-z]+\b.*) in \d[\d.]*s\b.*$",
    re.MULTILINE,
)
# pytest counts what breaks outside a test as errors.
PASSED = re.compile(r"(\d+) passed\b")
FAILED = re.compile(r"(\d+) (?:failed|errors?)\b")


@dataclass(frozen=True)
class Counts:
    passed: int = 0
    failed: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed"


def main(parts: list[str]) -> int:
    if not parts:
        print("usage: run_tests.py TARGET...", file=sys.stderr)
        return 64
    LOGS.mkdir(parents=True, exist_ok=True)
    total = Counts()
    summary = []
    for part in parts:
        say(f"\n=== make {part}")
        start = time.monotonic()
        code, log = run(part)
        counts = judged(counted(log), code)
        total += counts
        summary.append(f"{part:<22} {counts!s:<24} {time.monotonic() - start:4.0f} s")
    say("\n" + "\n".join(summary) + f"\n\n{total}")
    return 1 if total.failed else 0


def run(part: str) -> tuple[int, str]:
    """Runs a target; returns its exit code and what it printed."""
    child = subprocess.Popen(
        ["make", part], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert child.stdout
    path = LOGS / f"{part.replace('/', '-')}.log"
    try:
        with path.open("wb") as log:
            # Not line by line: pytest prints a dot per test.
            while piece := os.read(child.stdout.fileno(), 65536):
                log.write(piece)
                sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
        code = child.wait()
    finally:
        if child.poll() is None:
            child.terminate()
            child.wait()
    return code, path.read_text(encoding="utf-8", errors="replace")


def counted(log: str) -> Counts:
    """The sum of the closing lines in what a part printed."""
    total = Counts()
    for line in CLOSING.finditer(COLOUR.sub("", log).replace("\r", "")):
        total += Counts(*(sum(int(n) for n in what.findall(line[0])) for what in (PASSED, FAILED)))
    return total


def judged(counts: Counts, code: int) -> Counts:
    """The counts of a part that ended with `code`, with a failure if there is none yet and there should be."""
    is_bad = code != 0 or counts.passed == 0
    return Counts(counts.passed, max(counts.failed, 1)) if is_bad else counts


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
