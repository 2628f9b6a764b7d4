output "widgets" {
  description = "The service's part of the dashboard."
  value = [
    {
      row     = "requests"
      title   = "Fargate: requests"
      metrics = [{ namespace = "AWS/ApplicationELB", metric_name = "RequestCount", dimensions = local.load_balancer, statistic = "Sum", label = "requests" }]
    },
    {
      row   = "latency"
      title = "Fargate: time that the tasks take"
      metrics = [for percentile in ["p50", "p95", "p99"] : {
        namespace = "AWS/ApplicationELB", metric_name = "TargetResponseTime", dimensions = local.load_balancer, statistic = percentile, label = percentile
      }]
    },
    {
      row   = "errors"
      title = "Fargate: refused and failed"
      metrics = [for metric, label in {
        HTTPCode_Target_4XX_Count = "4xx"
        HTTPCode_Target_5XX_Count = "5xx of the tasks"
        HTTPCode_ELB_5XX_Count    = "5xx of the load balancer"
        } : {
        namespace = "AWS/ApplicationELB", metric_name = metric, dimensions = local.load_balancer, statistic = "Sum", label = label
      }]
    },
    # A task is paid by the second that it exists, the load balancer by the hour and by the busiest of what an LCU counts.
    {
      row    = "cost"
      title  = "Fargate: tasks and load balancer units"
      period = 300
      metrics = [
        { namespace = "ECS/ContainerInsights", metric_name = "RunningTaskCount", dimensions = local.service, statistic = "Average", label = "tasks" },
        { namespace = "AWS/ApplicationELB", metric_name = "ConsumedLCUs", dimensions = local.load_balancer, statistic = "Sum", label = "LCUs" },
      ]
    },
  ]
}
