output "name" {
  description = "The table's name: `scripts/main.py token --table NAME ...`."
  value       = aws_dynamodb_table.this.name
}

output "reader" {
  description = "What an authorizer needs in order to look tokens up: its environment, and what its role must be allowed."
  value = {
    environment = { TOKEN_TABLE = aws_dynamodb_table.this.name }
    statements = concat(
      [{ sid = "FindToken", actions = ["dynamodb:GetItem"], resources = [aws_dynamodb_table.this.arn] }],
      [for key in var.kms_key_arn[*] : { sid = "UseKey", actions = ["kms:Decrypt"], resources = [key] }],
    )
  }
}

output "alarms" {
  description = "Look-ups that the table refused."
  value = {
    throttles = {
      description = "DynamoDB throttled reads of the tokens in ${aws_dynamodb_table.this.name}: callers are answered 500."
      namespace   = "AWS/DynamoDB"
      metric_name = "ReadThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.this.name }
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "What looking tokens up costs."
  value = [{
    row    = "cost"
    title  = "Token table: read units"
    period = 300
    metrics = [{
      namespace = "AWS/DynamoDB", metric_name = "ConsumedReadCapacityUnits", dimensions = { TableName = aws_dynamodb_table.this.name }, statistic = "Sum", label = "read units"
    }]
  }]
}
