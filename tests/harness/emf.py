"""What CloudWatch wants of a line in its embedded metric format, and drops silently without.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html; a
metric of many values in the form that CloudWatch's own agent writes.
"""

import time
from typing import Any

UNITS = {"Count", "Milliseconds", "Seconds", "Bytes", "None"}


def check(line: dict[str, Any]) -> None:
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
            _check_value(line[metric["Name"]])


def _check_value(value: Any) -> None:
    if isinstance(value, dict):
        assert len(value["Values"]) == len(value["Counts"]) <= 100
        assert value["Count"] == sum(value["Counts"])
        assert value["Min"] <= value["Max"]
    elif isinstance(value, list):
        assert 0 < len(value) <= 100
    else:
        assert isinstance(value, int | float)
        assert not isinstance(value, bool)
