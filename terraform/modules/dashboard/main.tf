locals {
  # Top to bottom as a page reads in an incident: is there traffic, is it slow, does it fail, who is kept out, what does it cost.
  rows = {
    requests = "Requests"
    latency  = "Latency"
    errors   = "Errors"
    waf      = "Web application firewall"
    cost     = "Cost drivers"
  }
  order = [for row in ["requests", "latency", "errors", "waf", "cost"] : row if contains(var.widgets[*].row, row)]

  by_row = { for row in local.order : row => [for widget in var.widgets : widget if widget.row == row] }

  width        = 24 # CloudWatch's grid
  title_height = 1
  graph_height = 6
  per_line     = 4 # more side by side cannot be read; the rest goes into the next line

  columns = { for row in local.order : row => min(length(local.by_row[row]), local.per_line) }
  heights = [for row in local.order : local.title_height + local.graph_height * ceil(length(local.by_row[row]) / local.per_line)]
  tops    = [for index, row in local.order : sum(concat([0], slice(local.heights, 0, index)))]

  titles = [
    for index, row in local.order : {
      type       = "text"
      x          = 0
      y          = local.tops[index]
      width      = local.width
      height     = local.title_height
      properties = { markdown = "## ${local.rows[row]}" }
    }
  ]

  graphs = flatten([
    for index, row in local.order : [
      for position, widget in local.by_row[row] : {
        type   = "metric"
        x      = position % local.per_line * floor(local.width / local.columns[row])
        y      = local.tops[index] + local.title_height + local.graph_height * floor(position / local.per_line)
        width  = floor(local.width / local.columns[row])
        height = local.graph_height
        properties = {
          region  = var.region
          title   = widget.title
          view    = "timeSeries"
          stacked = widget.stacked
          period  = widget.period
          # CloudWatch's own form: [namespace, name, dimension, value, ..., options].
          metrics = concat(
            [for metric in widget.metrics : concat(
              [metric.namespace, metric.metric_name],
              flatten([for dimension, value in metric.dimensions : [dimension, value]]),
              [{ for option, value in {
                stat    = metric.statistic
                label   = metric.label
                id      = metric.id
                visible = metric.visible ? null : false
              } : option => value if value != null }],
            )],
            [for expression in widget.expressions : [expression]],
          )
        }
      }
    ]
  ])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({ widgets = concat(local.titles, local.graphs) })
}
