# Events wait in the stream until there are enough of them, or for long enough, and go to S3 as one compressed object.
resource "aws_kinesis_firehose_delivery_stream" "this" {
  name        = var.name
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = var.kms_key_arn == null ? "AWS_OWNED_CMK" : "CUSTOMER_MANAGED_CMK"
    key_arn  = var.kms_key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.delivery.arn
    bucket_arn          = module.bucket.arn
    prefix              = "events/!{timestamp:yyyy/MM/dd/HH}/"
    error_output_prefix = "errors/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd/HH}/"
    buffering_interval  = var.buffering.seconds
    buffering_size      = var.buffering.megabytes
    compression_format  = "GZIP"

    # One record, one line. A newline that the request's template glued on would be inside the base64.
    processing_configuration {
      enabled = true

      processors {
        type = "AppendDelimiterToRecord"

        parameters {
          parameter_name  = "Delimiter"
          parameter_value = "\\n"
        }
      }
    }

    cloudwatch_logging_options {
      enabled         = true
      log_group_name  = aws_cloudwatch_log_group.delivery.name
      log_stream_name = aws_cloudwatch_log_stream.delivery.name
    }
  }

  # Without its policy the first delivery could be refused.
  depends_on = [aws_iam_role_policy.delivery]
}

module "bucket" {
  source = "../bucket"

  name        = "${var.name}-${substr(sha256(var.account_id), 0, 6)}"
  disposable  = var.disposable
  kms_key_arn = var.kms_key_arn
  expire_days = var.expire_days
}

# Only what could not be delivered is written here, and why.
resource "aws_cloudwatch_log_group" "delivery" {
  #checkov:skip=CKV_AWS_158:Lines hold no event; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days
  name              = "/aws/kinesisfirehose/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_cloudwatch_log_stream" "delivery" {
  name           = "delivery"
  log_group_name = aws_cloudwatch_log_group.delivery.name
}
