"""Promotions and roll-backs: what the releases file says afterwards, and what is refused."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

import release

ROOT = Path(__file__).parents[2]
NAME = "switchyard-test-string-replace"


@pytest.fixture
def lambdas(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A function with the versions 1 to 3, whose prod serves 1."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        role = boto3.client("iam").create_role(RoleName="role", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        client = boto3.client("lambda", region_name="eu-west-1")
        client.create_function(
            FunctionName=NAME, Runtime="provided.al2023", Handler="bootstrap", Role=role, Code={"ZipFile": package("1")}
        )
        for version in ("1", "2", "3"):
            client.update_function_code(FunctionName=NAME, ZipFile=package(version))
            client.publish_version(FunctionName=NAME)
        client.create_alias(FunctionName=NAME, Name="prod", FunctionVersion="1")
        yield client


def package(content: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bootstrap", content)
    return file.getvalue()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "releases.json"
    path.write_text(
        json.dumps(
            {
                "apis": {},
                "functions": {"string-replace": {"previous": None, "prod": None}},
            }
        )
    )
    return path


def run(file: Path, *arguments: str) -> int:
    deployed = json.dumps({"string-replace": {"name": NAME, "aliases": {}}})
    return release.main(["--file", str(file), "--functions", deployed, "--region", "eu-west-1", *arguments])


def function(file: Path) -> dict[str, Any]:
    entry: dict[str, Any] = json.loads(file.read_text())["functions"]["string-replace"]
    return entry


def test_the_newest_version_is_promoted_and_the_one_that_served_is_remembered(lambdas: Any, file: Path) -> None:
    assert run(file, "promote", "string-replace") == 0
    assert function(file) == {"previous": "1", "prod": "3"}


def test_a_version_can_be_chosen(lambdas: Any, file: Path) -> None:
    assert run(file, "promote", "string-replace", "--version", "2") == 0
    assert function(file) == {"previous": "1", "prod": "2"}


def test_rolling_back_undoes_the_promotion_and_only_once(
    lambdas: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(file, "promote", "string-replace", "--version", "2")
    run(file, "promote", "string-replace", "--version", "3")
    assert run(file, "rollback", "string-replace") == 0
    assert function(file) == {"previous": None, "prod": "2"}
    assert run(file, "rollback", "string-replace") == 1
    assert "nothing to go back to" in capsys.readouterr().err
    assert function(file) == {"previous": None, "prod": "2"}


def test_promoting_what_serves_already_forgets_nothing(lambdas: Any, file: Path) -> None:
    run(file, "promote", "string-replace", "--version", "2")
    assert run(file, "promote", "string-replace", "--version", "2") == 0
    assert function(file) == {"previous": "1", "prod": "2"}


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["promote", "string-replace", "--version", "9"], 1, "string-replace has no version 9; there is 1, 2, 3"),
        (["promote", "another"], 2, "there is no function 'another' in the releases file; there is string-replace"),
        (
            ["rollback", "string-replace"],
            1,
            "prod of string-replace was never promoted, so there is nothing to go back to",
        ),
    ],
)
def test_what_cannot_be_is_refused_and_the_file_left(
    lambdas: Any, file: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, message: str
) -> None:
    before = file.read_text()
    assert run(file, *arguments) == code
    assert message in capsys.readouterr().err
    assert file.read_text() == before


def test_a_function_that_is_not_deployed_is_named(lambdas: Any, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert release.main(["--file", str(file), "--region", "eu-west-1", "promote", "string-replace"]) == 2
    assert "there is no deployed function 'string-replace'; there is none yet: apply first" in capsys.readouterr().err


def test_a_broken_file_is_named_and_left(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("{")
    assert run(file, "rollback", "string-replace") == 2
    assert f"{file} cannot be read as JSON" in capsys.readouterr().err
    assert file.read_text() == "{"


def test_the_committed_file_is_as_the_script_writes_it() -> None:
    """Or the first promotion would change lines that it has nothing to do with."""
    text = (ROOT / "terraform" / "releases.json").read_text()
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n"


@pytest.mark.parametrize(
    "apis",
    [{"lambda": {"release": "1.0.0"}}, {"lambda": {"prod": {"realease": "1.0.0"}}}, {"lambda": {"prod": None}}],
)
def test_a_stage_that_says_no_release_is_named(file: Path, capsys: pytest.CaptureFixture[str], apis: Any) -> None:
    file.write_text(json.dumps({"apis": apis, "functions": {}}))
    assert run(file, "rollback", "string-replace") == 2
    assert f"{file}: apis.lambda" in capsys.readouterr().err
