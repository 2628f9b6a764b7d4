variable "name" {
  description = "The web ACL's name."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The region, a dimension of the firewall's metrics."
  type        = string
  nullable    = false
}

variable "allowed_cidr_blocks" {
  description = "Who may call, IPv4 and IPv6. Empty: nobody."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for block in var.allowed_cidr_blocks : try(cidrsubnet(block, 0, 0) == block && !endswith(block, "/0"), false)])
    error_message = "allowed_cidr_blocks must be blocks such as 192.0.2.0/24, 192.0.2.1/32 or 2001:db8::/32, in lower case and without bits beyond the prefix; WAF takes no /0."
  }
}

variable "contact" {
  description = "Whom to ask for being admitted: an address, as people read it."
  type        = string
  nullable    = false

  # The whole body may have 4 KB.
  validation {
    condition     = length(var.contact) >= 1 && length(var.contact) <= 200
    error_message = "contact must be 1 to 200 characters."
  }
}

variable "log_group_arn" {
  description = "Where blocked requests are logged; its name must begin with aws-waf-logs-, and WAF must be allowed to write there."
  type        = string
  nullable    = false
}
