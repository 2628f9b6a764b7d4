locals {
  dimensions = { DeliveryStreamName = var.name }
}

output "alarms" {
  description = "Age of the oldest event that is not yet delivered, failed deliveries, throttling."
  value = {
    freshness = {
      description         = "Events have been waiting in ${var.name} for more than ${var.alarm_thresholds.freshness_seconds} s. Firehose gives them up after 24 hours; its log says what hinders it."
      namespace           = "AWS/Firehose"
      metric_name         = "DeliveryToS3.DataFreshness"
      dimensions          = local.dimensions
      statistic           = "Maximum"
      evaluation_periods  = 5
      datapoints_to_alarm = 3
      threshold           = var.alarm_thresholds.freshness_seconds
    }
    # The share of deliveries that succeeded, 1 when all did.
    failed-deliveries = {
      description         = "Deliveries from ${var.name} to S3 fail; Firehose tries again, and its log says why."
      namespace           = "AWS/Firehose"
      metric_name         = "DeliveryToS3.Success"
      dimensions          = local.dimensions
      statistic           = "Average"
      period              = 300
      threshold           = 1
      comparison_operator = "LessThanThreshold"
    }
    throttles = {
      description = "Firehose turns events away: ${var.name} gets more than its quota."
      namespace   = "AWS/Firehose"
      metric_name = "ThrottledRecords"
      dimensions  = local.dimensions
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "The stream's part of the dashboard."
  value = [
    {
      row   = "latency"
      title = "Events: age of the oldest that is not in S3"
      metrics = [{
        namespace = "AWS/Firehose", metric_name = "DeliveryToS3.DataFreshness", dimensions = local.dimensions, statistic = "Maximum", label = "seconds"
      }]
    },
    # Firehose bills what comes in, in steps of 5 KB a record.
    {
      row    = "cost"
      title  = "Events: records and bytes"
      period = 300
      metrics = [for metric, label in { IncomingRecords = "records", IncomingBytes = "bytes" } : {
        namespace = "AWS/Firehose", metric_name = metric, dimensions = local.dimensions, statistic = "Sum", label = label
      }]
    },
  ]
}
