"""The front doors that the suite runs against: the one that is given, else each of those that can be started here."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import pytest

from contract.front_door import CAPABILITIES, Capability, FrontDoor
from harness.container import Container
from harness.function import Function
from harness.rest_api import MOUNTS, Mount, RestApi


@dataclass(frozen=True)
class Candidate:
    """A front door that is opened when the first test needs it."""

    kind: str
    opening: Callable[[], AbstractContextManager[FrontDoor]]

    @property
    def capabilities(self) -> frozenset[Capability]:
        return CAPABILITIES[self.kind]


@contextmanager
def _container() -> Iterator[FrontDoor]:
    with Container() as container:
        assert container.key is not None
        yield FrontDoor(container.url, {"x-api-key": container.key}, CAPABILITIES["container"])


def _lambda(mount: Mount) -> Candidate:
    @contextmanager
    def opening() -> Iterator[FrontDoor]:
        with Function("string-replace") as function:
            api = RestApi(function, mount)
            try:
                yield FrontDoor(api.url, {}, CAPABILITIES["lambda"])
            finally:
                api.close()

    return Candidate("lambda", opening)


def _given(config: pytest.Config, url: str) -> Candidate:
    kind = config.getoption("--front-door")
    headers = {}
    for header in config.getoption("--header"):
        name, equals, value = header.partition("=")
        if not (name and equals):
            raise pytest.UsageError("--header: it should be NAME=VALUE")
        headers[name] = value
    if key := config.getoption("--api-key") or os.environ.get("API_KEY"):
        headers["x-api-key"] = key

    @contextmanager
    def opening() -> Iterator[FrontDoor]:
        yield FrontDoor(url, headers, CAPABILITIES[kind])

    return Candidate(kind, opening)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(capability): holds only behind front doors that have the capability")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "front_door" not in metafunc.fixturenames:
        return
    if url := metafunc.config.getoption("--base-url"):
        given = _given(metafunc.config, url)
        candidates = {given.kind: given}
    else:
        candidates = {"container": Candidate("container", _container)}
        candidates |= {f"lambda-{mount.name}": _lambda(mount) for mount in MOUNTS}
    metafunc.parametrize("front_door", candidates.values(), ids=candidates.keys(), indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out what does not hold behind a front door."""
    left_out = [item for item in items if _needed(item) - _offered(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not _needed(item) - _offered(item)]


def _needed(item: pytest.Item) -> frozenset[Capability]:
    return frozenset(capability for marker in item.iter_markers("needs") for capability in marker.args)


def _offered(item: pytest.Item) -> frozenset[Capability]:
    call = getattr(item, "callspec", None)
    candidate = call.params.get("front_door") if call else None
    return candidate.capabilities if isinstance(candidate, Candidate) else frozenset(Capability)


@pytest.fixture(scope="session")
def front_door(request: pytest.FixtureRequest) -> Iterator[FrontDoor]:
    candidate: Candidate = request.param
    with candidate.opening() as door:
        yield door
