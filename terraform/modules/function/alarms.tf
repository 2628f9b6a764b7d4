locals {
  dimensions = { for alias in keys(var.aliases) : alias => { FunctionName = var.name, Resource = "${var.name}:${alias}" } }
}

output "alarms" {
  description = "Per alias: errors, 95th percentile of the duration, throttles, invocations."
  value = merge([
    for alias, dimensions in local.dimensions : {
      "${alias}-errors" = {
        description = "${var.name}:${alias} failed: crashed, timed out or ran out of memory. The function's log says why."
        namespace   = "AWS/Lambda"
        metric_name = "Errors"
        dimensions  = dimensions
        statistic   = "Sum"
        threshold   = 0
      }
      "${alias}-duration" = {
        description         = "${var.name}:${alias} is slow: 95 % of its invocations should take less than ${var.alarm_thresholds.duration_p95_milliseconds} ms."
        namespace           = "AWS/Lambda"
        metric_name         = "Duration"
        dimensions          = dimensions
        statistic           = "p95"
        evaluation_periods  = 5
        datapoints_to_alarm = 3
        threshold           = var.alarm_thresholds.duration_p95_milliseconds
      }
      "${alias}-throttles" = {
        description = "${var.name}:${alias} was refused an instance: the account's concurrency is used up."
        namespace   = "AWS/Lambda"
        metric_name = "Throttles"
        dimensions  = dimensions
        statistic   = "Sum"
        threshold   = 0
      }
      "${alias}-invocations" = {
        description         = "${var.name}:${alias} is called more than ${var.alarm_thresholds.invocations_per_minute} times a minute: unusual traffic, and its cost."
        namespace           = "AWS/Lambda"
        metric_name         = "Invocations"
        dimensions          = dimensions
        statistic           = "Sum"
        evaluation_periods  = 5
        datapoints_to_alarm = 5
        threshold           = var.alarm_thresholds.invocations_per_minute
      }
    }
  ]...)
}

output "widgets" {
  description = "The function's part of the dashboard."
  value = [
    {
      row   = "latency"
      title = "Lambda ${var.name}: duration"
      metrics = [for alias, dimensions in local.dimensions : {
        namespace = "AWS/Lambda", metric_name = "Duration", dimensions = dimensions, statistic = "p95", label = "${alias} p95"
      }]
    },
    {
      row   = "errors"
      title = "Lambda ${var.name}: errors and throttles"
      metrics = flatten([for alias, dimensions in local.dimensions : [
        for metric in ["Errors", "Throttles"] : {
          namespace = "AWS/Lambda", metric_name = metric, dimensions = dimensions, statistic = "Sum", label = "${alias} ${lower(metric)}"
        }
      ]])
    },
    # Lambda bills invocations and the time that they take.
    {
      row    = "cost"
      title  = "Lambda ${var.name}: invocations and billed time"
      period = 300
      metrics = flatten([for alias, dimensions in local.dimensions : [
        { namespace = "AWS/Lambda", metric_name = "Invocations", dimensions = dimensions, statistic = "Sum", label = "${alias} invocations" },
        { namespace = "AWS/Lambda", metric_name = "Duration", dimensions = dimensions, statistic = "Sum", label = "${alias} milliseconds" },
      ]])
    },
  ]
}
