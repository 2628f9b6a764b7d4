# The stream and what it is allowed to do, with what AWS would make up given here.
mock_provider "aws" {
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/switchyard-test-events" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::switchyard-test-events" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/events" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:events" }
  }
}

variables {
  name               = "switchyard-test-events"
  region             = "eu-west-1"
  account_id         = "123456789012"
  log_retention_days = 30
}

run "as_it_is" {
  module {
    source = "./modules/event_stream"
  }

  assert {
    condition     = one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).buffering_interval == 60 && one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).buffering_size == 10 && one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).compression_format == "GZIP"
    error_message = "events must go to S3 after a minute or 10 MB, compressed"
  }

  assert {
    condition     = startswith(one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).prefix, "events/!{timestamp:yyyy/MM/dd") && startswith(one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).error_output_prefix, "errors/!{firehose:error-output-type}/")
    error_message = "events must lie by date, and errors under a prefix of their own"
  }

  assert {
    condition     = jsonencode(one(one(one(aws_kinesis_firehose_delivery_stream.this.extended_s3_configuration).processing_configuration).processors)) == jsonencode({ parameters = [{ parameter_name = "Delimiter", parameter_value = "\\n" }], type = "AppendDelimiterToRecord" })
    error_message = "Firehose must add the newline"
  }

  assert {
    condition     = one(aws_kinesis_firehose_delivery_stream.this.server_side_encryption).enabled
    error_message = "what waits in the stream must be encrypted"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.put.policy).Statement == [{
      Sid      = "PutEvents"
      Effect   = "Allow"
      Action   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
      Resource = "arn:aws:firehose:eu-west-1:123456789012:deliverystream/switchyard-test-events"
    }]
    error_message = "API Gateway may put into exactly this stream"
  }

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_iam_role_policy.delivery.policy).Statement : alltrue([
        for resource in flatten([statement.Resource]) : startswith(resource, statement.Sid == "WriteLog" ? "arn:aws:logs:eu-west-1:123456789012:log-group:events:" : "arn:aws:s3:::switchyard-test-events")
      ])
    ])
    error_message = "Firehose may write into exactly this bucket and its log"
  }

  assert {
    condition     = keys(output.alarms) == ["failed-deliveries", "freshness", "throttles"] && output.alarms.freshness.threshold == 900
    error_message = "late, failed and refused events must be noticed"
  }
}

run "with_a_key_of_the_owner" {
  module {
    source = "./modules/event_stream"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/k"
  }

  assert {
    condition     = one(aws_kinesis_firehose_delivery_stream.this.server_side_encryption).key_arn == "arn:aws:kms:eu-west-1:123456789012:key/k"
    error_message = "the stream must be encrypted with the key"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.delivery.policy).Statement : statement.Resource if statement.Sid == "UseKey"]) == "arn:aws:kms:eu-west-1:123456789012:key/k"
    error_message = "Firehose may use exactly this key"
  }
}

run "a_buffer_that_firehose_does_not_have" {
  command = plan

  module {
    source = "./modules/event_stream"
  }

  variables {
    buffering = { seconds = 901 }
  }

  expect_failures = [var.buffering]
}
