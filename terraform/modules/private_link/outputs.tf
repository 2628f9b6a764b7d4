output "vpc_link_id" {
  description = "The VPC link: what an integration names as its connection."
  value       = aws_api_gateway_vpc_link.this.id
}

output "load_balancer" {
  description = "The network load balancer, for the listeners of other services."
  value = {
    arn               = aws_lb.this.arn
    dns_name          = aws_lb.this.dns_name
    security_group_id = aws_security_group.this.id
  }
}

output "endpoints" {
  description = "Host and port of each stage's listener, as the integrations' URIs have them."
  value       = { for stage, port in var.stage_ports : stage => "${local.host}:${port}" }
}

output "scheme" {
  description = "What is spoken there: http, or https where the load balancer behind has a certificate."
  value       = lower(var.target.protocol)
}
