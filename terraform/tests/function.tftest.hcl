mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/switchyard-test-string-replace" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/switchyard-test-string-replace" }
  }

  mock_resource "aws_lambda_function" {
    defaults = {
      arn     = "arn:aws:lambda:eu-west-1:123456789012:function:switchyard-test-string-replace"
      version = "7"
    }
  }
}

variables {
  name               = "switchyard-test-string-replace"
  log_retention_days = 30

  package = {
    file         = "tests/packages/string-replace.zip"
    architecture = "arm64"
    bucket       = "switchyard-test-functions"
  }

  lambda = {
    description = "Replaces words"
    environment = { STRINGS_MAPPING_PARAMETER_NAME = "/switchyard-test/mapping" }
    statements  = [{ sid = "ReadMap", actions = ["ssm:GetParameter"], resources = ["arn:aws:ssm:eu-west-1:123456789012:parameter/switchyard-test/mapping"] }]
  }
}

run "promoted" {
  command = plan

  module {
    source = "./modules/function"
  }

  override_resource {
    target          = aws_lambda_function.this
    override_during = plan
    values = {
      arn        = "arn:aws:lambda:eu-west-1:123456789012:function:switchyard-test-string-replace"
      invoke_arn = "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:switchyard-test-string-replace/invocations"
      version    = "7"
    }
  }

  override_resource {
    target          = aws_cloudwatch_log_group.this
    override_during = plan
    values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/switchyard-test-string-replace" }
  }

  variables {
    aliases = { test = "$LATEST", prod = "14" }
  }

  assert {
    condition     = { for name, alias in aws_lambda_alias.this : name => alias.function_version } == { test = "$LATEST", prod = "14" }
    error_message = "each alias must serve the version that the map gives it"
  }

  assert {
    condition     = output.integration.uri == "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:switchyard-test-string-replace:$${stageVariables.alias}/invocations"
    error_message = "the URI must leave the alias to the stage"
  }

  assert {
    condition     = aws_lambda_function.this.publish && aws_lambda_function.this.runtime == "provided.al2023" && one(aws_lambda_function.this.architectures) == "arm64"
    error_message = "every change must be published, for the CPU that the zip was built for"
  }

  assert {
    condition = one(aws_lambda_function.this.environment).variables == tomap({
      METRICS_SERVICE                = "switchyard-test-string-replace"
      STRINGS_MAPPING_PARAMETER_NAME = "/switchyard-test/mapping"
    })
    error_message = "the function must be told its map, and the name under which its metrics are found"
  }

  assert {
    condition     = aws_s3_object.package.key == "functions/switchyard-test-string-replace/${filesha256("tests/packages/string-replace.zip")}.zip" && aws_lambda_function.this.s3_key == aws_s3_object.package.key
    error_message = "the zip must be uploaded by the hash of its content"
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : "${join(" ", statement.Action)} on ${join(" ", statement.Resource)}"] == [
      "logs:CreateLogStream logs:PutLogEvents on arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/switchyard-test-string-replace:*",
      "xray:PutTelemetryRecords xray:PutTraceSegments on *",
      "ssm:GetParameter on arn:aws:ssm:eu-west-1:123456789012:parameter/switchyard-test/mapping",
    ]
    error_message = "the role may write its own log, send traces, do what the map entry says, and nothing else"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30 && one(aws_lambda_function.this.logging_config).log_group == aws_cloudwatch_log_group.this.name
    error_message = "the function must write to the log group with the retention"
  }

  assert {
    condition = { for key, alarm in output.alarms : key => "${alarm.metric_name} ${alarm.statistic} ${alarm.threshold}" } == {
      test-errors      = "Errors Sum 0"
      test-duration    = "Duration p95 1000"
      test-throttles   = "Throttles Sum 0"
      test-invocations = "Invocations Sum 6000"
      prod-errors      = "Errors Sum 0"
      prod-duration    = "Duration p95 1000"
      prod-throttles   = "Throttles Sum 0"
      prod-invocations = "Invocations Sum 6000"
    }
    error_message = "each alias must have its four alarms"
  }

  assert {
    condition     = alltrue([for key, alarm in output.alarms : alarm.dimensions == { FunctionName = "switchyard-test-string-replace", Resource = "switchyard-test-string-replace:${split("-", key)[0]}" }])
    error_message = "an alarm must watch its own alias only"
  }
}

# Lambda never gives out a version's number again, so the first one of a function is not always 1.
run "never_promoted" {
  module {
    source = "./modules/function"
  }

  assert {
    condition     = aws_lambda_alias.this["prod"].function_version == "7"
    error_message = "until it is promoted, prod must serve the version that was published first"
  }
}

run "code_changed" {
  module {
    source = "./modules/function"
  }

  variables {
    package = {
      file         = "tests/packages/changed.zip"
      architecture = "arm64"
      bucket       = "switchyard-test-functions"
    }
  }

  assert {
    condition     = strcontains(aws_s3_object.package.key, filesha256("tests/packages/changed.zip")) && aws_lambda_function.this.source_code_hash == filebase64sha256("tests/packages/changed.zip")
    error_message = "changed code must be uploaded and published"
  }

  assert {
    condition     = aws_lambda_alias.this["prod"].function_version == "7" && aws_lambda_alias.this["test"].function_version == "$LATEST"
    error_message = "changed code must leave prod where it is"
  }
}

run "bad_alias" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    aliases = { prod = "latest" }
  }

  expect_failures = [var.aliases]
}

run "bad_timeouts" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    integration = { timeout_milliseconds = 30000 }
    lambda      = { description = "Too slow", timeout_seconds = 901 }
  }

  expect_failures = [var.integration, var.lambda]
}

run "bad_package" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    package = {
      file         = "tests/packages/none.zip"
      architecture = "arm"
      bucket       = "switchyard-test-functions"
    }
  }

  expect_failures = [var.package]
}

run "of_a_queue_in_a_network" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    aliases = { beta = "$LATEST" }
    network = { vpc_id = "vpc-1", subnet_ids = ["subnet-a", "subnet-b"] }
    queue   = { arn = "arn:aws:sqs:eu-west-1:123456789012:queue" }
  }

  assert {
    condition = [for mapping in aws_lambda_event_source_mapping.queue : jsonencode([
      mapping.event_source_arn, mapping.batch_size, mapping.function_response_types, mapping.scaling_config[*].maximum_concurrency,
    ])] == [jsonencode(["arn:aws:sqs:eu-west-1:123456789012:queue", 10, ["ReportBatchItemFailures"], [10]])]
    error_message = "ten messages at a time in ten instances, of which only those come back that failed"
  }

  assert {
    condition     = toset(one(aws_lambda_function.this.vpc_config).subnet_ids) == toset(["subnet-a", "subnet-b"])
    error_message = "the function must stand in the subnets"
  }

  assert {
    condition     = jsonencode([for rule in aws_vpc_security_group_egress_rule.https : [rule.ip_protocol, rule.from_port, rule.to_port]]) == jsonencode([["tcp", 443, 443]])
    error_message = "only HTTPS may go out"
  }
}

run "of_a_queue_with_two_aliases" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    queue = { arn = "arn:aws:sqs:eu-west-1:123456789012:queue" }
  }

  expect_failures = [aws_lambda_event_source_mapping.queue]
}

run "more_at_a_time_than_lambda_takes" {
  command = plan

  module {
    source = "./modules/function"
  }

  variables {
    queue = { arn = "arn:aws:sqs:eu-west-1:123456789012:queue", maximum_concurrency = 1 }
  }

  expect_failures = [var.queue]
}
