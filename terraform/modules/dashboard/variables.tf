variable "name" {
  description = "The dashboard's name."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region whose metrics are shown."
  type        = string
  nullable    = false
}

# The one shape in which every module returns its widgets, as `output "widgets"`.
variable "widgets" {
  description = "Graphs, in the order in which they appear. `row` is the topic; the graphs of one topic stand side by side, so that the architectures can be compared. A metric that an expression uses needs an `id`; `visible = false` keeps it off the graph."
  type = list(object({
    row     = string
    title   = string
    stacked = optional(bool, false)
    period  = optional(number, 60)
    metrics = list(object({
      namespace   = string
      metric_name = string
      dimensions  = optional(map(string), {})
      statistic   = string
      label       = optional(string)
      id          = optional(string)
      visible     = optional(bool, true)
    }))
    expressions = optional(list(object({
      expression = string
      label      = string
    })), [])
  }))
  nullable = false
  default  = []

  validation {
    condition     = alltrue([for widget in var.widgets : contains(["requests", "latency", "errors", "cost", "waf"], widget.row)])
    error_message = "Each widget's row must be one of requests, latency, errors, cost, waf."
  }
}
