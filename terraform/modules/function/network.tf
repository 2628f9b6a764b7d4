# What the function may reach from within a VPC: HTTPS, and of that what the subnets' routes and endpoints lead to. Nothing
# can reach it.
resource "aws_security_group" "this" {
  #checkov:skip=CKV2_AWS_5:Attached to the function
  count = var.network == null ? 0 : 1

  name        = var.name
  description = "The function ${var.name}: HTTPS out, nothing in"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_egress_rule" "https" {
  count = var.network == null ? 0 : 1

  security_group_id = aws_security_group.this[0].id
  description       = "HTTPS, to AWS"
  cidr_ipv4         = "0.0.0.0/0" # the gateway endpoints stand before AWS's public addresses
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
