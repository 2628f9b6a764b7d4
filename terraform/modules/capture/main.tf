# Where a published body is safe: in the bucket, with a message on its way to the queue. S3 sends it for every object, at
# least once, and tries until SQS has it; nothing of ours runs between the caller's 202 and the message.
locals {
  prefixes = { captured = "captured/", results = "results/" }

  # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html: six times the consumer's time-out, so that a
  # message does not come back while it is still being worked on.
  visibility_timeout_seconds = 6 * var.processing_timeout_seconds
}

module "bucket" {
  source = "../bucket"

  name        = "${var.name}-${substr(sha256(var.account_id), 0, 6)}"
  disposable  = var.disposable
  kms_key_arn = var.kms_key_arn
  versioned   = false # a body is written once, under the id of its request
  expire_days = var.keep_days

  grants = concat(
    [{ sid = "Capture", role_arn = aws_iam_role.put.arn, actions = ["s3:PutObject"], prefix = local.prefixes.captured }],
    [for name, role_arn in var.reader_role_arns : { sid = "Read${title(name)}", role_arn = role_arn, actions = ["s3:GetObject"], prefix = "" }],
    [for name, role_arn in var.processor_role_arns : { sid = "Process${title(name)}", role_arn = role_arn, actions = ["s3:GetObject"], prefix = local.prefixes.captured }],
    [for name, role_arn in var.processor_role_arns : { sid = "Write${title(name)}", role_arn = role_arn, actions = ["s3:PutObject"], prefix = local.prefixes.results }],
  )
}

resource "aws_s3_bucket_notification" "captured" {
  bucket = module.bucket.name

  queue {
    queue_arn     = aws_sqs_queue.this.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = local.prefixes.captured
  }

  # S3 sends a test event when this is set, and is refused without the permission.
  depends_on = [aws_sqs_queue_policy.this]
}

# The caller's side: API Gateway may put bodies, and do nothing else with them.
resource "aws_iam_role" "put" {
  name        = "${var.name}-put"
  description = "By which API Gateway puts bodies into the bucket of ${var.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "put" {
  name = "put"
  role = aws_iam_role.put.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Capture"
        Effect   = "Allow"
        Action   = ["s3:PutObject"]
        Resource = ["${module.bucket.arn}/${local.prefixes.captured}*"]
      }],
      [for key in var.kms_key_arn[*] : {
        Sid      = "UseKey"
        Effect   = "Allow"
        Action   = ["kms:GenerateDataKey", "kms:Decrypt"]
        Resource = [key]
      }],
    )
  })
}
