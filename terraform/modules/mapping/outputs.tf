output "readers" {
  description = "What the service needs in order to read the map from each source: its environment, and what its role must be allowed."
  value = {
    parameter = {
      environment = { STRINGS_MAPPING_PARAMETER_NAME = aws_ssm_parameter.this.name }
      statements = [{
        sid       = "ReadMap"
        actions   = ["ssm:GetParameter"]
        resources = [aws_ssm_parameter.this.arn]
      }]
    }
    table = {
      environment = { STRINGS_MAPPING_TABLE = aws_dynamodb_table.this.name }
      statements = [{
        sid       = "ReadMap"
        actions   = ["dynamodb:GetItem", "dynamodb:Query"]
        resources = [aws_dynamodb_table.this.arn]
      }]
    }
  }
}

output "parameter_name" {
  description = "The parameter that holds the map."
  value       = aws_ssm_parameter.this.name
}

output "table_name" {
  description = "The table that holds the map when it is a large one."
  value       = aws_dynamodb_table.this.name
}

output "alarms" {
  description = "Reads that the map's source refused."
  value = {
    throttles = {
      description = "DynamoDB throttled reads of the map ${aws_dynamodb_table.this.name}; the service goes on with the last good one."
      namespace   = "AWS/DynamoDB"
      metric_name = "ReadThrottleEvents"
      dimensions  = { TableName = aws_dynamodb_table.this.name }
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "What reading the map costs."
  value = [{
    row    = "cost"
    title  = "Map table: read units"
    period = 300
    metrics = [{
      namespace = "AWS/DynamoDB", metric_name = "ConsumedReadCapacityUnits", dimensions = { TableName = aws_dynamodb_table.this.name }, statistic = "Sum", label = "read units"
    }]
  }]
}
