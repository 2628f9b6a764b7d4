output "url" {
  description = "Where the service answers."
  value       = var.domain == null ? "http://${aws_lb.this.dns_name}" : "https://${var.domain.host}"

  # Not before the name can be resolved.
  depends_on = [aws_route53_record.this]
}

output "load_balancer_arn" {
  description = "The load balancer, for the firewall."
  value       = aws_lb.this.arn
}

output "private_target" {
  description = "What a network load balancer needs in order to stand before this one: an application load balancer as a target has the port of its production listener, so what serves stays CodeDeploy's to say. `host`: the name in its certificate; null by plain HTTP."
  value = {
    load_balancer_arn = aws_lb.this.arn
    security_group_id = aws_security_group.load_balancer.id
    port              = local.production.port
    protocol          = local.production.protocol
    host              = one(var.domain[*].host)
    health_check_path = local.health_check.path
  }

  # A load balancer without a listener on the port is refused as a target.
  depends_on = [aws_lb_listener.production]
}

output "cluster_arn" {
  description = "The cluster, for other services of this system."
  value       = aws_ecs_cluster.this.arn

  # A service with a capacity provider is refused until the cluster has it.
  depends_on = [aws_ecs_cluster_capacity_providers.this]
}

output "api_key_parameter" {
  description = "ARN of the parameter that holds the key: `aws ssm get-parameter --with-decryption --name ARN`."
  value       = local.api_key_arn
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = aws_ecr_repository.this.repository_url
}

output "deployment" {
  description = "What a pipeline must know to release to this service."
  value = {
    cluster_name     = aws_ecs_cluster.this.name
    service_name     = aws_ecs_service.this.name
    family           = aws_ecs_task_definition.this.family
    cpu_architecture = var.container.cpu_architecture
    # What a release passes to the tasks that it starts.
    role_arns = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
    repository = {
      arn = aws_ecr_repository.this.arn
      url = aws_ecr_repository.this.repository_url
    }
    production_listener_arn = aws_lb_listener.production.arn
    test_listener_arn       = aws_lb_listener.test.arn
    target_group_names      = [aws_lb_target_group.this["blue"].name, aws_lb_target_group.this["green"].name]
    scalable_resource_id    = aws_appautoscaling_target.this.resource_id
  }
}
