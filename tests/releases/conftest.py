"""One control plane for this folder, and for each test a shop of its own in it."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import botocore.session
import pytest

from harness.control_plane import ControlPlane, environment
from releases.shop import Shop


@pytest.fixture(scope="package", autouse=True)
def descriptions_of_services_are_read_once() -> Iterator[None]:
    """Four hundred folders, and megabytes of JSON, which every command looks through and reads for itself. Here
    hundreds of commands run in one process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", cache(botocore.session.create_loader))
        yield


@pytest.fixture(scope="package")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture
def account(control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch) -> ControlPlane:
    """The commands talk to it."""
    for name, value in environment(control_plane).items():
        monkeypatch.setenv(name, value)
    return control_plane


@pytest.fixture
def shop(account: ControlPlane, tmp_path: Path) -> Shop:
    return Shop(account, tmp_path)


@pytest.fixture
def shops(account: ControlPlane, tmp_path: Path) -> Callable[[], Shop]:
    """As many as a test needs."""
    count = 0

    def make() -> Shop:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        return Shop(account, folder)

    return make
