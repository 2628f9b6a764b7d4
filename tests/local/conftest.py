"""One `make local` for what needs a deployed system, and stand-ins for what does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from local.up import functions

from harness import private
from harness.binaries import binary
from harness.https_upstream import HttpsUpstream
from harness.make_local import DATA_PLANE, FUNCTION, MakeLocal, program, terraform
from harness.publish import Publish

DOMAIN = "example.com"


@pytest.fixture(scope="session")
def binaries() -> Path:
    """The real ones, built before."""
    return Path(binary("data-plane")).parent


@pytest.fixture(scope="session")
def upstreams(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, HttpsUpstream]]:
    """Services outside AWS: one that is what it says, and one that says it is that one."""
    folder = tmp_path_factory.mktemp("upstreams")
    servers = {name: HttpsUpstream(folder / name, "billing.example.com") for name in ("billing", "impostor")}
    yield servers
    for server in servers.values():
        server.close()


@pytest.fixture(scope="session")
def deploying(
    binaries: Path, upstreams: dict[str, HttpsUpstream], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeLocal]:
    """All that can be deployed, with custom domains, on its way."""
    endpoints = tmp_path_factory.mktemp("deployed") / "endpoints.json"
    options = ["--root-domain", DOMAIN]
    variables = {
        "rate_limit": 1_000_000,  # all tests come from one address, more often than the firewall would let it
        "private": private.SETTINGS,
        "external_services": private.external_services(upstreams),
    }
    options += [f"--var={name}={json.dumps(value)}" for name, value in variables.items()]
    make_local = MakeLocal("--no-build", "--binaries", binaries, *options, endpoints=endpoints)
    yield make_local
    make_local.stop()


def needs_deployed(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and "deploying" in item.fixturenames


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the deployed system comes last: a start is mostly waiting, and the others run meanwhile."""
    items.sort(key=needs_deployed)


@pytest.fixture(scope="session", autouse=True)
def begun(request: pytest.FixtureRequest) -> None:
    """The start, with the first test of all, if any will need it."""
    if any(needs_deployed(item) for item in request.session.items):
        request.getfixturevalue("deploying")


@pytest.fixture(scope="session")
def deployed(deploying: MakeLocal) -> Iterator[MakeLocal]:
    deploying.wait_until_ready()
    yield deploying
    assert deploying.exit_code is None, f"it ended while it was in use:\n{deploying.output}"


@pytest.fixture(scope="session")
def publish(deployed: MakeLocal) -> Publish:
    document = json.loads(deployed.endpoints.read_text())
    (door,) = [each for each in document["endpoints"] if each["name"] == "publish-beta"]
    return Publish(door["url"], document["control_plane"])


@pytest.fixture(scope="session")
def alice(publish: Publish) -> str:
    """A token that may publish."""
    return publish.token("alice", "publish")


@pytest.fixture
def stand_ins(tmp_path: Path) -> Path:
    """A folder of binaries whose data plane serves nothing."""
    folder = tmp_path / "binaries"
    folder.mkdir()
    for name in (*functions.names(), "fargate-app"):
        (folder / name).write_bytes(FUNCTION)
    program(folder, "data-plane", DATA_PLANE)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder that comes first in PATH: its terraform does nothing."""
    folder = tmp_path / "programs"
    program(folder, "terraform", terraform())
    return folder


Start = Callable[..., MakeLocal]


@pytest.fixture
def start(stand_ins: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts with the stand-ins, and sees to their end."""
    started: list[MakeLocal] = []

    def starting(*arguments: str | Path, **more: Any) -> MakeLocal:
        endpoints = tmp_path / "endpoints.json"
        make_local = MakeLocal("--binaries", stand_ins, *arguments, endpoints=endpoints, **more)
        started.append(make_local)
        return make_local

    yield starting
    for make_local in started:
        make_local.stop()
