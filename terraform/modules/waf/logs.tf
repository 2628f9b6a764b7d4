# WAF takes only a log group whose name begins with aws-waf-logs-.
resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Keys and tokens are redacted; CloudWatch Logs encrypts the lines with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days

  name              = "aws-waf-logs-${var.name}"
  retention_in_days = var.log_retention_days
}

# WAF would make this policy itself, with the caller's rights, for every log group of the account: ours names one.
resource "aws_cloudwatch_log_resource_policy" "this" {
  policy_name = "${var.name}-waf"

  policy_document = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "WriteWafLog"
      Effect    = "Allow"
      Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Principal = { Service = "delivery.logs.amazonaws.com" }
      Resource  = "${aws_cloudwatch_log_group.this.arn}:*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [aws_cloudwatch_log_group.this.arn]

  redacted_fields {
    single_header {
      name = "x-api-key"
    }
  }

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  # What was let through is in the access logs already, at a tenth of the price.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ANY"

      dynamic "condition" {
        for_each = ["BLOCK", "COUNT"]

        content {
          action_condition {
            action = condition.value
          }
        }
      }
    }
  }

  depends_on = [aws_cloudwatch_log_resource_policy.this]
}
