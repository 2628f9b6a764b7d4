"""The lines that CloudWatch makes metrics of.

The format: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

import time
from typing import Any

from harness import ssm
from harness.container import Container
from harness.ssm import Ssm
from harness.waiting import eventually

UNITS = {"Count", "Milliseconds", "Seconds", "Bytes", "None"}


def metrics_of(service: Container) -> list[dict[str, Any]]:
    """Ends the service, whose last line tells what it has not told yet."""
    service.process.stop()
    return [line for line in service.process.log() if "_aws" in line]


def check_form(line: dict[str, Any]) -> None:
    """What CloudWatch wants of a line, and drops it silently without."""
    now = time.time() * 1000
    assert now - 3_600_000 < line["_aws"]["Timestamp"] <= now + 60_000
    for directive in line["_aws"]["CloudWatchMetrics"]:
        assert directive["Namespace"]
        for dimensions in directive["Dimensions"]:
            assert len(dimensions) <= 30
            assert all(isinstance(line[dimension], str) and line[dimension] for dimension in dimensions)
        assert 0 < len(directive["Metrics"]) <= 100
        for metric in directive["Metrics"]:
            assert metric["Unit"] in UNITS
            check_value(line[metric["Name"]])


def check_value(value: Any) -> None:
    if isinstance(value, dict):
        assert len(value["Values"]) == len(value["Counts"]) <= 100
        assert value["Count"] == sum(value["Counts"])
        assert value["Min"] <= value["Max"]
    elif isinstance(value, list):
        assert 0 < len(value) <= 100
    else:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)


def total(lines: list[dict[str, Any]], metric: str) -> int:
    return sum(int(line.get(metric, 0)) for line in lines)


def test_requests_errors_latency_and_replacements_are_told() -> None:
    with Container() as service:
        for _ in range(3):
            service.post(b'{"content": "abn and ing"}')
        service.post(b"rabo rabo rabo", "text/plain")
        service.post(b"{")
        lines = metrics_of(service)
    assert lines
    for line in lines:
        check_form(line)
    assert total(lines, "Replacements") == 3 * 2 + 3
    assert total(lines, "ClientErrors") == 1
    assert total(lines, "ServerErrors") == 0
    assert total(lines, "Requests") >= 5
    assert sum(line["Latency"]["Count"] for line in lines if "Latency" in line) == total(lines, "Requests")
    assert all(line["MapAge"] >= 0 for line in lines)
    assert total(lines, "MapRefreshFailures") == 0


def test_a_source_that_fails_is_counted() -> None:
    with Ssm(ssm.error(400, "AccessDeniedException")) as source, Container(source.environment) as service:
        eventually("some failures", lambda: len(source.names) >= 2)
        service.process.wait_for_output("map not loaded")
        assert service.post(b'{"content": "abn"}').status == 503
        lines = metrics_of(service)
    for line in lines:
        check_form(line)
        assert "MapAge" not in line, "there is no map that could have one"
    assert total(lines, "MapRefreshFailures") >= 1
    assert total(lines, "ServerErrors") >= 1
