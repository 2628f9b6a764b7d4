variable "name" {
  description = "Prefix of every alarm's name. An alarm is called `<name>-<key>`."
  type        = string
  nullable    = false
}

variable "topic_arn" {
  description = "SNS topic that hears of every alarm, when it starts and when it ends."
  type        = string
  nullable    = false
}

# The one shape in which every module returns its alarms, as `output "alarms"`. Keys must be known at plan time: build
# them from names, never from ids.
variable "alarms" {
  description = "Alarms by key: one metric (`namespace`, `metric_name`, `dimensions`, `statistic`), or for a ratio `metric_queries` by id, of which exactly one returns data. `statistic` takes both CloudWatch's plain ones (Sum, Average, Minimum, Maximum, SampleCount) and percentiles (p95, p99.9, tm90)."
  type = map(object({
    description         = string
    namespace           = optional(string)
    metric_name         = optional(string)
    dimensions          = optional(map(string), {})
    statistic           = optional(string)
    period              = optional(number, 60)
    evaluation_periods  = optional(number, 1)
    datapoints_to_alarm = optional(number)
    threshold           = number
    comparison_operator = optional(string, "GreaterThanThreshold")
    treat_missing_data  = optional(string, "notBreaching")
    metric_queries = optional(map(object({
      expression  = optional(string)
      label       = optional(string)
      return_data = optional(bool, false)
      metric = optional(object({
        namespace   = string
        metric_name = string
        dimensions  = optional(map(string), {})
        statistic   = string
        period      = optional(number, 60)
      }))
    })), {})
  }))
  nullable = false
  default  = {}

  validation {
    condition = alltrue([
      for alarm in values(var.alarms) : length(alarm.metric_queries) == 0
      ? alarm.namespace != null && alarm.metric_name != null && alarm.statistic != null
      : alarm.namespace == null && alarm.metric_name == null && alarm.statistic == null
    ])
    error_message = "Each alarm needs either namespace, metric_name and statistic, or metric_queries, and not both."
  }

  validation {
    condition = alltrue([
      for alarm in values(var.alarms) : length(alarm.metric_queries) == 0
      || length([for query in values(alarm.metric_queries) : query if query.return_data]) == 1
    ])
    error_message = "Exactly one of an alarm's metric_queries must have return_data = true: that one is compared with the threshold."
  }

  # `>= 0` is always true, so such an alarm never leaves the ALARM state: the commonest wrong threshold there is.
  validation {
    condition = alltrue([
      for alarm in values(var.alarms) : !(alarm.threshold == 0 && alarm.comparison_operator == "GreaterThanOrEqualToThreshold")
    ])
    error_message = "threshold = 0 with GreaterThanOrEqualToThreshold is always in alarm. Use GreaterThanThreshold."
  }
}
