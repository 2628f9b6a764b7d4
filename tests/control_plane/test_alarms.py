"""Alarms by their names and their state, which is what a deployment asks for."""

from collections.abc import Callable
from typing import Any

Client = Callable[[str], Any]


def test_names_and_a_state_are_both_asked_for(client: Client) -> None:
    cloudwatch = client("cloudwatch")
    for name in ("quiet", "loud", "other"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            MetricName="Errors",
            Namespace="Things",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    cloudwatch.put_composite_alarm(AlarmName="all", AlarmRule='ALARM("loud")')
    for name in ("loud", "other", "all"):
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="it is loud")

    def alarms(**asked: Any) -> set[str]:
        found = cloudwatch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], **asked)
        return {alarm["AlarmName"] for alarm in found["MetricAlarms"] + found["CompositeAlarms"]}

    names = ["quiet", "loud", "all"]
    assert alarms(AlarmNames=names) == {"quiet", "loud", "all"}
    assert alarms(AlarmNames=names, StateValue="ALARM") == {"loud", "all"}
    assert alarms(AlarmNames=names, StateValue="OK") == {"quiet"}
    assert alarms(StateValue="ALARM") >= {"loud", "other", "all"}
