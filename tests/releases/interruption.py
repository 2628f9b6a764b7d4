"""Ends a command as SIGKILL would, right after the Nth change that it has made: a call that changes AWS, or a file."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.client import BaseClient

KILLED = 137
READING = ("Get", "List", "Describe")


def run_and_kill(command: Callable[[], int], after: int) -> int:
    """Runs `command` in a process of its own; its exit code, or `KILLED`."""
    child = os.fork()
    if child == 0:
        # Nothing of this process's may run at its end: no `finally`, no fixture, no buffer.
        code = 1
        try:
            _kill_after(after)
            code = command()
        finally:
            os._exit(code)
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
