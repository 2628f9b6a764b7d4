locals {
  # Letters of ours, not the account's zone names, are the keys: a subnet keeps its address in the state in every account.
  zones = { a = var.availability_zones[0], b = var.availability_zones[1] }

  # Eighths apart, so that either kind can grow without the other moving.
  cidr_blocks = {
    public  = { a = cidrsubnet(var.cidr_block, 4, 0), b = cidrsubnet(var.cidr_block, 4, 1) }
    private = { a = cidrsubnet(var.cidr_block, 4, 8), b = cidrsubnet(var.cidr_block, 4, 9) }
  }

  # Through which zone's NAT gateway each zone leaves.
  nat_of = {
    none     = tomap({})
    single   = tomap({ a = "a", b = "a" })
    per-zone = tomap({ a = "a", b = "b" })
  }[var.nat_gateways]
}

resource "aws_vpc" "this" {
  cidr_block           = var.cidr_block
  enable_dns_support   = true
  enable_dns_hostnames = true # private DNS of the interface endpoints needs both

  tags = { Name = var.name }
}

# Whatever is put into the VPC without naming a security group gets this one: with no rules it can reach nothing.
resource "aws_default_security_group" "this" {
  vpc_id  = aws_vpc.this.id
  ingress = []
  egress  = []

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_subnet" "public" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value
  cidr_block              = local.cidr_blocks.public[each.key]
  map_public_ip_on_launch = false # load balancers and NAT gateways bring their own addresses

  tags = { Name = "${var.name}-public-${each.key}" }

  # A zone that fails leaves the list of available ones, and the next one takes its place in it. That is no reason to
  # replace a subnet with all that stands in it.
  lifecycle {
    ignore_changes = [availability_zone]
  }
}

resource "aws_subnet" "private" {
  for_each = local.zones

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.value
  cidr_block              = local.cidr_blocks.private[each.key]
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-private-${each.key}" }

  lifecycle {
    ignore_changes = [availability_zone]
  }
}
