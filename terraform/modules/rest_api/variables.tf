variable "name" {
  description = "The API's name; a dimension of its metrics."
  type        = string
  nullable    = false
}

variable "description" {
  description = "What the API is for."
  type        = string
  nullable    = false
}

variable "architecture" {
  description = "The architecture that the API is the front of: the value of its tag `Architecture`; null: no tag."
  type        = string
  default     = null
}

variable "definition" {
  description = "OpenAPI 3 document with API Gateway's extensions, as YAML or JSON: paths, integrations, validation, models, gateway responses, documentation."
  type        = string
  nullable    = false

  validation {
    condition     = can(yamldecode(var.definition).paths)
    error_message = "definition must be an OpenAPI document with paths."
  }
}

variable "binary_media_types" {
  description = "Content types whose bodies are passed on as bytes."
  type        = list(string)
  nullable    = false
  default     = []
}

variable "minimum_compression_size" {
  description = "Responses of at least so many bytes are compressed when the client accepts it; null: none are."
  type        = number
  default     = null
}

variable "default_endpoint" {
  description = "Serve on AWS's own host name too."
  type        = bool
  nullable    = false
  default     = true
}

variable "policy" {
  description = "Resource policy (JSON) that says who may call the API; null: anybody."
  type        = string
  default     = null
}

variable "stages" {
  description = "Stages by name. `release` null: a new deployment on every change. Otherwise: a new deployment when the value changes, and never for another reason. `deployments` (by API id), `initial` and `follows` are what `make api/release` writes beside it: the deployment to serve in place of Terraform's own, the release that Terraform's own is of, and whether that one follows every change all the same. `variables` are the stage's; throttling is in requests per second. `quota_per_day` null: none."
  type = map(object({
    release       = optional(string)
    initial       = optional(string)
    follows       = optional(bool, false)
    deployments   = optional(map(string), {})
    variables     = optional(map(string), {})
    rate_limit    = optional(number, 100)
    burst_limit   = optional(number, 200)
    quota_per_day = optional(number)
  }))
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.stages) : can(regex("^[a-zA-Z0-9_]+$", name))])
    error_message = "A stage's name may hold letters, digits and underscores only."
  }

  validation {
    condition     = alltrue([for stage in values(var.stages) : stage.release == null || stage.release != ""])
    error_message = "A stage's release must not be empty; null means a new deployment on every change."
  }

  validation {
    condition     = alltrue([for stage in values(var.stages) : length(stage.deployments) == 0 || stage.release != null])
    error_message = "A stage with deployments must say which release they are."
  }
}

variable "functions" {
  description = "Lambda functions that the definition calls: name in AWS, and the version that each alias serves. A stage may call the aliases of its own name."
  type = map(object({
    name    = string
    aliases = map(string)
  }))
  nullable = false
  default  = {}
}

variable "authorizer" {
  description = "Lambda function that the definition names as its authorizer: name in AWS, and alias. Null: none."
  type = object({
    name  = string
    alias = string
  })
  default = null
}

variable "api_keys" {
  description = "Make an API key and a usage plan for each stage."
  type        = bool
  nullable    = false
  default     = true
}

variable "domain" {
  description = "Custom domain, with each stage under a base path of its name; null: none."
  type = object({
    host            = string
    zone_id         = string
    certificate_arn = string
  })
  default = null
}

variable "stage_domains" {
  description = "Custom domains of single stages, by stage: the host name is the stage, without a base path."
  type = map(object({
    host            = string
    zone_id         = string
    certificate_arn = string
  }))
  nullable = false
  default  = {}

  validation {
    condition     = length(setsubtract(keys(var.stage_domains), keys(var.stages))) == 0
    error_message = "stage_domains must name stages that there are."
  }
}

variable "log_retention_days" {
  description = "How long access and execution logs are kept."
  type        = number
  nullable    = false
}

variable "alarm_thresholds" {
  description = "When the alarms of each stage go off. The rates are shares of all requests within five minutes."
  type = object({
    latency_p95_milliseconds = optional(number, 2000)
    client_error_percent     = optional(number, 25)
    server_error_percent     = optional(number, 1)
  })
  nullable = false
  default  = {}
}
