resource "aws_sqs_queue" "this" {
  name                       = var.name
  delay_seconds              = 3  # bursts settle before the consumer starts
  receive_wait_time_seconds  = 20 # long polling: SQS's longest
  message_retention_seconds  = local.retention_seconds
  visibility_timeout_seconds = local.visibility_timeout_seconds

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.errors.arn
    maxReceiveCount     = var.max_processing_attempts
  })
}

# What could not be processed, until a person looks at it: `scripts/main.py redrive`.
resource "aws_sqs_queue" "errors" {
  name                      = "${var.name}-errors"
  message_retention_seconds = local.retention_seconds

  sqs_managed_sse_enabled = var.kms_key_arn == null ? true : null
  kms_master_key_id       = var.kms_key_arn
}

resource "aws_sqs_queue_redrive_allow_policy" "errors" {
  queue_url = aws_sqs_queue.errors.id

  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.this.arn]
  })
}

locals {
  retention_seconds = 14 * 24 * 3600 # SQS's longest, and as long as the bodies are kept

  tls_only = {
    Sid       = "TlsOnly"
    Effect    = "Deny"
    Principal = "*"
    Action    = "sqs:*"
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }
}

# Only S3, and of it only this bucket, may send.
resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      merge(local.tls_only, { Resource = aws_sqs_queue.this.arn }),
      {
        Sid       = "Notify"
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = aws_sqs_queue.this.arn
        Condition = {
          ArnEquals    = { "aws:SourceArn" = module.bucket.arn }
          StringEquals = { "aws:SourceAccount" = var.account_id }
        }
      },
    ]
  })
}

resource "aws_sqs_queue_policy" "errors" {
  queue_url = aws_sqs_queue.errors.id
  policy    = jsonencode({ Version = "2012-10-17", Statement = [merge(local.tls_only, { Resource = aws_sqs_queue.errors.arn })] })
}
