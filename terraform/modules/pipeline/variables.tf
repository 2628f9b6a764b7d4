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
    cluster_name     = string
    service_name     = string
    family           = string
    cpu_architecture = string
    role_arns        = list(string)
    repository = object({
      arn = string
      url = string
    })
    production_listener_arn = string
    test_listener_arn       = string
    target_group_names      = list(string)
    scalable_resource_id    = string
  })
  nullable = false
}

variable "release" {
  description = "How the traffic goes over (`traffic`: a CodeDeploy configuration for ECS), and how long the old tasks are kept to go back to."
  type = object({
    traffic           = optional(string, "CodeDeployDefault.ECSCanary10Percent5Minutes")
    keep_blue_minutes = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition = contains([
      "CodeDeployDefault.ECSAllAtOnce",
      "CodeDeployDefault.ECSCanary10Percent5Minutes",
      "CodeDeployDefault.ECSCanary10Percent15Minutes",
      "CodeDeployDefault.ECSLinear10PercentEvery1Minutes",
      "CodeDeployDefault.ECSLinear10PercentEvery3Minutes",
    ], var.release.traffic)
    error_message = "release.traffic must be one of CodeDeployDefault.ECSAllAtOnce, ECSCanary10Percent5Minutes, ECSCanary10Percent15Minutes, ECSLinear10PercentEvery1Minutes, ECSLinear10PercentEvery3Minutes, with CodeDeployDefault. before it."
  }

  validation {
    condition     = var.release.keep_blue_minutes >= 0 && var.release.keep_blue_minutes <= 2880
    error_message = "release.keep_blue_minutes must be 0 to 2880: CodeDeploy keeps the old tasks two days at most."
  }
}

variable "alarm_names" {
  description = "Alarms that stop a release and turn it back. One that is on already lets no release begin."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.alarm_names) > 0 && length(var.alarm_names) <= 10
    error_message = "alarm_names must name one to ten alarms: CodeDeploy watches no more, and without one no release turns back by itself."
  }
}

variable "topic_arn" {
  description = "SNS topic that hears of the pipeline, of deployments and of scaling."
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
