"""Configuration that cannot be used stops the start, with a line that says what would be right."""

import re
import socket

import pytest

from harness.binaries import binary
from harness.container import KEY, Container
from harness.process import Process, free_port

EXIT_BAD_CONFIGURATION = 64
AWS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

# What is set, the variable at fault, and what the line must say beside its name and value.
BAD = [
    ({"PORT": "80a"}, "PORT", "65535"),
    ({"PORT": "70000"}, "PORT", "65535"),
    ({"PORT": "-1"}, "PORT", "65535"),
    ({"HOST": "not an address"}, "HOST", "address"),
    ({"STRINGS_MAPPING_REFRESH_SECONDS": "0"}, "STRINGS_MAPPING_REFRESH_SECONDS", "from 1 to"),
    ({"STRINGS_MAPPING_REFRESH_SECONDS": "1.5"}, "STRINGS_MAPPING_REFRESH_SECONDS", "from 1 to"),
    ({"STRINGS_MAPPING_REFRESH_SECONDS": "1e9"}, "STRINGS_MAPPING_REFRESH_SECONDS", "from 1 to"),
    ({"TRUSTED_PROXIES": "10.0.0.1"}, "TRUSTED_PROXIES", "10.0.0.0/16"),
    ({"TRUSTED_PROXIES": "10.0.0.0/16,all"}, "TRUSTED_PROXIES", "10.0.0.0/16"),
    ({"MAX_CONNECTIONS": "0"}, "MAX_CONNECTIONS", "from 1 to"),
    ({"MAX_CONCURRENT_REQUESTS": "many"}, "MAX_CONCURRENT_REQUESTS", "from 1 to"),
    ({"HEADER_READ_TIMEOUT_SECONDS": "0"}, "HEADER_READ_TIMEOUT_SECONDS", "seconds from 1 to"),
    ({"BODY_STALL_TIMEOUT_SECONDS": "1h"}, "BODY_STALL_TIMEOUT_SECONDS", "seconds from 1 to"),
    ({"IDLE_TIMEOUT_SECONDS": "1.5"}, "IDLE_TIMEOUT_SECONDS", "seconds from 1 to"),
    ({"DRAIN_SECONDS": "3601"}, "DRAIN_SECONDS", "seconds from 1 to"),
    ({"MAX_BODY_BYTES": "10MB"}, "MAX_BODY_BYTES", "number of bytes"),
    ({"MAX_BODY_BYTES": "0"}, "MAX_BODY_BYTES", "number of bytes"),
    ({"STRINGS_MAPPING_PARAMETER_NAME": "/map", "AWS_REGION": "eu west"}, "AWS_REGION", "eu-west-1"),
    ({"STRINGS_MAPPING_PARAMETER_NAME": "/map"}, "AWS_REGION", "eu-west-1"),
    ({"STRINGS_MAPPING_TABLE": "map"}, "AWS_REGION", "eu-west-1"),
    ({**AWS, "STRINGS_MAPPING_PARAMETER_NAME": "/map", "AWS_ENDPOINT_URL": "localhost"}, "AWS_ENDPOINT_URL", "http://"),
    ({**AWS, "STRINGS_MAPPING_PARAMETER_NAME": "/map", "AWS_CA_BUNDLE": "/none"}, "AWS_CA_BUNDLE", "PEM"),
]

TWO_SOURCES = [
    ("STRINGS_MAPPING_PARAMETER_NAME", "STRINGS_MAPPING_TABLE"),
    ("STRINGS_MAPPING_PARAMETER_NAME", "STRINGS_MAPPING_FILE"),
    ("STRINGS_MAPPING_TABLE", "STRINGS_MAPPING_FILE"),
]


def refused(environment: dict[str, str]) -> str:
    """Starts the service, which must end at once; returns what it said."""
    complete = {"HOST": "127.0.0.1", "PORT": str(free_port()), "API_KEY": KEY, **environment}
    process = Process([binary("fargate-app")], complete)
    try:
        assert process.wait(20) == EXIT_BAD_CONFIGURATION, process.output
    finally:
        process.stop()
    assert "panicked" not in process.output
    assert len(process.stderr) <= 1, "one line says it all"
    return process.output


@pytest.mark.parametrize(("environment", "variable", "expected"), BAD, ids=lambda value: str(value)[:60])
def test_a_bad_value_is_named_with_what_would_be_right(
    environment: dict[str, str], variable: str, expected: str
) -> None:
    said = refused(environment)
    assert variable in said
    assert environment.get(variable, "") in said
    assert expected in said


@pytest.mark.parametrize(("first", "second"), TWO_SOURCES)
def test_a_map_has_one_source(first: str, second: str) -> None:
    said = refused({first: "one", second: "two", **AWS})
    assert first in said
    assert second in said


@pytest.mark.parametrize("key", ["short", "with a space in the middle of it", "näme-with-an-umlaut-in-it"])
def test_a_bad_key_is_refused_without_being_repeated(key: str) -> None:
    said = refused({"API_KEY": key})
    assert "API_KEY" in said
    assert key not in said


def test_without_a_key_one_is_made_shown_once_and_works() -> None:
    with Container(key=None) as service:
        shown = [line for line in service.process.output.splitlines() if "API_KEY" in line or "API key" in line]
        assert len(shown) == 1
        keys = re.findall(r"[A-Za-z0-9_-]{20,}", shown[0])
        assert len(keys) == 1, shown[0]
        service.key = keys[0]
        assert service.replace("abn") == "ABN AMRO"
        assert service.process.output.count(keys[0]) == 1
        service.key = KEY
        assert service.post(b'{"content": "abn"}').status == 403
    with Container(key=None) as other:
        assert keys[0] not in other.process.output, "every start makes its own"


def test_a_key_that_is_given_is_never_printed() -> None:
    with Container() as service:
        assert service.replace("abn") == "ABN AMRO"
        service.process.stop()
        assert KEY not in service.process.output


def test_empty_variables_count_as_absent() -> None:
    environment = {"STRINGS_MAPPING_FILE": "", "STRINGS_MAPPING_TABLE": "", "MAX_BODY_BYTES": ""}
    with Container(environment) as service:
        assert service.readiness()[1]["source"] == "built-in"


def test_a_port_in_use_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = Process([binary("fargate-app")], {"HOST": "127.0.0.1", "PORT": str(port), "API_KEY": KEY})
        assert process.wait(20) not in (0, EXIT_BAD_CONFIGURATION)
        assert str(port) in process.output
        assert "in use" in process.output


def test_the_limit_of_json_bodies_is_configurable() -> None:
    with Container({"MAX_BODY_BYTES": "20"}) as service:
        assert service.post(b'{"content": "12345"}').status == 200
        assert service.post(b'{"content": "123456"}').status == 413
        assert service.post(iter([b'{"content": "', b'123456"}'])).status == 413
        assert service.post(b"abn " * 100, "text/plain").status == 200
