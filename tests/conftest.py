"""Options of the suites that can be pointed at a running API."""

import pytest

from contract.front_door import CAPABILITIES


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("the API under test (tests/contract)")
    group.addoption("--base-url", metavar="URL", help="test the API at URL (default: start the built binaries)")
    group.addoption("--api-key", metavar="KEY", help="the key, sent as x-api-key (default: $API_KEY)")
    group.addoption(
        "--header",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a header for every request, may be repeated",
    )
    group.addoption(
        "--front-door",
        choices=list(CAPABILITIES),
        default="container",
        help="what stands at URL, which says which cases hold there (default: container)",
    )
