variable "name" {
  description = "Prefix of every name; the VPC link bears it alone."
  type        = string
  nullable    = false
}

variable "network" {
  description = "Where the load balancer stands."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
  })
  nullable = false
}

variable "target" {
  description = "The application load balancer behind it: its ARN, security group, port and protocol of the listener, the name in its certificate (null by plain HTTP), and the path by which it is seen to work."
  type = object({
    load_balancer_arn = string
    security_group_id = string
    port              = number
    protocol          = string
    host              = optional(string)
    health_check_path = string
  })
  nullable = false

  validation {
    condition     = contains(["HTTP", "HTTPS"], var.target.protocol)
    error_message = "target.protocol must be HTTP or HTTPS: an application load balancer has no other."
  }
}

variable "stage_ports" {
  description = "The port of each stage's listener."
  type        = map(number)
  nullable    = false

  validation {
    condition     = length(distinct(values(var.stage_ports))) == length(var.stage_ports)
    error_message = "stage_ports must be different from each other."
  }
}

variable "protected" {
  description = "Refuse to delete the load balancer."
  type        = bool
  nullable    = false
  default     = true
}
