locals {
  load_balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  service       = { ClusterName = var.name, ServiceName = var.name }

  # Traffic is at blue or at green, so what is asked of the target groups is asked of both together.
  target_groups = { for colour in ["blue", "green"] : colour => { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this[colour].arn_suffix } }

  # Alarms that stop a release and turn back. Each is quiet when there is no traffic: one that is already on when a release
  # starts stops it at once, and before the first release nothing is well.
  release_alarms = ["server-errors", "latency"]
}

output "release_alarms" {
  description = "Which of `alarms` stop a release and roll it back."
  value       = local.release_alarms
}

output "alarms" {
  description = "Errors of the tasks, of the load balancer and of clients, latency, tasks that are ill, missing, or too few for the load, a map that is old."
  value = {
    "server-errors" = {
      description         = "${var.name} answers more than ${var.alarm_thresholds.server_error_percent} % of the requests with 5xx. The container's log says why."
      evaluation_periods  = 3
      datapoints_to_alarm = 2
      threshold           = var.alarm_thresholds.server_error_percent
      metric_queries = {
        percent  = { expression = "100 * FILL(errors, 0) / requests", label = "5xx, %", return_data = true }
        errors   = { metric = { namespace = "AWS/ApplicationELB", metric_name = "HTTPCode_Target_5XX_Count", dimensions = local.load_balancer, statistic = "Sum" } }
        requests = { metric = { namespace = "AWS/ApplicationELB", metric_name = "RequestCount", dimensions = local.load_balancer, statistic = "Sum" } }
      }
    }
    "client-errors" = {
      description         = "${var.name} refuses more than ${var.alarm_thresholds.client_error_percent} % of the requests with 4xx: a client that is out of date, or somebody who tries keys."
      evaluation_periods  = 5
      datapoints_to_alarm = 5
      threshold           = var.alarm_thresholds.client_error_percent
      metric_queries = {
        percent  = { expression = "100 * FILL(errors, 0) / requests", label = "4xx, %", return_data = true }
        errors   = { metric = { namespace = "AWS/ApplicationELB", metric_name = "HTTPCode_Target_4XX_Count", dimensions = local.load_balancer, statistic = "Sum" } }
        requests = { metric = { namespace = "AWS/ApplicationELB", metric_name = "RequestCount", dimensions = local.load_balancer, statistic = "Sum" } }
      }
    }
    "balancer-errors" = {
      description         = "The load balancer of ${var.name} answers 5xx itself: no task is ready (503), or one broke off (502) or took too long (504)."
      namespace           = "AWS/ApplicationELB"
      metric_name         = "HTTPCode_ELB_5XX_Count"
      dimensions          = local.load_balancer
      statistic           = "Sum"
      evaluation_periods  = 5
      datapoints_to_alarm = 3
      threshold           = 0
    }
    "latency" = {
      description         = "${var.name} is slow: 95 % of the requests should take less than ${var.alarm_thresholds.latency_p95_milliseconds} ms."
      namespace           = "AWS/ApplicationELB"
      metric_name         = "TargetResponseTime"
      dimensions          = local.load_balancer
      statistic           = "p95"
      evaluation_periods  = 5
      datapoints_to_alarm = 3
      threshold           = var.alarm_thresholds.latency_p95_milliseconds / 1000 # CloudWatch has it in seconds
    }
    "unhealthy-tasks" = {
      description         = "A task of ${var.name} has not been ready for five minutes. /status/ready says why."
      evaluation_periods  = 5
      datapoints_to_alarm = 5
      threshold           = 0
      metric_queries = {
        unhealthy = { expression = "FILL(blue, 0) + FILL(green, 0)", label = "unhealthy", return_data = true }
        blue      = { metric = { namespace = "AWS/ApplicationELB", metric_name = "UnHealthyHostCount", dimensions = local.target_groups.blue, statistic = "Maximum" } }
        green     = { metric = { namespace = "AWS/ApplicationELB", metric_name = "UnHealthyHostCount", dimensions = local.target_groups.green, statistic = "Maximum" } }
      }
    }
    # On from the first apply until the first release, which is the truth.
    "missing-tasks" = {
      description         = "ECS cannot start as many tasks of ${var.name} as it should: no image under that tag, no key, or no capacity. The service's events say which."
      evaluation_periods  = 15
      datapoints_to_alarm = 15
      threshold           = 0
      metric_queries = {
        missing = { expression = "desired - running", label = "missing", return_data = true }
        desired = { metric = { namespace = "ECS/ContainerInsights", metric_name = "DesiredTaskCount", dimensions = local.service, statistic = "Maximum" } }
        running = { metric = { namespace = "ECS/ContainerInsights", metric_name = "RunningTaskCount", dimensions = local.service, statistic = "Minimum" } }
      }
    }
    "stale-map" = {
      description         = "A task of ${var.name} has not been able to confirm its map for ${var.alarm_thresholds.map_age_seconds} seconds. It goes on with the last good one; the container's log says why."
      namespace           = "Switchyard"
      metric_name         = "MapAge"
      dimensions          = { Service = local.environment.METRICS_SERVICE }
      statistic           = "Maximum"
      evaluation_periods  = 3
      datapoints_to_alarm = 3
      threshold           = var.alarm_thresholds.map_age_seconds
    }
    "cpu" = {
      description         = "Tasks of ${var.name} use more than ${var.alarm_thresholds.utilization_percent} % of their CPU although autoscaling should have added some: scaling.maximum is reached."
      namespace           = "AWS/ECS"
      metric_name         = "CPUUtilization"
      dimensions          = local.service
      statistic           = "Average"
      evaluation_periods  = 10
      datapoints_to_alarm = 10
      threshold           = var.alarm_thresholds.utilization_percent
    }
    "memory" = {
      description         = "Tasks of ${var.name} use more than ${var.alarm_thresholds.utilization_percent} % of their memory although autoscaling should have added some: scaling.maximum is reached."
      namespace           = "AWS/ECS"
      metric_name         = "MemoryUtilization"
      dimensions          = local.service
      statistic           = "Average"
      evaluation_periods  = 10
      datapoints_to_alarm = 10
      threshold           = var.alarm_thresholds.utilization_percent
    }
  }
}
