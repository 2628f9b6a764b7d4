"""The lines that CloudWatch makes metrics of."""

from typing import Any

from harness import emf, ssm
from harness.container import Container
from harness.ssm import Ssm
from harness.waiting import eventually


def metrics_of(service: Container) -> list[dict[str, Any]]:
    """Ends the service, whose last line tells what it has not told yet."""
    service.process.stop()
    return [line for line in service.process.log() if "_aws" in line]


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
        emf.check(line)
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
        emf.check(line)
        assert "MapAge" not in line, "there is no map that could have one"
    assert total(lines, "MapRefreshFailures") >= 1
    assert total(lines, "ServerErrors") >= 1
