locals {
  # CloudWatch names a load balancer by the last part of its ARN.
  load_balancer = { LoadBalancer = aws_lb.this.arn_suffix }
  target_group  = { LoadBalancer = aws_lb.this.arn_suffix, TargetGroup = aws_lb_target_group.this.arn_suffix }
}

output "alarms" {
  description = "Nothing behind the link, or connections that it breaks off."
  value = {
    # On from the first apply until the first release of the containers, which is the truth.
    "unhealthy" = {
      description         = "The load balancer behind the VPC link of ${var.name} has not been ready for five minutes: every stage answers 5xx. The alarms of the containers say why."
      namespace           = "AWS/NetworkELB"
      metric_name         = "UnHealthyHostCount"
      dimensions          = local.target_group
      statistic           = "Maximum"
      evaluation_periods  = 5
      datapoints_to_alarm = 5
      threshold           = 0
    }
    "refused" = {
      description         = "The security group of the network load balancer of ${var.name} turns connections away: something in the VPC tries to go round API Gateway, or PrivateLink is asked for a rule."
      namespace           = "AWS/NetworkELB"
      metric_name         = "SecurityGroupBlockedFlowCount_Inbound_TCP"
      dimensions          = local.load_balancer
      statistic           = "Sum"
      period              = 300
      evaluation_periods  = 1
      datapoints_to_alarm = 1
      threshold           = 0
    }
  }
}

output "widgets" {
  description = "The link's part of the dashboard."
  value = [
    {
      row     = "requests"
      title   = "VPC link: new connections"
      metrics = [{ namespace = "AWS/NetworkELB", metric_name = "NewFlowCount_TCP", dimensions = local.load_balancer, statistic = "Sum", label = "connections" }]
    },
    {
      row   = "errors"
      title = "VPC link: connections broken off"
      metrics = [for metric, label in { TCP_Target_Reset_Count = "by the target", TCP_ELB_Reset_Count = "by the load balancer" } : {
        namespace = "AWS/NetworkELB", metric_name = metric, dimensions = local.load_balancer, statistic = "Sum", label = label
      }]
    },
    {
      row     = "cost"
      title   = "VPC link: load balancer units"
      period  = 300
      metrics = [{ namespace = "AWS/NetworkELB", metric_name = "ConsumedLCUs", dimensions = local.load_balancer, statistic = "Sum", label = "LCUs" }]
    },
  ]
}
