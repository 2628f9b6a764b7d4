# API Gateway reaches a VPC through a VPC link, and the link leads to a network load balancer: the only kind that version 1 of
# VPC links takes (version 2 takes an application load balancer; the provider has it from version 6 on).
# https://docs.aws.amazon.com/apigateway/latest/developerguide/vpc-links-v1.html
locals {
  # A load balancer's and a target group's name is at most 32 characters, "-" and a port included.
  short_name = length(var.name) <= 26 ? var.name : "${trimsuffix(substr(var.name, 0, 19), "-")}-${substr(sha256(var.name), 0, 6)}"

  # Twice as often as the load balancer asks the tasks would tell nothing sooner.
  health_check = { interval = 10, timeout = 6, healthy = 2, unhealthy = 2 }

  # API Gateway takes the way from the link and the port from the integration's URI; the host is what it asks the certificate
  # for, and sends as Host.
  host = var.target.host == null ? aws_lb.this.dns_name : var.target.host
}

resource "aws_api_gateway_vpc_link" "this" {
  name        = var.name
  description = "From API Gateway to what stands in the VPC of ${var.name}"
  target_arns = [aws_lb.this.arn]
}

resource "aws_lb" "this" {
  #checkov:skip=CKV_AWS_91:A TCP listener has no access log; the VPC's flow logs have each connection, and the load balancer behind it each request
  name                             = "${local.short_name}-link"
  load_balancer_type               = "network"
  internal                         = true
  subnets                          = var.network.private_subnet_ids
  security_groups                  = [aws_security_group.this.id]
  enable_cross_zone_load_balancing = true
  enable_deletion_protection       = var.protected

  # The security group has no rule that lets anybody in, and PrivateLink, by which the VPC link comes, is not asked for one. So
  # the link gets in, and nothing else, be it in the VPC. https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html
  enforce_security_group_inbound_rules_on_private_link_traffic = "off"
}

resource "aws_security_group" "this" {
  name        = "${var.name}-link"
  description = "From the VPC link, which needs no rule, to what stands behind the load balancer"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "target" {
  security_group_id            = aws_security_group.this.id
  description                  = "Requests and health checks"
  referenced_security_group_id = var.target.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.target.port
  to_port                      = var.target.port
}

# The world may come to that load balancer as it is; with this rule the link does not depend on that.
resource "aws_vpc_security_group_ingress_rule" "target" {
  security_group_id            = var.target.security_group_id
  description                  = "From the VPC link's load balancer"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = var.target.port
  to_port                      = var.target.port
}

# Of type `alb`, not the tasks themselves: which tasks serve is said by CodeDeploy at the application load balancer's listener,
# and a release moves both ways in at once. TLS, where there is a certificate, ends there.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/network/application-load-balancer-target.html
resource "aws_lb_target_group" "this" {
  name        = "${local.short_name}-${var.target.port}"
  vpc_id      = var.network.vpc_id
  target_type = "alb"
  port        = var.target.port
  protocol    = "TCP"

  health_check {
    protocol            = var.target.protocol
    path                = var.target.health_check_path
    matcher             = "200"
    interval            = local.health_check.interval
    timeout             = local.health_check.timeout
    healthy_threshold   = local.health_check.healthy
    unhealthy_threshold = local.health_check.unhealthy
  }

  # With a domain the port becomes another, and listeners must point at one throughout.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lb_target_group_attachment" "this" {
  target_group_arn = aws_lb_target_group.this.arn
  target_id        = var.target.load_balancer_arn
  port             = var.target.port
}

# A port for each stage: what a stage is led to can be changed, or cut off, for it alone.
resource "aws_lb_listener" "stage" {
  for_each = var.stage_ports

  load_balancer_arn = aws_lb.this.arn
  port              = each.value
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }

  tags = { Stage = each.key }
}
