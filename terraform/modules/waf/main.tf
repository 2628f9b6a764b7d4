locals {
  # In the order in which they are tried.
  managed_rule_groups = [
    { name = "AWSManagedRulesAmazonIpReputationList", count = [] },
    # Its body rule blocks whatever is larger than 8 KB; the API takes megabytes and has a limit of its own.
    { name = "AWSManagedRulesCommonRuleSet", count = ["SizeRestrictions_BODY"] },
  ]
}

resource "aws_wafv2_web_acl" "this" {
  #checkov:skip=CKV_AWS_192:Log4j lookups (KnownBadInputs) do nothing to a service without a JVM

  name        = var.name
  description = "In front of every API stage and load balancer of ${var.name}"
  scope       = "REGIONAL"

  default_action {
    allow {}
  }

  custom_response_body {
    key          = "too-many-requests"
    content      = jsonencode({ message = "Too Many Requests" })
    content_type = "APPLICATION_JSON"
  }

  rule {
    name     = "RateLimit"
    priority = 0

    action {
      block {
        custom_response {
          response_code            = 429
          custom_response_body_key = "too-many-requests"

          response_header {
            name  = "Retry-After"
            value = "300"
          }
        }
      }
    }

    statement {
      rate_based_statement {
        limit                 = var.rate_limit
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300

        dynamic "scope_down_statement" {
          for_each = aws_wafv2_ip_set.inner[*].arn

          content {
            not_statement {
              statement {
                ip_set_reference_statement {
                  arn = scope_down_statement.value
                }
              }
            }
          }
        }
      }
    }

    visibility_config {
      metric_name                = "RateLimit"
      cloudwatch_metrics_enabled = true
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_rule_groups

    content {
      name     = rule.value.name
      priority = 1 + rule.key

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          name        = rule.value.name
          vendor_name = "AWS"

          dynamic "rule_action_override" {
            for_each = rule.value.count

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        metric_name                = rule.value.name
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

resource "aws_wafv2_ip_set" "inner" {
  count = length(var.inner_cidr_blocks) > 0 ? 1 : 0

  name               = "${var.name}-inner"
  description        = "Our own load balancers, whose requests are not counted a second time"
  scope              = "REGIONAL"
  ip_address_version = "IPV4"
  addresses          = var.inner_cidr_blocks
}

resource "aws_wafv2_web_acl_association" "this" {
  for_each = var.protected

  web_acl_arn  = aws_wafv2_web_acl.this.arn
  resource_arn = each.value
}
