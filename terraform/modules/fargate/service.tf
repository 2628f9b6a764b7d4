resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = "enabled"
  }

  # Otherwise Container Insights makes the group itself, and it keeps its lines, and outlives the cluster, for ever.
  depends_on = [aws_cloudwatch_log_group.container_insights]
}

resource "aws_cloudwatch_log_group" "container_insights" {
  #checkov:skip=CKV_AWS_158:Metrics only; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days
  name              = "/aws/ecs/containerinsights/${var.name}/performance"
  retention_in_days = var.log_retention_days
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE", "FARGATE_SPOT"]

  default_capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }
}

resource "aws_ecs_service" "this" {
  name             = var.name
  cluster          = aws_ecs_cluster.this.id
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = var.scaling.minimum
  platform_version = "LATEST"
  propagate_tags   = "SERVICE"

  # A little more than a task needs to load its map and to be found ready twice.
  health_check_grace_period_seconds = 30 + local.health_check.interval * local.health_check.healthy

  # No `wait_for_steady_state`: before the first release there is no image that could become steady.

  deployment_controller {
    type = "CODE_DEPLOY"
  }

  # The same stands in appspec.yaml, because CodeDeploy starts the new tasks by what it says there.
  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.this["blue"].arn
    container_name   = local.container_name
    container_port   = local.container_port
  }

  # CodeDeploy owns which revision runs and which target group it is in; autoscaling owns how many there are.
  lifecycle {
    ignore_changes = [task_definition, load_balancer, desired_count]
  }

  depends_on = [
    aws_ecs_cluster_capacity_providers.this,
    aws_iam_role_policy.execution,
    aws_iam_role_policy.task,
    aws_lb_listener.production, # ECS refuses a target group without a listener
    aws_lb_listener.test,
    aws_vpc_security_group_egress_rule.https, # the first thing that a task does is to fetch its image
    aws_vpc_security_group_ingress_rule.from_load_balancer,
  ]
}

resource "aws_security_group" "task" {
  name        = "${var.name}-task"
  description = "From the load balancer to the tasks, and from there to AWS"
  vpc_id      = var.network.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "from_load_balancer" {
  security_group_id            = aws_security_group.task.id
  description                  = "Requests and health checks"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = local.container_port
  to_port                      = local.container_port
}

# The image, the key, the map and the log come from AWS's public end points, whose addresses change.
resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.task.id
  description       = "AWS, by HTTPS"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
