"""Runs parts of the tests, each a target of the Makefile, and adds up what they say.

    run_tests.py test/crates test/service --beside test/local

Parts run one after the other. One that mostly waits may run beside them: it is started at once. Everything that a part
prints is passed on, one part after the other, and kept in target/test/. A part that fails does not keep the others from
running. The last line is `N passed, N failed`: the sum of the test runners' own closing lines. Whether all is well is
decided by the parts' exit codes; counting can only add failures: a part that ends with an error is at least one, and a
part in which nothing passed is one too.
"""

import argparse
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOGS = ROOT / "target" / "test"
POLL_SECONDS = 0.2

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


class Part:
    """A target of the Makefile."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.counts = Counts(0, 1)  # a failure, until it has ended well
        self.seconds = 0.0
        self._log = LOGS / f"{target.replace('/', '-')}.log"
        self._log.write_bytes(b"")
        self._child: subprocess.Popen[bytes] | None = None
        self._ended = threading.Event()
        self._is_stopped = False

    def run(self) -> None:
        if self._is_stopped:
            return
        start = time.monotonic()
        try:
            with self._log.open("wb") as log:
                self._child = subprocess.Popen(
                    ["make", self.target], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
                code = self._child.wait()
            self.counts = judged(counted(self._log.read_text(encoding="utf-8", errors="replace")), code)
        finally:
            self.seconds = time.monotonic() - start
            self._ended.set()

    def show(self) -> None:
        """Passes on what it prints, from its beginning to its end."""
        say(f"\n=== make {self.target}")
        with self._log.open("rb") as log:
            is_last = False
            while not is_last:
                # Asked before reading: what was printed until then is read yet.
                is_last = self._ended.wait(POLL_SECONDS)
                # Not line by line: pytest prints a dot per test.
                while piece := log.read(65536):
                    sys.stdout.buffer.write(piece)
                    sys.stdout.buffer.flush()

    def stop(self) -> None:
        self._is_stopped = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()
            self._child.wait()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="run_tests.py")
    parser.add_argument("parts", metavar="TARGET", nargs="+", help="run one after the other")
    parser.add_argument("--beside", metavar="TARGET", action="append", default=[], help="run beside these")
    options = parser.parse_args(arguments)
    LOGS.mkdir(parents=True, exist_ok=True)
    lanes = [[Part(target) for target in options.parts], *([Part(target)] for target in options.beside)]
    parts = [part for lane in lanes for part in lane]
    try:
        for lane in lanes:
            threading.Thread(target=run, args=[lane], daemon=True).start()
        for part in parts:
            part.show()
    finally:
        # The last first, so that none begins when the one before it ends.
        for part in reversed(parts):
            part.stop()
    summary = [f"{part.target:<22} {part.counts!s:<24} {part.seconds:4.0f} s" for part in parts]
    total = sum((part.counts for part in parts), Counts())
    say("\n" + "\n".join(summary) + f"\n\n{total}")
    return 1 if total.failed else 0


def run(lane: list[Part]) -> None:
    for part in lane:
        try:
            part.run()
        except OSError as error:
            print(f"run_tests.py: {part.target} could not be run: {error}", file=sys.stderr)


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
