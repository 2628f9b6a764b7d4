"""The contract that is committed for API Gateway is the one that the built container serves."""

from pathlib import Path

import pytest

import openapi
from harness.binaries import binary

FILE = Path(__file__).parents[2] / "terraform" / "openapi" / "contracts" / "string.json"


def test_the_committed_contract_is_the_containers(capsys: pytest.CaptureFixture[str]) -> None:
    assert openapi.main(["contract", "--check", binary("fargate-app"), str(FILE)]) == 0, capsys.readouterr().err
