# Lambda reads the queue, and calls the function with what it finds. The function names the messages that failed; only those
# come back.
resource "aws_lambda_event_source_mapping" "queue" {
  for_each = { for alias in keys(var.aliases) : alias => var.queue if var.queue != null }

  event_source_arn        = each.value.arn
  function_name           = aws_lambda_alias.this[each.key].arn
  batch_size              = each.value.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  scaling_config {
    maximum_concurrency = each.value.maximum_concurrency
  }

  lifecycle {
    precondition {
      condition     = length(var.aliases) == 1
      error_message = "A function that reads a queue must have one alias: two would take each other's messages."
    }
  }
}
