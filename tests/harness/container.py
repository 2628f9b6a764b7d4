"""The container's binary, running."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from harness import http
from harness.binaries import binary
from harness.process import Process, free_port
from harness.waiting import eventually

KEY = "the-key-of-the-tests"


class Container:
    """The service as the container runs it, on 127.0.0.1. Used as a context manager; ready to serve when entered."""

    def __init__(self, environment: Mapping[str, str] | None = None, key: str | None = KEY) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.key = key
        self.process = Process(
            [binary("fargate-app")],
            {
                "HOST": "127.0.0.1",
                "PORT": str(port),
                **({} if key is None else {"API_KEY": key}),
                **(environment or {}),
            },
        )

    def __enter__(self) -> Self:
        try:
            eventually(f"an answer from {self.url}", self._answers)
        except BaseException:
            self.process.stop()
            raise
        return self

    def _answers(self) -> bool:
        if self.process.exit_code is not None:
            # Not one of the errors that `eventually` waits out.
            raise RuntimeError(f"the service ended with code {self.process.wait()}:\n{self.process.output}")
        return self.get("/status/health").status == 200

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.process.stop()

    def get(self, path: str) -> http.Response:
        """A GET without the key."""
        return http.request(self.url, "GET", path)

    def post(
        self,
        body: bytes | Iterable[bytes],
        content_type: str = "application/json",
        path: str = "/string/replace",
        headers: Mapping[str, str] | None = None,
    ) -> http.Response:
        """A POST with the key."""
        assert self.key is not None
        return http.request(
            self.url, "POST", path, {"x-api-key": self.key, "Content-Type": content_type, **(headers or {})}, body
        )

    def replace(self, text: str) -> str:
        """What the service makes of `text`."""
        response = self.post(text.encode(), "text/plain; charset=utf-8")
        assert response.status == 200, response
        return response.body.decode()

    def readiness(self) -> tuple[int, dict[str, Any]]:
        response = self.get("/status/ready")
        return response.status, response.json()
