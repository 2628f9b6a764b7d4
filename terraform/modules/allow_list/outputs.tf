output "arn" {
  description = "The web ACL. A stage has one only, so the root associates it or the shared one."
  value       = aws_wafv2_web_acl.this.arn
}

output "alarms" {
  description = "Many callers who are not on the list, or one who should be."
  value = {
    blocked = {
      description = "${var.name} turned away more than ${local.blocked_limit} requests in five minutes: somebody tries the closed stages, or the address of somebody admitted has changed. The log names the addresses."
      namespace   = "AWS/WAFV2"
      metric_name = "BlockedRequests"
      dimensions  = local.blocked
      statistic   = "Sum"
      period      = 300
      threshold   = local.blocked_limit
    }
  }
}

output "widgets" {
  description = "Who was let through and who was not."
  value = [{
    row   = "waf"
    title = "Closed stages: allowed and blocked"
    metrics = [for action in ["Allowed", "Blocked"] : {
      namespace   = "AWS/WAFV2"
      metric_name = "${action}Requests"
      dimensions  = local.blocked
      statistic   = "Sum"
      label       = lower(action)
    }]
  }]
}

locals {
  blocked       = { WebACL = var.name, Region = var.region, Rule = "ALL" }
  blocked_limit = 100 # scanners come by; so many in five minutes are somebody
}
