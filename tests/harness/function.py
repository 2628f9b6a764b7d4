"""A Lambda binary, running against a Runtime API of its own."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from harness.binaries import binary
from harness.process import Process
from harness.runtime_api import RuntimeApi
from harness.waiting import PATIENCE, eventually


class Function:
    """One instance of a function. Used as a context manager; initialised when entered."""

    def __init__(self, name: str, environment: Mapping[str, str] | None = None) -> None:
        self._api = RuntimeApi()
        self.process = Process(
            [binary(name)],
            {
                "AWS_LAMBDA_RUNTIME_API": self._api.address,
                "AWS_LAMBDA_FUNCTION_NAME": name,
                "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
                "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
                "AWS_LAMBDA_LOG_STREAM_NAME": "2026/01/02/[$LATEST]0123456789abcdef",
                "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
                "AWS_REGION": "eu-west-1",
                "AWS_ACCESS_KEY_ID": "test",
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_SESSION_TOKEN": "test",
                "LAMBDA_TASK_ROOT": "/var/task",
                "_HANDLER": "bootstrap",
                **(environment or {}),
            },
        )

    def __enter__(self) -> Self:
        try:
            eventually("the function's first request for work", self._initialised)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _initialised(self) -> bool:
        if self.process.exit_code is not None:
            raise RuntimeError(
                f"the function ended with code {self.process.wait()} during INIT "
                f"({self._api.init_error}):\n{self.process.output}"
            )
        return self._api.asked_for_work.is_set()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.stop()
        self._api.close()

    def invoke(self, event: dict[str, Any], patience: float = PATIENCE) -> tuple[str, Any]:
        """Returns the request id and the function's answer."""
        return self._api.invoke(event, patience)
