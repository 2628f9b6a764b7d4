# Made-up ARNs are not ARNs, which the provider would refuse where one is applied.
mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:flow" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/flow" }
  }
}

variables {
  name               = "switchyard-test"
  region             = "eu-west-1"
  account_id         = "123456789012"
  availability_zones = ["eu-west-1a", "eu-west-1b"]
}

run "two_zones_one_way_out" {
  command = plan

  module {
    source = "./modules/network"
  }

  assert {
    condition = {
      for key, subnet in merge(
        { for zone, subnet in aws_subnet.public : "public-${zone}" => subnet },
        { for zone, subnet in aws_subnet.private : "private-${zone}" => subnet },
      ) : key => "${subnet.availability_zone} ${subnet.cidr_block}"
      } == {
      public-a  = "eu-west-1a 10.0.0.0/20"
      public-b  = "eu-west-1b 10.0.16.0/20"
      private-a = "eu-west-1a 10.0.128.0/20"
      private-b = "eu-west-1b 10.0.144.0/20"
    }
    error_message = "each kind of subnet stands in both zones, and the private ones leave room for more public ones"
  }

  assert {
    condition     = alltrue([for subnet in concat(values(aws_subnet.public), values(aws_subnet.private)) : subnet.map_public_ip_on_launch == false])
    error_message = "no subnet hands out public addresses"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["a"] && keys(aws_eip.nat) == ["a"] && keys(aws_route.private_nat) == ["a", "b"]
    error_message = "one NAT gateway serves both zones unless it is asked for otherwise"
  }

  assert {
    condition     = alltrue([for route in values(aws_route.private_nat) : route.destination_cidr_block == "0.0.0.0/0" && route.gateway_id == null])
    error_message = "a private subnet has no way in: its default route is the NAT gateway's"
  }

  assert {
    condition     = length(aws_default_security_group.this.ingress) == 0 && length(aws_default_security_group.this.egress) == 0
    error_message = "the default security group is closed"
  }

  assert {
    condition = {
      for key, endpoint in aws_vpc_endpoint.gateway : key => "${endpoint.vpc_endpoint_type} ${endpoint.service_name}"
      } == {
      s3       = "Gateway com.amazonaws.eu-west-1.s3"
      dynamodb = "Gateway com.amazonaws.eu-west-1.dynamodb"
    }
    error_message = "S3 and DynamoDB are reached through gateway endpoints"
  }

  assert {
    condition     = length(aws_vpc_endpoint.interface) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "interface endpoints cost by the hour, so there is none that was not asked for"
  }

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "all traffic is logged, and the log is kept for the retention's time"
  }

  assert {
    condition     = toset(flatten(values(output.subnet_cidr_blocks))) == toset(concat([for subnet in aws_subnet.public : subnet.cidr_block], [for subnet in aws_subnet.private : subnet.cidr_block])) && length(output.subnet_cidr_blocks.private) == 2
    error_message = "whoever asks must be told the addresses of the subnets that there are"
  }

  assert {
    condition     = jsondecode(aws_iam_role.flow.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "only this account's flow logs may use the role"
  }

  assert {
    condition     = output.alarms["nat-a-ports"].threshold == 0 && output.alarms["nat-a-ports"].metric_name == "ErrorPortAllocation" && length(output.alarms) == 1
    error_message = "running out of ports at the NAT gateway raises an alarm at the first time"
  }

  assert {
    condition     = [for widget in output.widgets : widget.row] == ["cost"] && length(output.widgets[0].metrics) == 2
    error_message = "the dashboard shows what the NAT gateway is paid for"
  }
}

run "a_way_out_per_zone" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways = "per-zone"
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["a", "b"] && keys(aws_eip.nat) == ["a", "b"] && keys(output.alarms) == ["nat-a-ports", "nat-b-ports"]
    error_message = "each zone has a NAT gateway, with an alarm, of its own"
  }
}

run "interface_endpoints" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    cidr_block          = "172.20.0.0/18"
    interface_endpoints = ["ssm", "ecr.api"]
  }

  assert {
    condition     = { for key, endpoint in aws_vpc_endpoint.interface : key => endpoint.service_name } == { "ssm" = "com.amazonaws.eu-west-1.ssm", "ecr.api" = "com.amazonaws.eu-west-1.ecr.api" }
    error_message = "one endpoint for each service that was asked for"
  }

  assert {
    condition     = alltrue([for endpoint in values(aws_vpc_endpoint.interface) : endpoint.vpc_endpoint_type == "Interface" && endpoint.private_dns_enabled])
    error_message = "the SDKs find an interface endpoint by private DNS, without being told of it"
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == "172.20.0.0/18"
      && aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443
      && aws_vpc_security_group_ingress_rule.endpoints[0].to_port == 443
    )
    error_message = "only HTTPS from within the VPC reaches the endpoints"
  }

  assert {
    condition     = aws_subnet.private["b"].cidr_block == "172.20.36.0/22"
    error_message = "the address plan follows the VPC's block"
  }
}

run "bad_input" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones  = ["eu-west-1a", "eu-west-1a"]
    cidr_block          = "10.0.0.0/24"
    nat_gateways        = "three"
    interface_endpoints = ["s3"]
  }

  expect_failures = [
    var.availability_zones,
    var.cidr_block,
    var.nat_gateways,
    var.interface_endpoints,
  ]
}

run "made_in_two_zones" {
  module {
    source = "./modules/network"
  }
}

run "a_zone_that_fails_moves_no_subnet" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    availability_zones = ["eu-west-1b", "eu-west-1c"]
  }

  assert {
    condition     = [for zone in ["a", "b"] : aws_subnet.private[zone].availability_zone] == ["eu-west-1a", "eu-west-1b"] && [for zone in ["a", "b"] : aws_subnet.public[zone].availability_zone] == ["eu-west-1a", "eu-west-1b"]
    error_message = "subnets stay in the zones that they were made in"
  }
}

run "no_way_out" {
  command = plan

  module {
    source = "./modules/network"
  }

  variables {
    nat_gateways        = "none"
    interface_endpoints = ["sqs"]
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_route.private_nat) == 0
    error_message = "without a NAT gateway the private subnets must have no route out"
  }

  assert {
    condition     = keys(aws_vpc_endpoint.gateway) == ["dynamodb", "s3"] && keys(aws_vpc_endpoint.interface) == ["sqs"]
    error_message = "the endpoints must be there all the same"
  }

  assert {
    condition     = length(output.widgets) == 0 && length(output.alarms) == 0
    error_message = "what is not there has nothing to show"
  }
}
