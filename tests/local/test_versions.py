"""A release of a function: `test` serves what was uploaded, `prod` what was promoted, and then what was before."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from harness import http
from harness.control_plane import client
from harness.make_local import MakeLocal
from harness.waiting import eventually

# A custom runtime in the whole: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
BOOTSTRAP = f"""#!{sys.executable}
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as event:
        identifier = event.headers["Lambda-Runtime-Aws-Request-Id"]
    answer = {{"statusCode": 200, "headers": {{"content-type": "application/json"}}, "body": '{{"message": "new"}}'}}
    urllib.request.urlopen(urllib.request.Request(api + identifier + "/response", json.dumps(answer).encode())).close()
"""


def package() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.create_system = 3  # Unix, so that the mode counts
        entry.external_attr = 0o100755 << 16
        archive.writestr(entry, BOOTSTRAP)
    return file.getvalue()


class Release:
    """The function behind the stages, and what they answer."""

    def __init__(self, endpoints: dict[str, Any]) -> None:
        self.api = client(endpoints["control_plane"], "lambda")
        functions = self.api.list_functions()["Functions"]
        self.function = next(
            function["FunctionName"] for function in functions if "string-replace" in function["FunctionName"]
        )
        self._doors = {endpoint["name"]: endpoint for endpoint in endpoints["endpoints"]}

    def answer(self, stage: str) -> str:
        door = self._doors[f"lambda-{stage}"]
        headers = {**door["headers"], "Content-Type": "application/json"}
        response = http.request(door["url"], "POST", "/string/replace", headers, b'{"content": "old"}')
        assert response.status == 200, response.body
        return str(response.json()["message"])

    def answers(self) -> dict[str, str]:
        return {stage: self.answer(stage) for stage in ("test", "prod")}

    def code(self) -> bytes:
        location = self.api.get_function(FunctionName=self.function)["Code"]["Location"]
        response = requests.get(location, timeout=10)
        response.raise_for_status()
        return response.content

    def serve_in_prod(self, version: str) -> None:
        self.api.update_alias(FunctionName=self.function, Name="prod", FunctionVersion=version)

    def in_prod(self) -> str:
        return str(self.api.get_alias(FunctionName=self.function, Name="prod")["FunctionVersion"])


@pytest.fixture
def release(deployed: MakeLocal) -> Iterator[Release]:
    """Leaves the function as it was."""
    release = Release(json.loads(deployed.endpoints.read_text()))
    code, version = release.code(), release.in_prod()
    yield release
    release.api.update_function_code(FunctionName=release.function, ZipFile=code)
    release.serve_in_prod(version)
    eventually("both stages serve what they served", lambda: release.answers() == {"test": "old", "prod": "old"})


def test_published_promoted_and_rolled_back(release: Release) -> None:
    before = release.in_prod()
    assert release.answers() == {"test": "old", "prod": "old"}

    published = release.api.update_function_code(FunctionName=release.function, ZipFile=package(), Publish=True)
    version = published["Version"]
    assert version not in ("$LATEST", before)
    eventually("test serves the new code", lambda: release.answer("test") == "new")
    assert release.answer("prod") == "old"

    release.serve_in_prod(version)
    eventually("prod serves the new version", lambda: release.answer("prod") == "new")

    release.serve_in_prod(before)
    eventually("prod serves the version before", lambda: release.answer("prod") == "old")
    assert release.answer("test") == "new"
