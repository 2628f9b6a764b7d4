variable "name" {
  description = "The function's name in AWS."
  type        = string
  nullable    = false
}

variable "package" {
  description = "The zip with the `bootstrap` executable: its file, the CPU that it was built for (arm64, x86_64), and the bucket from which Lambda fetches it."
  type = object({
    file         = string
    architecture = string
    bucket       = string
  })
  nullable = false

  validation {
    condition     = fileexists(var.package.file)
    error_message = "There is no ${var.package.file}: build it with `make lambdas`, or say where the zips are (lambda_packages)."
  }

  validation {
    condition     = contains(["arm64", "x86_64"], var.package.architecture)
    error_message = "package.architecture must be arm64 or x86_64."
  }
}

variable "lambda" {
  description = "The function itself. `statements` are what its role may do beside writing its own log and traces."
  type = object({
    description     = string
    memory_size     = optional(number, 256)
    timeout_seconds = optional(number, 10)
    environment     = optional(map(string), {})
    statements = optional(list(object({
      sid       = string
      actions   = list(string)
      resources = list(string)
    })), [])
  })
  nullable = false

  validation {
    condition     = var.lambda.timeout_seconds > 0 && var.lambda.timeout_seconds <= 900
    error_message = "timeout_seconds must be 1 to 900."
  }
}

variable "network" {
  description = "VPC and subnets to run in, for a function that must reach, or must be kept to, what is there. Null: none."
  type = object({
    vpc_id     = string
    subnet_ids = list(string)
  })
  default = null
}

variable "queue" {
  description = "SQS queue whose messages the function gets, so many at a time at most (`batch_size`), in so many instances at a time (`maximum_concurrency`). Null: none."
  type = object({
    arn                 = string
    batch_size          = optional(number, 10)
    maximum_concurrency = optional(number, 10)
  })
  default = null

  validation {
    condition     = var.queue == null || try(var.queue.batch_size >= 1 && var.queue.batch_size <= 10 && var.queue.maximum_concurrency >= 2 && var.queue.maximum_concurrency <= 1000, false)
    error_message = "queue.batch_size must be 1 to 10, and queue.maximum_concurrency 2 to 1000: Lambda's limits."
  }
}

variable "integration" {
  description = "How API Gateway calls it. `timeout_milliseconds` defaults to API Gateway's longest, 29 seconds."
  type = object({
    timeout_milliseconds = optional(number, 29000)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.integration.timeout_milliseconds >= 50 && var.integration.timeout_milliseconds <= 29000
    error_message = "timeout_milliseconds must be 50 to 29000: API Gateway's limits."
  }
}

variable "aliases" {
  description = "What each alias, and with it the API stage of that name, serves: a published version's number, `$LATEST`, or null for the version that was published first."
  type        = map(string)
  nullable    = false
  default     = { test = "$LATEST", prod = null }

  validation {
    condition     = alltrue([for version in values(var.aliases) : version == null || can(regex("^(\\$LATEST|[1-9][0-9]*)$", version))])
    error_message = "An alias must serve \"$LATEST\", a version's number such as \"14\", or null (the version that was published first)."
  }
}

variable "log_retention_days" {
  description = "How long the function's log is kept."
  type        = number
  nullable    = false
}

variable "alarm_thresholds" {
  description = "When the alarms of each alias go off. Errors and throttles alarm at the first."
  type = object({
    duration_p95_milliseconds = optional(number, 1000)
    invocations_per_minute    = optional(number, 6000)
  })
  nullable = false
  default  = {}
}
