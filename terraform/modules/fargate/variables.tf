variable "name" {
  description = "Prefix of every name; the cluster, the service, the task family and the image repository bear it alone."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the service."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The only account whose ECS may use the roles, and whose load balancer may write the access logs."
  type        = string
  nullable    = false
}

variable "network" {
  description = "Where it stands: the load balancer in the public subnets, the tasks in the private ones. From the addresses of both a load balancer may call."
  type = object({
    vpc_id             = string
    public_subnet_ids  = list(string)
    private_subnet_ids = list(string)
    subnet_cidr_blocks = map(list(string))
  })
  nullable = false
}

variable "domain" {
  description = "Host name, its Route 53 zone and its certificate. Null: plain HTTP on the load balancer's own host name, for which nobody but AWS can get a certificate."
  type = object({
    host            = string
    zone_id         = string
    certificate_arn = string
  })
  default = null
}

variable "mapping" {
  description = "How the service finds its replacement map: environment, and what the task's role must be allowed for it."
  type = object({
    environment = map(string)
    statements = list(object({
      sid       = string
      actions   = list(string)
      resources = list(string)
    }))
  })
  nullable = false
}

variable "image_tag" {
  description = "Tag of the image in the task definition that Terraform makes. The pipeline puts its own image in its place with each release, so this matters to what is deployed without the pipeline. The default names no image: see the README."
  type        = string
  nullable    = false
  default     = "unreleased"

  validation {
    condition     = can(regex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", var.image_tag))
    error_message = "image_tag must be a tag: up to 128 letters, digits, '_', '.' and '-', not beginning with '.' or '-'. The repository is not part of it."
  }
}

variable "container" {
  description = "Size and settings of one task. `drain_seconds`: how long running requests may take after SIGTERM; the load balancer's and ECS's own time-outs follow from it."
  type = object({
    cpu_architecture        = optional(string, "ARM64")
    cpu                     = optional(number, 256)
    memory                  = optional(number, 512)
    drain_seconds           = optional(number, 20)
    mapping_refresh_seconds = optional(number, 60)
  })
  nullable = false
  default  = {}

  validation {
    condition     = contains(["ARM64", "X86_64"], var.container.cpu_architecture)
    error_message = "container.cpu_architecture must be ARM64 or X86_64."
  }

  validation {
    condition = contains(lookup({
      256  = [512, 1024, 2048]
      512  = range(1024, 4097, 1024)
      1024 = range(2048, 8193, 1024)
      2048 = range(4096, 16385, 1024)
      4096 = range(8192, 30721, 1024)
    }, var.container.cpu, []), var.container.memory)
    error_message = "container.cpu and container.memory must be a pair that Fargate has: 256 with 512, 1024 or 2048; 512 with 1024 to 4096; 1024 with 2048 to 8192; 2048 with 4096 to 16384; 4096 with 8192 to 30720; above 256 in steps of 1024."
  }

  validation {
    condition     = var.container.drain_seconds >= 1 && var.container.drain_seconds <= 110 && floor(var.container.drain_seconds) == var.container.drain_seconds
    error_message = "container.drain_seconds must be 1 to 110: Fargate kills a task at the latest 120 seconds after SIGTERM, and the task needs ten of them for itself."
  }

  validation {
    condition     = var.container.mapping_refresh_seconds >= 1
    error_message = "container.mapping_refresh_seconds must be at least 1."
  }
}

variable "scaling" {
  description = "How many tasks there are, and the CPU and memory use at which there become more."
  type = object({
    minimum        = optional(number, 2)
    maximum        = optional(number, 4)
    target_percent = optional(number, 70)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.scaling.minimum >= 1 && var.scaling.maximum >= var.scaling.minimum
    error_message = "scaling.minimum must be at least 1 (a service at 0 has no metrics and never scales up again), and scaling.maximum not less than it."
  }

  validation {
    condition     = var.scaling.target_percent >= 10 && var.scaling.target_percent <= 90
    error_message = "scaling.target_percent must be 10 to 90."
  }
}

variable "api_key" {
  description = "The key that clients send. Made here; raise `version` to replace it. Or `parameter_arn`: a SecureString parameter that holds one already."
  type = object({
    version       = optional(number, 1)
    parameter_arn = optional(string)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.api_key.version >= 1 && floor(var.api_key.version) == var.api_key.version
    error_message = "api_key.version must be a whole number from 1 on."
  }

  validation {
    condition     = var.api_key.parameter_arn == null || can(regex("^arn:aws[a-z-]*:ssm:[a-z0-9-]+:[0-9]{12}:parameter/.+$", var.api_key.parameter_arn))
    error_message = "api_key.parameter_arn must be the ARN of an SSM parameter, such as arn:aws:ssm:eu-west-1:123456789012:parameter/my/key."
  }
}

variable "test_listener_cidr_blocks" {
  description = "Who may look at the green tasks on the test port (8443, without a domain 8080) before they get the traffic. Nobody by default."
  type        = set(string)
  nullable    = false
  default     = []

  validation {
    condition     = alltrue([for block in var.test_listener_cidr_blocks : can(cidrnetmask(block))])
    error_message = "test_listener_cidr_blocks must be IPv4 blocks, such as 192.0.2.0/24."
  }
}

variable "log_retention_days" {
  description = "How long the container's log, the cluster's metrics log and the load balancer's access logs are kept."
  type        = number
  nullable    = false
  default     = 30
}

variable "protected" {
  description = "Refuse to delete the load balancer, and the access logs and images that are there when everything is destroyed."
  type        = bool
  nullable    = false
  default     = true
}

variable "alarm_thresholds" {
  description = "When the alarms go off: 95th percentile of the time that a task takes, share of requests answered 4xx and 5xx, CPU and memory use that more tasks did not bring down, time since the map was last confirmed."
  type = object({
    latency_p95_milliseconds = optional(number, 1000)
    client_error_percent     = optional(number, 25)
    server_error_percent     = optional(number, 1)
    utilization_percent      = optional(number, 85)
    map_age_seconds          = optional(number, 900)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.alarm_thresholds.map_age_seconds >= 3 * var.container.mapping_refresh_seconds
    error_message = "alarm_thresholds.map_age_seconds must be at least three times container.mapping_refresh_seconds: a map is that old when nothing is wrong."
  }
}

variable "cors" {
  description = "Web pages that may read the answers: their `origins`, such as https://app.example.com, and whether they may send `credentials`. Pre-flights are answered by what stands in front."
  type = object({
    origins     = optional(list(string), [])
    credentials = optional(bool, false)
  })
  nullable = false
  default  = {}
}
