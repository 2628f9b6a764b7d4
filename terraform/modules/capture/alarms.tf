locals {
  queues = { queue = var.name, errors = "${var.name}-errors" }
}

output "alarms" {
  description = "Age of the oldest message, messages in the error queue, throttled receipts."
  value = {
    oldest-message = {
      description         = "A message has been in ${var.name} for more than ${var.alarm_thresholds.oldest_message_seconds} s: whoever processes them is too slow, or stands still. Messages are lost after 14 days."
      namespace           = "AWS/SQS"
      metric_name         = "ApproximateAgeOfOldestMessage"
      dimensions          = { QueueName = local.queues.queue }
      statistic           = "Maximum"
      evaluation_periods  = 5
      datapoints_to_alarm = 3
      threshold           = var.alarm_thresholds.oldest_message_seconds
    }
    errors = {
      description = "Messages in ${local.queues.errors}: bodies that could not be processed in ${var.max_processing_attempts} attempts. `scripts/main.py redrive` shows why, and sends them back."
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = local.queues.errors }
      statistic   = "Maximum"
      threshold   = 0
    }
    receipt-throttles = {
      description = "DynamoDB throttles writes of receipts in ${aws_dynamodb_table.receipts.name}: messages come back, and are tried again later."
      namespace   = "AWS/DynamoDB"
      metric_name = "WriteThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.receipts.name }
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "The queues' part of the dashboard."
  value = [
    {
      row   = "latency"
      title = "Publish: age of the oldest message"
      metrics = [{
        namespace = "AWS/SQS", metric_name = "ApproximateAgeOfOldestMessage", dimensions = { QueueName = local.queues.queue }, statistic = "Maximum", label = "seconds"
      }]
    },
    {
      row   = "errors"
      title = "Publish: messages in the error queue"
      metrics = [{
        namespace = "AWS/SQS", metric_name = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = local.queues.errors }, statistic = "Maximum", label = "messages"
      }]
    },
    # SQS bills requests in steps of 64 KB; a message is sent, received and deleted.
    {
      row    = "cost"
      title  = "Publish: messages"
      period = 300
      metrics = [{
        namespace = "AWS/SQS", metric_name = "NumberOfMessagesSent", dimensions = { QueueName = local.queues.queue }, statistic = "Sum", label = "sent"
      }]
    },
  ]
}
