"""One control plane for the tests of this folder; each makes resources of its own names in it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.control_plane import ControlPlane


@pytest.fixture(scope="package")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="package")
def client(control_plane: ControlPlane) -> Callable[[str], Any]:
    return control_plane.client


@pytest.fixture(scope="package")
def apigateway(client: Callable[[str], Any]) -> Any:
    return client("apigateway")
