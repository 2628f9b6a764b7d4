# What every deployment says

variable "identifier" {
  description = "Short name of the system: the first part of every resource's name."
  type        = string
  nullable    = false
  default     = "switchyard"

  # 14 characters leave room for environment, suffix and role within a target group's 32.
  validation {
    condition     = can(regex("^[a-z]([a-z0-9]|-[a-z0-9]){1,13}$", var.identifier)) && length(var.identifier) <= 14
    error_message = "identifier must be 2 to 14 lower-case letters, digits and single hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "environment" {
  description = "test, acceptance or production. Only production keeps its data when it is destroyed."
  type        = string
  nullable    = false
  default     = "test"

  validation {
    condition     = contains(["test", "acceptance", "production"], var.environment)
    error_message = "environment must be one of test, acceptance, production."
  }
}

variable "region" {
  description = "AWS region of everything."
  type        = string
  nullable    = false
  default     = "eu-west-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be an AWS region's code, such as eu-west-1."
  }
}

variable "architectures" {
  description = "What is deployed: lambda (API Gateway and Lambda), fargate (ALB and ECS with blue/green), events (API Gateway and Firehose), publish (API Gateway, S3, SQS and Lambda, for bodies of up to 10 MB), private (API Gateway and a VPC link to the containers of fargate, which it needs)."
  type        = set(string)
  nullable    = false
  default     = ["lambda", "fargate"]

  validation {
    condition     = length(var.architectures) > 0 && length(setsubtract(var.architectures, ["lambda", "fargate", "events", "publish", "private"])) == 0
    error_message = "architectures must name at least one of lambda, fargate, events, publish, private, and nothing else."
  }

  validation {
    condition     = !contains(var.architectures, "private") || contains(var.architectures, "fargate")
    error_message = "architectures must have fargate beside private: its containers are what the VPC link leads to."
  }
}

# Shared by the architectures

variable "root_domain" {
  description = "A domain whose public Route 53 zone is in this account. With it every architecture gets a host name and a certificate; without it AWS's own host names serve."
  type        = string
  default     = null

  validation {
    condition     = var.root_domain == null || can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.root_domain))
    error_message = "root_domain must be a lower-case domain name without a trailing dot, such as example.com."
  }
}

variable "notification_email" {
  description = "Address that hears of alarms and deployments. AWS sends it a confirmation first. Null: nobody is subscribed."
  type        = string
  default     = null

  validation {
    condition     = var.notification_email == null || can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", var.notification_email))
    error_message = "notification_email must be an e-mail address."
  }
}

variable "log_retention_days" {
  description = "How long every log group keeps its lines."
  type        = number
  nullable    = false
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch Logs has: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "mapping_source" {
  description = "Where the replacement map is read from: parameter (SSM, up to 8 KB) or table (DynamoDB, for larger maps). Both exist; this says which one serves."
  type        = string
  nullable    = false
  default     = "parameter"

  validation {
    condition     = contains(["parameter", "table"], var.mapping_source)
    error_message = "mapping_source must be parameter or table."
  }
}

variable "rate_limit" {
  description = "Requests that one IP address may make in five minutes before the firewall blocks it."
  type        = number
  nullable    = false
  default     = 1000

  validation {
    condition     = var.rate_limit >= 10 && var.rate_limit <= 2000000000
    error_message = "rate_limit must be 10 to 2,000,000,000: the range of a WAF rate-based rule."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts what callers leave: stream and bucket of events; bucket, queues and tables of publish. Its policy must let Firehose and S3 use it. Null: AWS's own keys."
  type        = string
  default     = null
}

variable "alarm_thresholds" {
  description = "What is left out keeps its default, which stands in the module that watches it."
  type = object({
    function = optional(object({
      duration_p95_milliseconds = optional(number)
      invocations_per_minute    = optional(number)
    }), {})
    rest_api = optional(object({
      latency_p95_milliseconds = optional(number)
      client_error_percent     = optional(number)
      server_error_percent     = optional(number)
    }), {})
    fargate = optional(object({
      latency_p95_milliseconds = optional(number)
      client_error_percent     = optional(number)
      server_error_percent     = optional(number)
      utilization_percent      = optional(number)
      map_age_seconds          = optional(number)
    }), {})
    event_stream = optional(object({
      freshness_seconds = optional(number)
    }), {})
    capture = optional(object({
      oldest_message_seconds = optional(number)
    }), {})
  })
  nullable = false
  default  = {}
}

# lambda

variable "lambda_packages" {
  description = "Folder with one `<function>.zip` for each function, as `make lambdas` leaves it; a relative path begins at this root."
  type        = string
  nullable    = false
  default     = "../target/lambda"
}

variable "lambda_architecture" {
  description = "What the zips were built for: arm64 or x86_64 (`make lambdas ARCH=x86_64`)."
  type        = string
  nullable    = false
  default     = "arm64"

  validation {
    condition     = contains(["arm64", "x86_64"], var.lambda_architecture)
    error_message = "lambda_architecture must be arm64 or x86_64."
  }
}

variable "releases_file" {
  description = "What is released: the release that each API's stages serve, and the version of each function that prod serves. Written by `make promote`, `make rollback`, `make api/release` and `make api/rollback`. Environments that are released on their own have a file each; a relative path begins at this root."
  type        = string
  nullable    = false
  default     = "releases.json"

  validation {
    condition     = can([for stages in values(jsondecode(file(var.releases_file)).apis) : [for stage in values(stages) : stage.release]])
    error_message = "releases_file must say, under `apis`, which release each stage of each API serves: {\"lambda\": {\"prod\": {\"release\": \"1.0.0\"}}}."
  }
}

variable "api_gateway" {
  description = "`default_endpoint`: also serve on AWS's own host name beside the custom domain. `manage_account`: let this root set the role by which API Gateway writes logs. There is one per account and region, so only one root may; where none does, the stages cannot log."
  type = object({
    default_endpoint = optional(bool, true)
    manage_account   = optional(bool, false)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.api_gateway.default_endpoint || var.root_domain != null
    error_message = "api_gateway.default_endpoint may be false only with a root_domain: otherwise the API has no address at all."
  }
}

# fargate, and the worker of publish. What is left out keeps its default, which stands in the module.

variable "network" {
  description = "Two availability zones (by default the first two of the region), the addresses of the VPC, one NAT gateway (`single`), one for each zone (`per-zone`) or none (`none`, the default where no containers need one), and AWS services to reach without it."
  type = object({
    availability_zones  = optional(list(string))
    cidr_block          = optional(string)
    nat_gateways        = optional(string)
    interface_endpoints = optional(set(string))
  })
  nullable = false
  default  = {}

  validation {
    condition = anytrue([
      var.network.nat_gateways != "none",
      !contains(var.architectures, "fargate"),
      length(setsubtract(["ecr.api", "ecr.dkr", "logs", "ssm"], coalesce(var.network.interface_endpoints, []))) == 0,
    ])
    error_message = "network.nat_gateways may be none beside fargate only if network.interface_endpoints has ecr.api, ecr.dkr, logs and ssm: tasks could neither fetch their image nor start."
  }
}

variable "fargate" {
  description = "The container, how many there are, the image that Terraform's task definition names, the API key's version, who may see a release before it gets traffic, and how it gets it."
  type = object({
    image_tag = optional(string)
    container = optional(object({
      cpu_architecture        = optional(string)
      cpu                     = optional(number)
      memory                  = optional(number)
      drain_seconds           = optional(number)
      mapping_refresh_seconds = optional(number)
    }))
    scaling = optional(object({
      minimum        = optional(number)
      maximum        = optional(number)
      target_percent = optional(number)
    }))
    api_key = optional(object({
      version       = optional(number)
      parameter_arn = optional(string)
    }))
    test_listener_cidr_blocks = optional(set(string))
    release = optional(object({
      traffic           = optional(string)
      keep_blue_minutes = optional(number)
    }))
  })
  nullable = false
  default  = {}
}

variable "repository" {
  description = "GitHub repository that the pipeline builds and releases: `full_name` (owner/name), `branch`, and `connection_arn` of a connection that exists; without it one is made. Null: no pipeline."
  type = object({
    full_name      = string
    branch         = optional(string)
    connection_arn = optional(string)
  })
  default = null
}

# events

variable "events" {
  description = "The API's stage, how long Firehose collects events before it delivers them (`buffering`: seconds, megabytes), and the age at which delivered events go (null: never)."
  type = object({
    stage_name = optional(string, "beta")
    buffering = optional(object({
      seconds   = optional(number)
      megabytes = optional(number)
    }))
    expire_days = optional(number)
  })
  nullable = false
  default  = {}
}

# publish

variable "publish" {
  description = "The API's name (null: one made of the identifier), description and stage, the header that brings the token (empty: whoever finds the API may publish), how long a decision about a token is kept (0: not at all; a token that is revoked comes in until then), how often a body is tried before it goes to the error queue, and whether the worker is deployed (false: another system takes the queue)."
  type = object({
    name                      = optional(string)
    description               = optional(string, "Takes bodies of up to 10 MB, and processes them later")
    stage_name                = optional(string, "beta")
    authorization_header      = optional(string, "AuthDetails")
    authorization_ttl_seconds = optional(number, 300)
    max_processing_attempts   = optional(number, 5)
    worker                    = optional(bool, true)
  })
  nullable = false
  default  = {}

  # The stage's name is an alias's too.
  validation {
    condition     = can(regex("^[a-zA-Z_][a-zA-Z0-9_]*$", var.publish.stage_name))
    error_message = "publish.stage_name must be letters, digits and underscores, and not begin with a digit."
  }

  validation {
    condition     = can(regex("^[A-Za-z0-9-]*$", var.publish.authorization_header)) && lower(var.publish.authorization_header) != "content-type"
    error_message = "publish.authorization_header must be a header's name, letters, digits and hyphens, or empty for no authorization."
  }

  validation {
    condition     = var.publish.authorization_ttl_seconds >= 0 && var.publish.authorization_ttl_seconds <= 3600
    error_message = "publish.authorization_ttl_seconds must be 0 to 3600: API Gateway's range."
  }
}

# private

variable "private" {
  description = "Stages with the port of each one's listener and its throttling in requests per second; which of them are open (the others admit `allowed_cidr_blocks` only, and name `contact` to everybody else; null: notification_email), which web pages may call (`cors`: `origins` such as https://app.example.com, with `credentials` or not), and how long a decision about a token is kept (0: not at all)."
  type = object({
    stages = optional(map(object({
      port        = number
      rate_limit  = optional(number, 100)
      burst_limit = optional(number, 200)
      })), {
      prod  = { port = 8000 }
      dev   = { port = 8001 }
      test  = { port = 8002 }
      stage = { port = 8003 }
    })
    open_stages         = optional(set(string), ["prod"])
    allowed_cidr_blocks = optional(set(string), [])
    contact             = optional(string)
    cors = optional(object({
      origins         = optional(list(string), [])
      credentials     = optional(bool, false)
      max_age_seconds = optional(number, 600)
    }), {})
    authorization_ttl_seconds = optional(number, 300)
  })
  nullable = false
  default  = {}

  # A stage's name is a part of its host name.
  validation {
    condition     = length(var.private.stages) > 0 && alltrue([for name in keys(var.private.stages) : can(regex("^[a-z][a-z0-9]{0,19}$", name))])
    error_message = "private.stages must have at least one stage, each named by up to 20 lower-case letters and digits, beginning with a letter."
  }

  validation {
    condition = length(distinct(concat(values(var.private.stages)[*].port, values(var.external_services)[*].port))) == length(var.private.stages) + length(var.external_services) && alltrue([
      for stage in values(var.private.stages) : stage.port >= 1 && stage.port <= 65535 && floor(stage.port) == stage.port
    ])
    error_message = "private.stages and external_services must each have a port of their own, a whole number from 1 to 65535: all are listeners of one load balancer."
  }

  validation {
    condition     = alltrue([for stage in values(var.private.stages) : stage.rate_limit > 0 && stage.burst_limit > 0])
    error_message = "private.stages must have a rate_limit and a burst_limit above 0: with 0 API Gateway refuses every request."
  }

  validation {
    condition     = length(setsubtract(var.private.open_stages, keys(var.private.stages))) == 0
    error_message = "private.open_stages must name stages of private.stages."
  }

  validation {
    condition = length(var.private.cors.origins) == length(distinct(var.private.cors.origins)) && alltrue([
      for origin in var.private.cors.origins : origin == "*" || can(regex("^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[1-9][0-9]{0,4})?$", origin))
    ])
    error_message = "private.cors.origins must be different origins as browsers send them: https://app.example.com or http://localhost:3000, in lower case and without a path; or *."
  }

  validation {
    condition     = !contains(var.private.cors.origins, "*") || (length(var.private.cors.origins) == 1 && !var.private.cors.credentials)
    error_message = "private.cors.origins must not have * beside other origins or with credentials: browsers refuse it. Name the origins."
  }

  validation {
    condition     = var.private.cors.max_age_seconds >= 0 && var.private.cors.max_age_seconds <= 86400 && floor(var.private.cors.max_age_seconds) == var.private.cors.max_age_seconds
    error_message = "private.cors.max_age_seconds must be a whole number from 0 to 86400: no browser keeps a pre-flight longer than a day."
  }

  validation {
    condition     = var.private.authorization_ttl_seconds >= 0 && var.private.authorization_ttl_seconds <= 3600
    error_message = "private.authorization_ttl_seconds must be 0 to 3600: API Gateway's range."
  }
}

variable "external_services" {
  description = "Services outside AWS that the private API leads to, by name: the `port` of the listener, and `upstream`, `https://host` or `https://host:port`. `server_name`: the name in its certificate, if that is not the host. `certificate_authority`: PEM of the authorities that the certificate may come from, if they are not public ones. The remote firewall must admit the output `egress_ips`."
  type = map(object({
    port                  = number
    upstream              = string
    server_name           = optional(string)
    certificate_authority = optional(string)
  }))
  nullable = false
  default  = {}

  validation {
    condition     = length(var.external_services) == 0 || contains(var.architectures, "private")
    error_message = "external_services needs private among the architectures: its API is what leads to them."
  }

  validation {
    condition     = length(var.external_services) == 0 || var.network.nat_gateways != "none"
    error_message = "external_services needs a NAT gateway, whose fixed address the remote firewall can admit: network.nat_gateways must not be none."
  }

  validation {
    condition = !contains(var.architectures, "private") || alltrue([
      for service in values(jsondecode(file("${path.module}/openapi/services.json"))) : can(var.external_services[service.base_url.external]) if can(service.base_url.external)
    ])
    error_message = "external_services must have every service that openapi/services.json calls external."
  }
}

variable "proxy_image" {
  description = "nginx that stands before the external services, from a registry that needs no login, with a version's tag or a digest. By default the official image, from AWS's public gallery, which has no pull limit within AWS."
  type        = string
  nullable    = false
  default     = "public.ecr.aws/nginx/nginx:1.28.0-alpine"
}
