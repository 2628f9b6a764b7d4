# A listener and a target group for each service, at the network load balancer that the VPC link leads to.

resource "aws_lb_listener" "this" {
  for_each = var.services

  load_balancer_arn = var.load_balancer.arn
  port              = each.value.port
  protocol          = "TCP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }

  tags = { Service = each.key }
}

resource "aws_lb_target_group" "this" {
  for_each = var.services

  name        = "${local.short_name}-${each.value.port}"
  vpc_id      = var.network.vpc_id
  target_type = "ip"
  port        = each.value.port
  protocol    = "TCP"

  # What it is doing may take as long as API Gateway waits.
  deregistration_delay = local.gateway_seconds + 1

  # nginx itself: an upstream that is away is answered 503, and more proxies would not bring it back.
  health_check {
    protocol            = "HTTP"
    path                = local.health_check_path
    matcher             = "200"
    interval            = 10
    timeout             = 6
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  # With another port comes another group, and the listener must point at one throughout.
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_security_group" "this" {
  name        = local.full_name
  description = "From the VPC link's load balancer to the proxies, and from there to services outside AWS"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  for_each = var.services

  security_group_id            = aws_security_group.this.id
  description                  = "Requests to ${each.key}, and health checks"
  referenced_security_group_id = var.load_balancer.security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "to_proxies" {
  for_each = var.services

  security_group_id            = var.load_balancer.security_group_id
  description                  = "Requests to ${each.key}, and health checks"
  referenced_security_group_id = aws_security_group.this.id
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

# The image and the log are AWS's, and most upstreams are at this port too.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "AWS and upstreams, by HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "upstream" {
  for_each = { for port in distinct([for service in values(local.services) : service.upstream_port if service.upstream_port != 443]) : tostring(port) => port }

  security_group_id = aws_security_group.this.id
  description       = "Upstreams at port ${each.key}"
  cidr_ipv4         = "0.0.0.0/0" # their names may lead to any address
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}
