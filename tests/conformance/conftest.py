"""One control plane and one data plane for all cases; every case that is to run is deployed before the first runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance import case
from conformance.case import Case
from conformance.deployment import Account, Deployments
from conformance.upstream import Upstream
from harness.control_plane import ControlPlane
from harness.data_plane import DataPlane


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "recorded" in metafunc.fixturenames:
        cases = [case.read(path) for path in case.paths()]
        metafunc.parametrize("recorded", cases, ids=[recorded.id for recorded in cases])


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    with ControlPlane() as plane:
        yield plane


@pytest.fixture(scope="session")
def account(control_plane: ControlPlane, upstream: Upstream) -> Account:
    return Account(control_plane.url, control_plane.client, upstream)


@pytest.fixture(scope="session")
def deployed(request: pytest.FixtureRequest, account: Account) -> Deployments:
    """The cases that were chosen to run, by id."""
    wanted: dict[str, Case] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and (call := getattr(item, "callspec", None)) is not None:
            recorded = call.params.get("recorded")
            if isinstance(recorded, Case):
                wanted[recorded.id] = recorded
    return Deployments(account, wanted)


@pytest.fixture(scope="session")
def data_plane(
    control_plane: ControlPlane, deployed: Deployments, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DataPlane]:
    """Started when everything is deployed: it reads all of it before it says that it is ready."""
    folder: Path = tmp_path_factory.mktemp("data-plane")
    with DataPlane(control_plane.url, folder, container_binary="no-case-runs-a-container") as plane:
        yield plane
