variable "name" {
  description = "Prefix of every name in the network."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the network: part of the endpoints' service names."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The only account for which the flow logs' role may be assumed."
  type        = string
  nullable    = false
}

variable "availability_zones" {
  description = "The two zones to stand in, such as `[\"eu-west-1a\", \"eu-west-1b\"]`. A subnet stays in the zone that it was made in: to move it, replace it (`-replace`)."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(distinct(var.availability_zones)) == 2 && length(var.availability_zones) == 2
    error_message = "availability_zones must name exactly two different zones: a load balancer needs two, and the address plan has room for two."
  }
}

variable "cidr_block" {
  description = "Addresses of the VPC. It is cut into sixteenths: two for the public subnets, two for the private ones, the rest is left for later."
  type        = string
  nullable    = false
  default     = "10.0.0.0/16"

  # A load balancer refuses a subnet smaller than /27, and grows into eight addresses in each; a sixteenth of /22 is /26.
  validation {
    condition     = can(cidrsubnet(var.cidr_block, 4, 0)) && try(tonumber(split("/", var.cidr_block)[1]), 0) >= 16 && try(tonumber(split("/", var.cidr_block)[1]), 99) <= 22
    error_message = "cidr_block must be an IPv4 block from /16 to /22, such as 10.0.0.0/16."
  }
}

variable "nat_gateways" {
  description = "`single`: one NAT gateway for both zones, at half the price; its zone failing cuts the other off from outside AWS. `per-zone`: one in each. `none`: no way out but the endpoints."
  type        = string
  nullable    = false
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per-zone"], var.nat_gateways)
    error_message = "nat_gateways must be none, single or per-zone."
  }
}

variable "interface_endpoints" {
  description = "AWS services to reach without the NAT gateway, by the last part of the endpoint's service name: `ecr.api`, `ecr.dkr`, `logs`, `ssm`, `sqs`. Each costs by the hour and zone; S3 and DynamoDB have free gateway endpoints and are always there."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = length(setintersection(var.interface_endpoints, ["s3", "dynamodb"])) == 0
    error_message = "interface_endpoints must not name s3 or dynamodb: they have gateway endpoints, which cost nothing."
  }
}

variable "log_retention_days" {
  description = "How long the flow logs are kept."
  type        = number
  nullable    = false
  default     = 30
}
