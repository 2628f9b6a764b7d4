output "arn" {
  description = "The web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "log_group_arn" {
  description = "Where requests that were blocked or counted are logged; other web ACLs of this system may write there too."
  value       = aws_cloudwatch_log_group.this.arn

  # WAF tries to write when it is told the group.
  depends_on = [aws_cloudwatch_log_resource_policy.this]
}

output "protected" {
  description = "What stands behind the firewall, by its name."
  value       = { for name, association in aws_wafv2_web_acl_association.this : name => association.resource_arn }
}

output "alarms" {
  description = "Addresses that the rate rule blocks."
  value = {
    rate-limit = {
      description = "The firewall ${var.name} blocks an address that makes more than ${var.rate_limit} requests in five minutes. Its log names the address."
      namespace   = "AWS/WAFV2"
      metric_name = "BlockedRequests"
      dimensions  = { WebACL = var.name, Region = var.region, Rule = "RateLimit" }
      statistic   = "Sum"
      period      = 300
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "What the firewall lets through and what it blocks."
  value = [
    {
      row   = "waf"
      title = "Allowed and blocked"
      metrics = [for action in ["Allowed", "Blocked"] : {
        namespace   = "AWS/WAFV2"
        metric_name = "${action}Requests"
        dimensions  = { WebACL = var.name, Region = var.region, Rule = "ALL" }
        statistic   = "Sum"
        label       = lower(action)
      }]
    },
    {
      row     = "waf"
      title   = "Blocked, by rule"
      stacked = true
      metrics = [for rule in concat(["RateLimit"], local.managed_rule_groups[*].name) : {
        namespace   = "AWS/WAFV2"
        metric_name = "BlockedRequests"
        dimensions  = { WebACL = var.name, Region = var.region, Rule = rule }
        statistic   = "Sum"
        label       = rule
      }]
    },
  ]
}
