# From API Gateway to the container service: who gets in, and what blue/green has to do with it.
mock_provider "aws" {
  mock_resource "aws_lb" {
    override_during = plan
    defaults        = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/link/1", arn_suffix = "net/link/1", dns_name = "link-1.elb.eu-west-1.amazonaws.com" }
  }
  mock_resource "aws_lb_target_group" {
    override_during = plan
    defaults        = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/link/2", arn_suffix = "targetgroup/link/2" }
  }
  mock_resource "aws_security_group" {
    override_during = plan
    defaults        = { id = "sg-link" }
  }
}

variables {
  name    = "switchyard-test-abc123"
  network = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-3", "subnet-4"] }
  target = {
    load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/switchyard/3"
    security_group_id = "sg-balancer"
    port              = 80
    protocol          = "HTTP"
    health_check_path = "/status/ready"
  }
  stage_ports = { prod = 8000, dev = 8001 }
}

run "as_it_is" {
  command = plan

  module {
    source = "./modules/private_link"
  }

  assert {
    condition     = aws_lb.this.internal && aws_lb.this.load_balancer_type == "network" && aws_lb.this.enable_cross_zone_load_balancing && aws_lb.this.enable_deletion_protection && aws_lb.this.subnets == toset(["subnet-3", "subnet-4"])
    error_message = "the load balancer must be internal, across both zones, and protected"
  }

  assert {
    condition     = aws_lb.this.security_groups == toset(["sg-link"]) && aws_lb.this.enforce_security_group_inbound_rules_on_private_link_traffic == "off"
    error_message = "the VPC link must get in without a rule"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.target.security_group_id == "sg-balancer" && aws_vpc_security_group_ingress_rule.target.referenced_security_group_id == "sg-link" && aws_vpc_security_group_ingress_rule.target.from_port == 80
    error_message = "the only rule for coming in is that of the load balancer behind, and there must be none for coming into this one"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.target.security_group_id == "sg-link" && aws_vpc_security_group_egress_rule.target.referenced_security_group_id == "sg-balancer" && aws_vpc_security_group_egress_rule.target.to_port == 80
    error_message = "from here only that load balancer may be reached, at its listener's port"
  }

  assert {
    condition     = aws_lb_target_group.this.target_type == "alb" && aws_lb_target_group.this.protocol == "TCP" && aws_lb_target_group.this.port == 80 && aws_lb_target_group_attachment.this.target_id == var.target.load_balancer_arn
    error_message = "the target must be the application load balancer: which tasks serve stays CodeDeploy's to say"
  }

  assert {
    condition     = one(aws_lb_target_group.this.health_check).protocol == "HTTP" && one(aws_lb_target_group.this.health_check).path == "/status/ready" && one(aws_lb_target_group.this.health_check).matcher == "200"
    error_message = "healthy must mean that tasks answer"
  }

  assert {
    condition     = { for stage, listener in aws_lb_listener.stage : stage => "${listener.protocol} ${listener.port}" } == { prod = "TCP 8000", dev = "TCP 8001" }
    error_message = "each stage must have a listener of its own"
  }

  assert {
    condition     = alltrue([for listener in aws_lb_listener.stage : one(listener.default_action).target_group_arn == aws_lb_target_group.this.arn])
    error_message = "all of them must lead to the container service"
  }

  assert {
    condition     = aws_api_gateway_vpc_link.this.target_arns == tolist([aws_lb.this.arn])
    error_message = "the VPC link must lead to the load balancer"
  }

  assert {
    condition     = output.endpoints == { prod = "link-1.elb.eu-west-1.amazonaws.com:8000", dev = "link-1.elb.eu-west-1.amazonaws.com:8001" } && output.scheme == "http"
    error_message = "a stage must be told its host and port"
  }

  assert {
    condition     = { for key, alarm in output.alarms : key => "${alarm.namespace} ${alarm.metric_name} ${alarm.threshold}" } == { unhealthy = "AWS/NetworkELB UnHealthyHostCount 0", refused = "AWS/NetworkELB SecurityGroupBlockedFlowCount_Inbound_TCP 0" }
    error_message = "a link to nothing, and somebody who goes round API Gateway, must be told"
  }

  assert {
    condition     = output.widgets[*].row == ["requests", "errors", "cost"]
    error_message = "connections, broken ones and cost must be shown"
  }
}

run "with_a_certificate_behind" {
  command = plan

  module {
    source = "./modules/private_link"
  }

  variables {
    name = "an-identifier-that-is-longer-than-the-root-allows"
    target = {
      load_balancer_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/switchyard/3"
      security_group_id = "sg-balancer"
      port              = 443
      protocol          = "HTTPS"
      host              = "switchyard-fargate.example.com"
      health_check_path = "/status/ready"
    }
    protected = false
  }

  assert {
    condition     = output.endpoints.prod == "switchyard-fargate.example.com:8000" && output.scheme == "https"
    error_message = "API Gateway must ask for the name that the certificate has"
  }

  assert {
    condition     = one(aws_lb_target_group.this.health_check).protocol == "HTTPS" && aws_lb_target_group.this.port == 443 && aws_lb_target_group_attachment.this.port == 443
    error_message = "the port and the health check must be those of the listener with the certificate"
  }

  assert {
    condition     = length(aws_lb.this.name) <= 32 && length(aws_lb_target_group.this.name) <= 32
    error_message = "AWS takes no longer names"
  }

  assert {
    condition     = !aws_lb.this.enable_deletion_protection
    error_message = "what is disposable must not be protected"
  }
}

run "two_stages_at_one_port" {
  command = plan

  module {
    source = "./modules/private_link"
  }

  variables {
    stage_ports = { prod = 8000, dev = 8000 }
  }

  expect_failures = [var.stage_ports]
}
