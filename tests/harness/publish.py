"""The publish API as it is deployed: its parts in the account, and what a caller does with it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness import client as main_py
from harness import http
from harness.control_plane import CREDENTIALS, client
from harness.waiting import eventually

PROCESSED_SECONDS = 120.0
"""Many times the queue's delay and a batch."""
LOOKS_EVERY_SECONDS = 0.2

TEST_EVENT = json.dumps({"Event": "s3:TestEvent"})
"""A message that the worker takes and does nothing with."""


class Publish:
    def __init__(self, url: str, control_plane: str) -> None:
        self.url = url
        self.control_plane = control_plane
        self.s3, self.sqs, self.dynamodb = (client(control_plane, name) for name in ("s3", "sqs", "dynamodb"))
        self.functions = client(control_plane, "lambda")
        tables = self.dynamodb.list_tables()["TableNames"]
        (self.tokens,) = [name for name in tables if name.endswith("-tokens")]
        (self.receipts,) = [name for name in tables if name.endswith("-publish-receipts")]
        queues = self.sqs.list_queues()["QueueUrls"]
        (self.queue,) = [url for url in queues if url.endswith("-publish")]
        (self.errors,) = [url for url in queues if url.endswith("-publish-errors")]
        buckets = [bucket["Name"] for bucket in self.s3.list_buckets()["Buckets"]]
        (self.bucket,) = [name for name in buckets if "-publish-" in name]
        names = [function["FunctionName"] for function in self.functions.list_functions()["Functions"]]
        (worker,) = [name for name in names if name.endswith("-publish-worker")]
        self.worker = Worker(self, worker)

    @property
    def environment(self) -> dict[str, str]:
        """What `scripts/main.py` wants to know."""
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.control_plane,
            "TOKEN_TABLE": self.tokens,
            "RECEIPT_TABLE": self.receipts,
            "QUEUE_URL": self.queue,
            "ERROR_QUEUE_URL": self.errors,
        }

    def run(self, *arguments: str, **more: str) -> str:
        """`scripts/main.py`; what it prints."""
        done = main_py.run(*arguments, **self.environment, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode()

    def token(self, name: str, *scopes: str) -> str:
        wanted = [argument for scope in scopes for argument in ("--scope", scope)]
        return self.run("token", "create", name, *wanted).strip()

    def post(self, body: bytes, content_type: str, **headers: str) -> http.Response:
        return http.request(self.url, "POST", "/publish", {"Content-Type": content_type, **headers}, body)

    def receipt(self, published: str, token: str) -> http.Response:
        return http.request(self.url, "GET", f"/publish/{published}", {"AuthDetails": token})

    def kept(self, prefix: str, published: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=f"{prefix}/{published}")

    def objects(self, prefix: str) -> dict[str, str]:
        """Ids of all that is there, each with the MD5 of its content."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=f"{prefix}/")
        found = [item for page in pages for item in page.get("Contents", [])]
        return {item["Key"].removeprefix(f"{prefix}/"): item["ETag"].strip('"') for item in found}

    def all_receipts(self) -> dict[str, dict[str, Any]]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.receipts)
        return {item["id"]["S"]: item for page in pages for item in page["Items"]}

    def processed(self, published: str, token: str) -> dict[str, Any]:
        def done() -> dict[str, Any] | None:
            answer = self.receipt(published, token)
            assert answer.status == 200, answer.body
            said: dict[str, Any] = answer.json()
            return said if said["status"] == "done" else None

        return eventually(f"{published} is done", done, PROCESSED_SECONDS, LOOKS_EVERY_SECONDS)

    def tell(self, published: str) -> None:
        """One more message about a body, as SQS may deliver one twice."""
        notification = {"Records": [{"s3": {"object": {"key": quote(f"captured/{published}", safe="")}}}]}
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(notification), DelaySeconds=0)

    def waiting(self, queue: str) -> int:
        """Messages in it, also those that cannot be seen now."""
        names = [f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed")]
        found = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
        return sum(int(number) for number in found.values())

    def settle(self) -> None:
        """Until the worker has taken all there is."""
        eventually("the queue is empty", lambda: self.waiting(self.queue) == 0, PROCESSED_SECONDS, LOOKS_EVERY_SECONDS)

    @contextmanager
    def hidden_for(self, seconds: int) -> Iterator[None]:
        """A message that failed comes back so soon, not after six times the worker's time-out."""
        names = ["VisibilityTimeout"]
        before = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=names)["Attributes"]
        self._hide({"VisibilityTimeout": str(seconds)})
        try:
            yield
        finally:
            self._hide(before)

    def _hide(self, attributes: Mapping[str, str]) -> None:
        self.sqs.set_queue_attributes(QueueUrl=self.queue, Attributes=attributes)
        # A receive that is under way hides what it gets for as long as was said when it began: so it gets this.
        self.sqs.send_message(QueueUrl=self.queue, MessageBody=TEST_EVENT, DelaySeconds=0)
        self.settle()


class Worker:
    """The function that processes bodies, and the processes that it runs in."""

    def __init__(self, publish: Publish, name: str) -> None:
        self._publish = publish
        self.name = name

    def processes(self) -> dict[int, dict[str, str]]:
        """Running ones with their environments, by their ids."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                given = (folder / "environ").read_text("utf-8", "replace").split("\0")
            except OSError:
                continue  # it has ended, or is another user's
            variables = dict(pair.split("=", 1) for pair in given if "=" in pair)
            ours = variables.get("AWS_ENDPOINT_URL") == self._publish.control_plane
            if ours and variables.get("AWS_LAMBDA_FUNCTION_NAME") == self.name:
                found[int(folder.name)] = variables
        return found

    def kill(self) -> int:
        """Ends all of them, as when the machine below them ends; the number of them."""
        found = self.processes()
        for process in found:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue
        return len(found)

    def most_memory(self) -> int:
        """Bytes that any of the running ones has held at once."""
        return max(_memory(process) for process in self.processes())

    @contextmanager
    def configured(self, **variables: str) -> Iterator[None]:
        """Runs with these in its environment."""
        settings = self._publish.functions.get_function_configuration(FunctionName=self.name)
        before: dict[str, str] = settings["Environment"]["Variables"]
        self._configure(before | variables)
        try:
            yield
        finally:
            self._configure(before)

    def _configure(self, variables: Mapping[str, str]) -> None:
        self._publish.functions.update_function_configuration(
            FunctionName=self.name, Environment={"Variables": variables}
        )

        def in_effect() -> bool:
            # Something to do, so that there is a process.
            self._publish.sqs.send_message(QueueUrl=self._publish.queue, MessageBody=TEST_EVENT, DelaySeconds=0)
            self._publish.settle()
            running = self.processes().values()
            return bool(running) and all(variables.items() <= environment.items() for environment in running)

        eventually("the worker runs with its new settings", in_effect)


def _memory(process: int) -> int:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError(f"process {process} has ended")
