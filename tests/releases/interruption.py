"""Ends a command as SIGKILL would, right after the Nth change that it has made (a call that changes AWS, or a file), or
by SIGKILL, right after the Nth line that it has printed. Each time it is a copy of this process that ends: one that
begins anew would first have to import the AWS SDK."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

KILLED = 137
READING = ("Get", "List", "Describe")


def run_and_kill(command: Callable[[], int], after: int) -> int:
    """Runs `command` in a process of its own; its exit code, or `KILLED`."""

    def prepared() -> int:
        _kill_after(after)
        return command()

    return _exit_code(_fork(prepared))


def run_and_kill_at_line(command: Callable[[], int], number: int) -> int:
    """Runs `command` in a process of its own; its exit code, or `-SIGKILL`."""
    reading, writing = os.pipe()

    def prepared() -> int:
        os.close(reading)
        # As of a process whose output goes into a pipe: what is not flushed is lost with it.
        sys.stdout = os.fdopen(writing, "w")
        return command()

    child = _fork(prepared)
    os.close(writing)
    with os.fdopen(reading) as lines:
        for _ in range(number):
            lines.readline()
        os.kill(child, signal.SIGKILL)
    return _exit_code(child)


def _fork(command: Callable[[], int]) -> int:
    child = os.fork()
    if child == 0:
        # Nothing of this process's may run at its end: no `finally`, no fixture, no buffer.
        code = 1
        try:
            code = command()
        finally:
            os._exit(code)
    return child


def _exit_code(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _kill_after(changes: int) -> None:
    left = changes

    def count() -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os._exit(KILLED)

    call, replace = BaseClient._make_api_call, Path.replace

    def make_api_call(self: Any, operation: str, parameters: dict[str, Any]) -> Any:
        answer = call(self, operation, parameters)
        if not operation.startswith(READING):
            count()
        return answer

    def replace_file(self: Path, target: Path) -> Path:
        result = replace(self, target)
        count()
        return result

    BaseClient._make_api_call = make_api_call
    Path.replace = replace_file  # type: ignore[method-assign,assignment]
