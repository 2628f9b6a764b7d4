locals {
  # A load balancer's and a target group's name is at most 32 characters, "-green" included.
  short_name = length(var.name) <= 26 ? var.name : "${trimsuffix(substr(var.name, 0, 19), "-")}-${substr(sha256(var.name), 0, 6)}"

  # With a certificate HTTPS serves and HTTP only redirects to it; without one HTTP serves.
  production = var.domain == null ? { port = 80, protocol = "HTTP" } : { port = 443, protocol = "HTTPS" }
  test       = var.domain == null ? { port = 8080, protocol = "HTTP" } : { port = 8443, protocol = "HTTPS" }
  tls        = var.domain == null ? null : { policy = "ELBSecurityPolicy-TLS13-1-2-2021-06", certificate_arn = var.domain.certificate_arn }

  health_check = { path = "/status/ready", interval = 10, timeout = 5, healthy = 2, unhealthy = 3 }
}

resource "aws_lb" "this" {
  #checkov:skip=CKV2_AWS_20:With a domain port 80 redirects to HTTPS; without one there is no certificate to be had
  #checkov:skip=CKV2_AWS_28:The root associates the firewall, which it shares with the API's stages
  name                       = local.short_name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = var.network.public_subnet_ids
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.protected
  idle_timeout               = local.idle_seconds.load_balancer

  # The service believes what its own load balancers wrote (TRUSTED_PROXIES): this one appends the address that it saw, and
  # what a client put in stands before that, and is not believed.
  xff_header_processing_mode = "append"

  # AWS writes a first file at once, to see whether it may: the name is known only when the bucket has its policy.
  access_logs {
    bucket  = module.access_logs.name
    enabled = true
  }

  # For the bill, by cost allocation tag, and for whoever asks the account what its front doors are.
  tags = { Architecture = "fargate" }
}

# CodeDeploy starts the new tasks in whichever of the two is free and then turns the listeners to it.
resource "aws_lb_target_group" "this" {
  #checkov:skip=CKV_AWS_378:HTTP within the VPC, between security groups that admit only each other; TLS ends at the load balancer
  for_each = toset(["blue", "green"])

  name        = "${local.short_name}-${each.key}"
  vpc_id      = var.network.vpc_id
  target_type = "ip"
  port        = local.container_port
  protocol    = "HTTP"

  # A body may be a hundred bytes or a gigabyte, so equal numbers of requests are not equal work.
  load_balancing_algorithm_type = "least_outstanding_requests"

  # Longer than the service drains, so that the load balancer does not cut off what the service is still answering.
  deregistration_delay = local.drain.deregistration_delay

  # Ready, not merely up: a task without a map answers 503 to everything, so it must get no traffic, and a release that
  # cannot load its map must fail. A task keeps the last good map when the source fails later, and with it stays ready: an
  # outage of the source takes no running task away.
  health_check {
    path                = local.health_check.path
    matcher             = "200"
    interval            = local.health_check.interval
    timeout             = local.health_check.timeout
    healthy_threshold   = local.health_check.healthy
    unhealthy_threshold = local.health_check.unhealthy
  }
}

resource "aws_lb_listener" "production" {
  #checkov:skip=CKV_AWS_2:HTTP only without a domain, when there is no certificate to be had
  #checkov:skip=CKV_AWS_103:The TLS 1.3 policy is set whenever there is a certificate
  load_balancer_arn = aws_lb.this.arn
  port              = local.production.port
  protocol          = local.production.protocol
  ssl_policy        = one(local.tls[*].policy)
  certificate_arn   = one(local.tls[*].certificate_arn)

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["blue"].arn
  }

  # CodeDeploy turns it from blue to green and back.
  lifecycle {
    ignore_changes = [default_action]
  }
}

# Shows the green tasks before they get the traffic.
resource "aws_lb_listener" "test" {
  #checkov:skip=CKV_AWS_2:HTTP only without a domain, when there is no certificate to be had
  #checkov:skip=CKV_AWS_103:The TLS 1.3 policy is set whenever there is a certificate
  load_balancer_arn = aws_lb.this.arn
  port              = local.test.port
  protocol          = local.test.protocol
  ssl_policy        = one(local.tls[*].policy)
  certificate_arn   = one(local.tls[*].certificate_arn)

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this["green"].arn
  }

  lifecycle {
    ignore_changes = [default_action]
  }
}

resource "aws_lb_listener" "redirect" {
  count = var.domain == null ? 0 : 1

  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }

  # When a domain is added later, the production listener must have left port 80 first.
  depends_on = [aws_lb_listener.production]
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.host
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

resource "aws_security_group" "load_balancer" {
  name        = "${var.name}-load-balancer"
  description = "From the internet to the load balancer, and from there to the tasks"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "public" {
  #checkov:skip=CKV_AWS_260:Port 80 is open to the world to redirect to HTTPS, and without a domain to serve
  for_each = { for port in distinct([80, local.production.port]) : tostring(port) => port }

  security_group_id = aws_security_group.load_balancer.id
  description       = "Clients"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
}

resource "aws_vpc_security_group_ingress_rule" "test" {
  for_each = var.test_listener_cidr_blocks

  security_group_id = aws_security_group.load_balancer.id
  description       = "Testers of the green tasks"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = local.test.port
  to_port           = local.test.port
}

resource "aws_vpc_security_group_egress_rule" "to_tasks" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Requests and health checks"
  referenced_security_group_id = aws_security_group.task.id
  ip_protocol                  = "tcp"
  from_port                    = local.container_port
  to_port                      = local.container_port
}
