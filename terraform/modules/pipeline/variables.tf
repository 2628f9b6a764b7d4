variable "name" {
  description = "Prefix of every name; the pipeline bears it alone."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the pipeline and of what it releases to."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The only account whose services may use the pipeline's roles."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "GitHub repository and branch whose every push is released. `connection_arn`: a connection to GitHub that exists already. Without it one is made, which stays PENDING, and the pipeline failing, until somebody confirms it in the console."
  type = object({
    full_name      = string
    branch         = optional(string, "main")
    connection_arn = optional(string)
  })
  nullable = false

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository.full_name))
    error_message = "repository.full_name must be owner/name, such as example/switchyard: not a URL."
  }

  validation {
    condition     = var.repository.connection_arn == null || can(regex("^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:connection/.+$", var.repository.connection_arn))
    error_message = "repository.connection_arn must be the ARN of a connection, such as arn:aws:codeconnections:eu-west-1:123456789012:connection/01234567-89ab-cdef-0123-456789abcdef."
  }
}

variable "deployment" {
  description = "The service that is released to: output `deployment` of the fargate module."
  type = object({
    service_name     = string
    family           = string
    cpu_architecture = string
    role_arns        = list(string)
    repository = object({
      arn = string
      url = string
    })
  })
  nullable = false
}

variable "blue_green" {
  description = "How it is released: output `codedeploy` of the blue_green module."
  type = object({
    application = object({ name = string, arn = string })
    group       = object({ name = string, arn = string })
    config_arn  = string
  })
  nullable = false
}

variable "topic_arn" {
  description = "SNS topic that hears of runs that end, well or badly."
  type        = string
  nullable    = false
}

variable "log_retention_days" {
  description = "How long the build's log is kept."
  type        = number
  nullable    = false
  default     = 30
}

variable "protected" {
  description = "Refuse to delete the artifacts that are there when everything is destroyed."
  type        = bool
  nullable    = false
  default     = true
}
