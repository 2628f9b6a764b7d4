# One resource makes every alarm of the system: a new alarm is one entry in the `alarms` output of the module that it watches.
resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = var.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.description
  comparison_operator = each.value.comparison_operator
  threshold           = each.value.threshold
  evaluation_periods  = each.value.evaluation_periods
  datapoints_to_alarm = coalesce(each.value.datapoints_to_alarm, each.value.evaluation_periods)
  treat_missing_data  = each.value.treat_missing_data
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]

  namespace   = each.value.namespace
  metric_name = each.value.metric_name
  dimensions  = length(each.value.metric_queries) == 0 ? each.value.dimensions : null
  period      = length(each.value.metric_queries) == 0 ? each.value.period : null

  # CloudWatch has two arguments for one thing.
  statistic          = contains(local.plain_statistics, coalesce(each.value.statistic, "none")) ? each.value.statistic : null
  extended_statistic = contains(local.plain_statistics, coalesce(each.value.statistic, "none")) ? null : each.value.statistic

  dynamic "metric_query" {
    for_each = each.value.metric_queries

    content {
      id          = metric_query.key
      expression  = metric_query.value.expression
      label       = metric_query.value.label
      return_data = metric_query.value.return_data

      dynamic "metric" {
        for_each = metric_query.value.metric[*]

        content {
          namespace   = metric.value.namespace
          metric_name = metric.value.metric_name
          dimensions  = metric.value.dimensions
          stat        = metric.value.statistic
          period      = metric.value.period
        }
      }
    }
  }
}

locals {
  plain_statistics = ["Average", "Maximum", "Minimum", "SampleCount", "Sum"]
}
