output "base_urls" {
  description = "Where API Gateway finds each service, by the VPC link."
  value       = { for name, service in var.services : name => "http://${var.load_balancer.dns_name}:${service.port}" }

  # Not before somebody listens.
  depends_on = [aws_lb_listener.this]
}

output "alarms" {
  description = "Proxies that are ill, or too few."
  value = merge(
    {
      for name in keys(var.services) : "${name}-unhealthy" => {
        description         = "A proxy for ${name} has not answered for five minutes. The log of ${local.full_name} says why."
        namespace           = "AWS/NetworkELB"
        metric_name         = "UnHealthyHostCount"
        dimensions          = { LoadBalancer = local.load_balancer_name, TargetGroup = aws_lb_target_group.this[name].arn_suffix }
        statistic           = "Maximum"
        evaluation_periods  = 5
        datapoints_to_alarm = 5
        threshold           = 0
      }
    },
    {
      "missing-tasks" = {
        description         = "ECS cannot start as many tasks of ${local.full_name} as it should. The service's events say why."
        evaluation_periods  = 15
        datapoints_to_alarm = 15
        threshold           = 0
        metric_queries = {
          missing = { expression = "desired - running", label = "missing", return_data = true }
          desired = { metric = { namespace = "ECS/ContainerInsights", metric_name = "DesiredTaskCount", dimensions = local.tasks, statistic = "Maximum" } }
          running = { metric = { namespace = "ECS/ContainerInsights", metric_name = "RunningTaskCount", dimensions = local.tasks, statistic = "Minimum" } }
        }
      }
    },
  )
}

output "widgets" {
  description = "The proxies' part of the dashboard."
  value = [{
    row     = "cost"
    title   = "Proxies to services outside AWS: tasks"
    period  = 300
    metrics = [{ namespace = "ECS/ContainerInsights", metric_name = "RunningTaskCount", dimensions = local.tasks, statistic = "Average", label = "tasks" }]
  }]
}

locals {
  load_balancer_name = regex("loadbalancer/(.+)$", var.load_balancer.arn)[0]
  tasks              = { ClusterName = regex("cluster/(.+)$", var.cluster_arn)[0], ServiceName = local.full_name }
}
