locals {
  sha256 = filesha256(var.package.file)
}

# The key holds the content's hash: the same zip is never uploaded twice, and a changed one never overwrites what a
# running deployment may still fetch.
resource "aws_s3_object" "package" {
  bucket = var.package.bucket
  key    = "functions/${var.name}/${local.sha256}.zip"
  source = var.package.file

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_function" "this" {
  #checkov:skip=CKV_AWS_115:Reserved concurrency would take from the account's pool; the stage's throttling, or the queue's concurrency, bounds the function
  #checkov:skip=CKV_AWS_116:Called synchronously, by API Gateway or for a queue that has an error queue of its own, so a dead-letter queue would never receive anything
  #checkov:skip=CKV_AWS_117:In a VPC when the caller gives one; what calls public AWS endpoints only needs none
  #checkov:skip=CKV_AWS_173:The environment holds names, no secret; Lambda encrypts it with its own key
  #checkov:skip=CKV_AWS_272:The zip comes from this system's own bucket, by content hash

  function_name = var.name
  description   = var.lambda.description
  role          = aws_iam_role.this.arn

  runtime       = "provided.al2023"
  handler       = "bootstrap"
  architectures = [var.package.architecture]

  s3_bucket        = aws_s3_object.package.bucket
  s3_key           = aws_s3_object.package.key
  source_code_hash = filebase64sha256(var.package.file)
  publish          = true

  memory_size = var.lambda.memory_size
  timeout     = var.lambda.timeout_seconds

  environment {
    variables = merge(var.lambda.environment, { METRICS_SERVICE = var.name })
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.this.name
  }

  tracing_config {
    mode = "Active"
  }

  dynamic "vpc_config" {
    for_each = var.network[*]

    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = aws_security_group.this[*].id
    }
  }

  # Without its policy the first invocation after an apply could be refused.
  depends_on = [aws_iam_role_policy.this]
}

# Remembers which version the first apply published. That is "1" only for a name that was never used before: Lambda does
# not give out a version's number again, not even after the function was deleted.
resource "terraform_data" "first_version" {
  input            = aws_lambda_function.this.version
  triggers_replace = aws_lambda_function.this.arn

  lifecycle {
    ignore_changes = [input]
  }
}

resource "aws_lambda_alias" "this" {
  for_each = var.aliases

  name             = each.key
  description      = "What ${each.key} calls"
  function_name    = aws_lambda_function.this.function_name
  function_version = each.value == null ? terraform_data.first_version.output : each.value
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Lines hold no body, key or token; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days

  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}
