variable "name" {
  description = "Prefix of every name; CodeDeploy's application and deployment group bear it alone."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the service."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The only account whose CodeDeploy may use the role."
  type        = string
  nullable    = false
}

variable "deployment" {
  description = "The service that is released to: output `deployment` of the fargate module."
  type = object({
    cluster_name            = string
    service_name            = string
    role_arns               = list(string)
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
  description = "SNS topic that hears of deployments, of scaling to the maximum, and of tasks that cannot start."
  type        = string
  nullable    = false
}
