"""CloudWatch: composite alarms, and alarms by their name and state.

moto keeps an alarm's rule when PutMetricAlarm is given one and returns such alarms as composite, but has no
PutCompositeAlarm, which is what creates one.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html

DescribeAlarms takes several filters together; moto takes one, and of names and a state only the names.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html
"""

from __future__ import annotations

from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult, EmptyResult

from . import registry


class Response(CloudWatchResponse):
    def describe_alarms(self) -> ActionResult:
        answer = super().describe_alarms()
        state = self._get_param("StateValue")
        if not state:
            return answer
        assert isinstance(answer.result, dict)
        in_state = list(self.cloudwatch_backend.get_alarms_by_state_value(state))
        if any(self._get_param(other) for other in ("ActionPrefix", "AlarmNamePrefix", "AlarmNames")):
            asked = [alarm for kind in answer.result.values() for alarm in kind]
            in_state = [alarm for alarm in in_state if alarm in asked]
        return ActionResult(
            {
                "MetricAlarms": [alarm for alarm in in_state if alarm.rule is None],
                "CompositeAlarms": [alarm for alarm in in_state if alarm.rule is not None],
            }
        )

    def put_composite_alarm(self) -> ActionResult:
        actions_enabled = self._get_param("ActionsEnabled")
        self.cloudwatch_backend.put_metric_alarm(
            name=self._get_param("AlarmName"),
            rule=self._get_param("AlarmRule"),
            description=self._get_param("AlarmDescription"),
            alarm_actions=self._get_param("AlarmActions", []),
            ok_actions=self._get_param("OKActions", []),
            insufficient_data_actions=self._get_param("InsufficientDataActions", []),
            actions_enabled=True if actions_enabled is None else actions_enabled,
            tags=self._get_param("Tags", []),
            namespace=None,  # type: ignore[arg-type]  # a composite alarm has no metric; moto types it for metric alarms
            metric_name=None,  # type: ignore[arg-type]
            metric_data_queries=None,
            comparison_operator=None,  # type: ignore[arg-type]
            evaluation_periods=None,  # type: ignore[arg-type]
            datapoints_to_alarm=None,
            period=None,  # type: ignore[arg-type]
            threshold=None,  # type: ignore[arg-type]
            statistic=None,  # type: ignore[arg-type]
            extended_statistic=None,
            dimensions=[],
            unit=None,
            treat_missing_data=None,
            evaluate_low_sample_count_percentile=None,
            threshold_metric_id=None,
        )
        return EmptyResult()


def install() -> None:
    registry.replace("cloudwatch", Response)
