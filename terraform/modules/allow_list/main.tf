# Before the stages that are not for everybody: who is not on the list is told whom to ask, and reaches nothing.
resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:Log4j lookups (KnownBadInputs) do nothing to a service without a JVM

  name        = var.name
  description = "Admits known addresses only"
  scope       = "REGIONAL"

  default_action {
    block {
      custom_response {
        response_code            = 403
        custom_response_body_key = "not-on-the-list"
      }
    }
  }

  custom_response_body {
    key          = "not-on-the-list"
    content_type = "APPLICATION_JSON"
    content = jsonencode({
      message = "Forbidden"
      hint    = "This stage is open to known addresses only. To have yours added, ask ${var.contact}"
    })
  }

  # A set holds addresses of one family.
  dynamic "rule" {
    for_each = aws_wafv2_ip_set.this

    content {
      name     = "Allowed-${rule.key}"
      priority = rule.value.ip_address_version == "IPV4" ? 0 : 1

      action {
        allow {}
      }

      statement {
        ip_set_reference_statement {
          arn = rule.value.arn
        }
      }

      visibility_config {
        metric_name                = "Allowed-${rule.key}"
        cloudwatch_metrics_enabled = true
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    metric_name                = var.name
    cloudwatch_metrics_enabled = true
    sampled_requests_enabled   = true
  }
}

resource "aws_wafv2_ip_set" "this" {
  for_each = {
    ipv4 = [for block in var.allowed_cidr_blocks : block if !strcontains(block, ":")]
    ipv6 = [for block in var.allowed_cidr_blocks : block if strcontains(block, ":")]
  }

  name               = "${var.name}-${each.key}"
  description        = "Who may call the closed stages"
  scope              = "REGIONAL"
  ip_address_version = upper(each.key)
  addresses          = each.value
}

resource "aws_wafv2_web_acl_logging_configuration" "this" {
  resource_arn            = aws_wafv2_web_acl.this.arn
  log_destination_configs = [var.log_group_arn]

  redacted_fields {
    single_header {
      name = "authorization"
    }
  }

  redacted_fields {
    single_header {
      name = "x-api-key"
    }
  }

  # What was let through is in the access logs already.
  logging_filter {
    default_behavior = "DROP"

    filter {
      behavior    = "KEEP"
      requirement = "MEETS_ALL"

      condition {
        action_condition {
          action = "BLOCK"
        }
      }
    }
  }
}
