output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr_block" {
  description = "Addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "subnet_cidr_blocks" {
  description = "Addresses of the public and of the private subnets: a load balancer within calls from these."
  value       = { for kind, blocks in local.cidr_blocks : kind => values(blocks) }
}

output "public_subnet_ids" {
  description = "Subnets with a way in: for load balancers."
  value       = [for zone in keys(local.zones) : aws_subnet.public[zone].id]

  # An internet-facing load balancer is refused until the way in is there.
  depends_on = [aws_route.public_internet, aws_route_table_association.public]
}

output "private_subnet_ids" {
  description = "Subnets with a way out only: for whatever runs our code."
  value       = [for zone in keys(local.zones) : aws_subnet.private[zone].id]

  # What starts before its way out is there fails on its first call to AWS.
  depends_on = [aws_route.private_nat, aws_route_table_association.private, aws_vpc_endpoint.gateway]
}

output "nat_public_ips" {
  description = "Addresses from which the private subnets call the world, for other people's firewalls."
  value       = [for zone in sort(keys(aws_eip.nat)) : aws_eip.nat[zone].public_ip]
}

output "endpoint_ids" {
  description = "VPC endpoints by service, for policies with `aws:SourceVpce`."
  value = merge(
    { for service, endpoint in aws_vpc_endpoint.gateway : service => endpoint.id },
    { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.id },
  )
}

output "alarms" {
  description = "The way out is exhausted: new connections from the private subnets fail."
  value = {
    for zone, gateway in aws_nat_gateway.this : "nat-${zone}-ports" => {
      description = "NAT gateway ${zone} of ${var.name} has no ports left for new connections to one destination."
      namespace   = "AWS/NATGateway"
      metric_name = "ErrorPortAllocation"
      dimensions  = { NatGatewayId = gateway.id }
      statistic   = "Sum"
      threshold   = 0
    }
  }
}

output "widgets" {
  description = "What the way out costs: a NAT gateway is paid by the byte."
  value = [for gateways in [aws_nat_gateway.this] : {
    row    = "cost"
    title  = "NAT gateways: bytes out and in"
    period = 300
    metrics = flatten([
      for zone, gateway in gateways : [
        { namespace = "AWS/NATGateway", metric_name = "BytesOutToDestination", dimensions = { NatGatewayId = gateway.id }, statistic = "Sum", label = "${zone} out" },
        { namespace = "AWS/NATGateway", metric_name = "BytesInFromDestination", dimensions = { NatGatewayId = gateway.id }, statistic = "Sum", label = "${zone} in" },
      ]
    ])
  } if length(gateways) > 0]
}
