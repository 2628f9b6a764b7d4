locals {
  dimensions = { for stage in keys(var.stages) : stage => { ApiName = var.name, Stage = stage } }

  # 5XX before 4XX: the first is ours, the second the callers'.
  error_rates = {
    server-errors = { metric = "5XXError", percent = var.alarm_thresholds.server_error_percent, who = "The API or a function behind it failed" }
    client-errors = { metric = "4XXError", percent = var.alarm_thresholds.client_error_percent, who = "Callers send what the API refuses, or a key is wrong" }
  }
}

output "alarms" {
  description = "Per stage: 95th percentile of the latency, rate of 4xx and of 5xx."
  value = merge(flatten([
    for stage, dimensions in local.dimensions : [
      {
        "${stage}-latency" = {
          description         = "${var.name}/${stage} is slow: 95 % of its requests should take less than ${var.alarm_thresholds.latency_p95_milliseconds} ms."
          namespace           = "AWS/ApiGateway"
          metric_name         = "Latency"
          dimensions          = dimensions
          statistic           = "p95"
          evaluation_periods  = 5
          datapoints_to_alarm = 3
          threshold           = var.alarm_thresholds.latency_p95_milliseconds
        }
      },
      {
        # API Gateway counts a 0 for every request that did not fail, so the average of the metric is the rate.
        for name, rate in local.error_rates : "${stage}-${name}" => {
          description = "More than ${rate.percent} % of the requests to ${var.name}/${stage} end in ${rate.metric}. ${rate.who}."
          namespace   = "AWS/ApiGateway"
          metric_name = rate.metric
          dimensions  = dimensions
          statistic   = "Average"
          period      = 300
          threshold   = rate.percent / 100
        }
      },
    ]
  ])...)
}

output "widgets" {
  description = "The API's part of the dashboard."
  value = [
    {
      row   = "requests"
      title = "API Gateway ${var.name}: requests"
      metrics = [for stage, dimensions in local.dimensions : {
        namespace = "AWS/ApiGateway", metric_name = "Count", dimensions = dimensions, statistic = "Sum", label = stage
      }]
    },
    {
      row   = "latency"
      title = "API Gateway ${var.name}: latency"
      metrics = flatten([for stage, dimensions in local.dimensions : [
        for statistic in ["p50", "p95"] : {
          namespace = "AWS/ApiGateway", metric_name = "Latency", dimensions = dimensions, statistic = statistic, label = "${stage} ${statistic}"
        }
      ]])
    },
    {
      row   = "errors"
      title = "API Gateway ${var.name}: 4xx and 5xx"
      metrics = flatten([for stage, dimensions in local.dimensions : [
        for metric in ["4XXError", "5XXError"] : {
          namespace = "AWS/ApiGateway", metric_name = metric, dimensions = dimensions, statistic = "Sum", label = "${stage} ${substr(lower(metric), 0, 3)}"
        }
      ]])
    },
    {
      row    = "cost"
      title  = "API Gateway ${var.name}: billed requests"
      period = 300
      metrics = [for stage, dimensions in local.dimensions : {
        namespace = "AWS/ApiGateway", metric_name = "Count", dimensions = dimensions, statistic = "Sum", label = stage
      }]
    },
  ]
}
