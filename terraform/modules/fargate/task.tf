locals {
  container_name = "api"
  container_port = 8080

  # The service ends its running requests first; ECS (which then kills the task) and the load balancer (which then closes
  # the connections) wait a little longer than it.
  drain = {
    seconds              = var.container.drain_seconds
    stop_timeout         = var.container.drain_seconds + 10
    deregistration_delay = var.container.drain_seconds + 10
  }

  # Whoever closes an idle connection first must be the load balancer, which knows that it did; a request that it sends on
  # one that the service is closing is answered 502.
  idle_seconds = { load_balancer = 60, service = 75 }

  # Only with origins: a page of none of them could not read anything anyway.
  cors_environment = length(var.cors.origins) == 0 ? {} : {
    CORS_ORIGINS     = join(",", var.cors.origins)
    CORS_CREDENTIALS = tostring(var.cors.credentials)
  }

  environment = merge(var.mapping.environment, local.cors_environment, {
    AWS_REGION                      = var.region
    HOST                            = "0.0.0.0"
    PORT                            = tostring(local.container_port)
    TRUSTED_PROXIES                 = join(",", flatten(values(var.network.subnet_cidr_blocks)))
    DRAIN_SECONDS                   = tostring(local.drain.seconds)
    IDLE_TIMEOUT_SECONDS            = tostring(local.idle_seconds.service)
    METRICS_SERVICE                 = var.name
    STRINGS_MAPPING_REFRESH_SECONDS = tostring(var.container.mapping_refresh_seconds)
  })
}

# Everything about a task but the image that is running. The pipeline reads the newest revision of the family, puts the
# image that it built in place of this one, and registers that as the next revision.
resource "aws_ecs_task_definition" "this" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.container.cpu
  memory                   = var.container.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = var.container.cpu_architecture
    operating_system_family = "LINUX"
  }

  container_definitions = jsonencode([{
    name      = local.container_name
    image     = "${aws_ecr_repository.this.repository_url}:${var.image_tag}"
    essential = true

    user                   = "65532:65532"
    readonlyRootFilesystem = true
    linuxParameters        = { capabilities = { drop = ["ALL"] } }

    # No health check of ECS's own: the image is empty but for the service, so there is nothing in it to ask with. The load
    # balancer asks, and ECS acts on its answer.
    portMappings = [{ containerPort = local.container_port, hostPort = local.container_port, protocol = "tcp" }]
    stopTimeout  = local.drain.stop_timeout

    environment = [for name, value in local.environment : { name = name, value = value }]
    secrets     = [{ name = "API_KEY", valueFrom = local.api_key_arn }]

    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.container.name
        awslogs-region        = var.region
        awslogs-stream-prefix = local.container_name
        # When CloudWatch Logs is slow, lines are dropped rather than requests held up.
        mode            = "non-blocking"
        max-buffer-size = "4m"
      }
    }
  }])
}

resource "aws_cloudwatch_log_group" "container" {
  #checkov:skip=CKV_AWS_158:Lines hold no body, key or token; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days
  name              = "/${var.name}/container"
  retention_in_days = var.log_retention_days
}
