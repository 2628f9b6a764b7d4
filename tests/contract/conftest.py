"""The front doors that the suite runs against: the one that is given, else each of those that can be started here."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from contract.front_door import CAPABILITIES, Capability, FrontDoor
from harness.container import Container
from harness.function import Function
from harness.rest_api import MOUNTS, Mount, RestApi

Opening = Callable[[], AbstractContextManager[FrontDoor]]


@contextmanager
def _container() -> Iterator[FrontDoor]:
    with Container() as container:
        assert container.key is not None
        yield FrontDoor(container.url, {"x-api-key": container.key}, CAPABILITIES["container"])


def _lambda(mount: Mount) -> Opening:
    @contextmanager
    def opening() -> Iterator[FrontDoor]:
        with Function("string-replace") as function:
            api = RestApi(function, mount)
            try:
                yield FrontDoor(api.url, {}, CAPABILITIES["lambda"])
            finally:
                api.close()

    return opening


def _given(config: pytest.Config, url: str) -> Opening:
    kind = config.getoption("--front-door")
    if kind not in CAPABILITIES:
        raise pytest.UsageError(f"--front-door {kind}: it should be one of {', '.join(CAPABILITIES)}")
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

    return opening


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "front_door" not in metafunc.fixturenames:
        return
    if url := metafunc.config.getoption("--base-url"):
        doors = {metafunc.config.getoption("--front-door"): _given(metafunc.config, url)}
    else:
        doors = {"container": _container} | {f"lambda-{mount.name}": _lambda(mount) for mount in MOUNTS}
    metafunc.parametrize("front_door", doors.values(), ids=doors.keys(), indirect=True, scope="session")


@pytest.fixture(scope="session")
def front_door(request: pytest.FixtureRequest) -> Iterator[FrontDoor]:
    opening: Opening = request.param
    with opening() as door:
        yield door


@pytest.fixture
def needs(front_door: FrontDoor) -> Callable[..., None]:
    """`needs(capability, ...)` skips the test where the front door has not all of them."""

    def skip_without(*capabilities: Capability) -> None:
        if missing := set(capabilities) - front_door.capabilities:
            pytest.skip("not behind this front door: " + "; ".join(sorted(item.value for item in missing)))

    return skip_without
