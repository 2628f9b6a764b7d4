# Queue, bucket and who may touch them, with what AWS would make up given here.
mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-west-1:123456789012:switchyard-test-publish" }
  }

  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::switchyard-test-publish", id = "switchyard-test-publish" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/put" }
  }
}

variables {
  name                       = "switchyard-test-publish"
  account_id                 = "123456789012"
  processing_timeout_seconds = 60
  max_processing_attempts    = 4
}

run "as_it_is" {
  module {
    source = "./modules/capture"
  }

  assert {
    condition = [
      aws_sqs_queue.this.delay_seconds, aws_sqs_queue.this.receive_wait_time_seconds, aws_sqs_queue.this.message_retention_seconds,
      aws_sqs_queue.this.visibility_timeout_seconds, aws_sqs_queue.errors.message_retention_seconds,
    ] == [3, 20, 1209600, 360, 1209600]
    error_message = "delay 3 s, long polling 20 s, retention 14 days, hidden for six attempts' time"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.this.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.errors.arn, maxReceiveCount = 4 }
    error_message = "after its attempts a message must go to the error queue"
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.errors.redrive_allow_policy) == { redrivePermission = "byQueue", sourceQueueArns = [aws_sqs_queue.this.arn] }
    error_message = "the error queue must take messages of this queue only"
  }

  assert {
    condition = one([for statement in jsondecode(aws_sqs_queue_policy.this.policy).Statement : statement if statement.Effect == "Allow"]) == {
      Sid       = "Notify"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:switchyard-test-publish"
      Condition = {
        ArnEquals    = { "aws:SourceArn" = "arn:aws:s3:::switchyard-test-publish" }
        StringEquals = { "aws:SourceAccount" = "123456789012" }
      }
    }
    error_message = "this bucket, and nobody else, may send"
  }

  assert {
    condition     = alltrue([for policy in [aws_sqs_queue_policy.this, aws_sqs_queue_policy.errors] : contains(jsondecode(policy.policy).Statement[*].Sid, "TlsOnly")])
    error_message = "both queues must refuse plain HTTP"
  }

  assert {
    condition     = aws_sqs_queue.this.sqs_managed_sse_enabled && aws_sqs_queue.errors.sqs_managed_sse_enabled
    error_message = "both queues must be encrypted"
  }

  assert {
    condition = jsonencode([for queue in aws_s3_bucket_notification.captured.queue : [queue.events, queue.filter_prefix, queue.queue_arn]]) == jsonencode([
      [["s3:ObjectCreated:*"], "captured/", "arn:aws:sqs:eu-west-1:123456789012:switchyard-test-publish"]
    ])
    error_message = "every body that comes in, and no result, must be told of"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.put.policy).Statement == [{
      Sid = "Capture", Effect = "Allow", Action = ["s3:PutObject"], Resource = ["arn:aws:s3:::switchyard-test-publish/captured/*"]
    }]
    error_message = "API Gateway may put bodies and do nothing else"
  }

  assert {
    condition     = aws_dynamodb_table.receipts.hash_key == "id" && one(aws_dynamodb_table.receipts.ttl).attribute_name == "expires_at" && one(aws_dynamodb_table.receipts.server_side_encryption).enabled && one(aws_dynamodb_table.receipts.point_in_time_recovery).enabled
    error_message = "receipts must go by themselves, and be encrypted and kept until then"
  }

  assert {
    condition = { for user, needs in output.users : user => [for statement in needs.statements : "${join(" ", statement.actions)} on ${join(" ", statement.resources)}"] } == {
      reader = [
        "s3:ListBucket on arn:aws:s3:::switchyard-test-publish",
        "s3:GetObject on arn:aws:s3:::switchyard-test-publish/*",
        "dynamodb:GetItem on ${aws_dynamodb_table.receipts.arn}",
      ]
      processor = [
        "s3:ListBucket on arn:aws:s3:::switchyard-test-publish",
        "s3:GetObject on arn:aws:s3:::switchyard-test-publish/captured/*",
        "s3:PutObject on arn:aws:s3:::switchyard-test-publish/results/*",
        "dynamodb:UpdateItem on ${aws_dynamodb_table.receipts.arn}",
      ]
    }
    error_message = "who reads changes nothing, and who processes cannot touch what was captured"
  }

  assert {
    condition     = tomap(output.users.processor.environment) == tomap({ ATTEMPT_SECONDS = "60", MALLOC_MMAP_THRESHOLD_ = "1048576", PUBLISH_BUCKET = output.bucket.name, RECEIPT_TABLE = output.receipt_table })
    error_message = "the worker must be told its bucket, its table, its time, and to give memory back"
  }

  assert {
    condition     = output.alarms.errors.threshold == 0 && output.alarms.oldest-message.threshold == 900
    error_message = "old messages and failed ones must be noticed"
  }
}

run "with_a_key_of_the_owner" {
  module {
    source = "./modules/capture"
  }

  variables {
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/k"
  }

  assert {
    condition     = aws_sqs_queue.this.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.errors.kms_master_key_id == var.kms_key_arn
    error_message = "both queues must be encrypted with the key"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.put.policy).Statement : statement.Resource if statement.Sid == "UseKey"]) == [var.kms_key_arn]
    error_message = "who puts bodies must be able to encrypt them"
  }
}

run "more_attempts_than_sqs_has" {
  command = plan

  module {
    source = "./modules/capture"
  }

  variables {
    max_processing_attempts = 0
  }

  expect_failures = [var.max_processing_attempts]
}
