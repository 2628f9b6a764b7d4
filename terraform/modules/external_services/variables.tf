variable "name" {
  description = "Prefix of every name."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the proxies."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The only account whose ECS may use the roles."
  type        = string
  nullable    = false
}

variable "network" {
  description = "Where the proxies stand, and the addresses of the VPC, of which the third is its DNS server's."
  type = object({
    vpc_id             = string
    private_subnet_ids = list(string)
    cidr_block         = string
  })
  nullable = false
}

variable "cluster_arn" {
  description = "ECS cluster to run in, with the capacity provider FARGATE."
  type        = string
  nullable    = false
}

variable "load_balancer" {
  description = "Network load balancer that the VPC link leads to: each service gets a listener of it."
  type = object({
    arn               = string
    dns_name          = string
    security_group_id = string
  })
  nullable = false
}

variable "services" {
  description = "Services outside AWS: the port under which each is reached from API Gateway, and where it is (`https://host` or `https://host:port`). `server_name`: the name in its certificate, if that is not the host. `certificate_authority`: PEM of the authorities that its certificate may come from, if they are not public ones."
  type = map(object({
    port                  = number
    upstream              = string
    server_name           = optional(string)
    certificate_authority = optional(string)
  }))
  nullable = false

  validation {
    condition     = length(var.services) >= 1 && length(var.services) <= 5
    error_message = "services must be 1 to 5: an ECS service may be in five target groups."
  }

  validation {
    condition     = alltrue([for name in keys(var.services) : can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){0,29}$", name))])
    error_message = "A service's name must be lower-case letters, digits and single hyphens, and begin with a letter."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.port >= 1024 && service.port <= 65535 && floor(service.port) == service.port]) && length(distinct(values(var.services)[*].port)) == length(var.services)
    error_message = "A service's port must be a whole number from 1024 (below it only root may listen) to 65535, and no other service's."
  }

  # Also what keeps a value from being read as a part of nginx's configuration.
  validation {
    condition     = alltrue([for service in values(var.services) : can(regex("^https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$", service.upstream))])
    error_message = "A service's upstream must be https://host or https://host:port, in lower case and without a path: the path is the caller's."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.server_name == null || can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", service.server_name))])
    error_message = "A service's server_name must be the host name in its certificate, in lower case."
  }

  validation {
    condition     = alltrue([for service in values(var.services) : service.certificate_authority == null || can(regex("(?s)^\\s*-----BEGIN CERTIFICATE-----\\n.*-----END CERTIFICATE-----\\s*$", service.certificate_authority))])
    error_message = "A service's certificate_authority must be one certificate or more as PEM: what begins with -----BEGIN CERTIFICATE-----, not the name of a file."
  }
}

variable "image" {
  description = "nginx, from a registry that needs no login: its name, with a tag or a digest."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("nginx", var.image)) && can(regex("(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$", var.image)) && !endswith(var.image, ":latest")
    error_message = "image must be an nginx image with a version's tag (not latest) or a digest, such as public.ecr.aws/nginx/nginx:1.28.0-alpine."
  }
}

variable "log_retention_days" {
  description = "How long the proxies' log is kept."
  type        = number
  nullable    = false
  default     = 30
}
