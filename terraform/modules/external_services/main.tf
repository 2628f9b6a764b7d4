locals {
  short_name = length(var.name) <= 26 ? var.name : "${trimsuffix(substr(var.name, 0, 19), "-")}-${substr(sha256(var.name), 0, 6)}"
  full_name  = "${var.name}-external-services"

  proxy = "nginx"

  # The only folder that can be written to.
  folder            = "/tmp/nginx"
  health_check_path = "/_proxy/health"

  # In seconds. What one request may wait for, one after the other (name, connection, each pause in sending and in the answer),
  # adds up to less than API Gateway waits.
  gateway_seconds = 29
  timeouts        = { client = 10, resolve = 2, connect = 3, send = 3, read = 20 }

  public_certificates = "/etc/ssl/certs/ca-certificates.crt" # of the image

  services = { for name, service in var.services : name => {
    port        = service.port
    authority   = trimprefix(service.upstream, "https://")
    server_name = coalesce(service.server_name, regex("^https://([^:]+)", service.upstream)[0])
    # By which environment variable its own certificate authority comes, and as which file it is kept.
    certificate_variable = service.certificate_authority == null ? null : "NGINX_CA_${upper(replace(name, "-", "_"))}"
    trusted_certificates = service.certificate_authority == null ? local.public_certificates : "${local.folder}/NGINX_CA_${upper(replace(name, "-", "_"))}.pem"
    upstream_port        = tonumber(try(regex(":([0-9]+)$", service.upstream)[0], "443"))
  } }

  configuration = templatefile("${path.module}/nginx.conf.tftpl", {
    folder             = local.folder
    health_check_path  = local.health_check_path
    gateway_seconds    = local.gateway_seconds
    max_body_megabytes = 10
    timeouts           = local.timeouts
    # The VPC's DNS server has the third address: https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html
    resolver = cidrhost(var.network.cidr_block, 2)
    services = local.services
  })

  own_certificates = { for name, service in local.services : service.certificate_variable => var.services[name].certificate_authority if service.certificate_variable != null }

  # In base64, because the configuration has more kinds of quotation marks than a command can bear.
  environment = merge(
    { NGINX_CONFIG = base64encode(local.configuration) },
    { for name, certificate in local.own_certificates : name => base64encode(certificate) },
  )
  files = merge({ NGINX_CONFIG = "nginx.conf" }, { for name in keys(local.own_certificates) : name => "${name}.pem" })
  start = join(" && ", concat(
    ["cd ${local.folder}"],
    [for variable, file in local.files : "printf %s \"$${${variable}}\" | base64 -d > ${file}"],
    ["exec nginx -e /dev/stderr -c ${local.folder}/nginx.conf -g 'daemon off;'"],
  ))
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.full_name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = 256
  memory                   = 512
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    cpu_architecture        = "ARM64" # the image is there for both, and this is the cheaper one
    operating_system_family = "LINUX"
  }

  # Empty when a task starts, and gone with it.
  volume {
    name = "work"
  }

  container_definitions = jsonencode([
    {
      name      = "prepare"
      image     = var.image
      essential = false

      # Fargate makes a volume root's, and takes other rights from an image's VOLUME only, which this one has not.
      # https://docs.aws.amazon.com/AmazonECS/latest/developerguide/bind-mounts.html
      user                   = "0:0"
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      entryPoint             = ["/bin/sh", "-c"]
      command                = ["chmod 1777 ${local.folder}"]
      mountPoints            = [{ sourceVolume = "work", containerPath = local.folder, readOnly = false }]
      logConfiguration       = local.log
    },
    {
      name      = local.proxy
      image     = var.image
      essential = true
      dependsOn = [{ containerName = "prepare", condition = "SUCCESS" }]

      user                   = "101:101" # the image's own user, nginx
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      entryPoint             = ["/bin/sh", "-c"]
      command                = [local.start]
      environment            = [for name, value in local.environment : { name = name, value = value }]
      mountPoints            = [{ sourceVolume = "work", containerPath = local.folder, readOnly = false }]
      portMappings           = [for service in values(local.services) : { containerPort = service.port, hostPort = service.port, protocol = "tcp" }]
      stopTimeout            = local.gateway_seconds + 1
      logConfiguration       = local.log
    },
  ])
}

resource "aws_ecs_service" "this" {
  name             = local.full_name
  cluster          = var.cluster_arn
  task_definition  = aws_ecs_task_definition.this.arn
  desired_count    = 2 # one in each zone
  platform_version = "LATEST"
  propagate_tags   = "SERVICE"

  health_check_grace_period_seconds = 60

  # A configuration with which nginx does not start never takes the place of one with which it does.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  capacity_provider_strategy {
    capacity_provider = "FARGATE"
    base              = 1
    weight            = 1
  }

  network_configuration {
    subnets          = var.network.private_subnet_ids # the only way out is the NAT gateway, with its fixed address
    security_groups  = [aws_security_group.this.id]
    assign_public_ip = false
  }

  dynamic "load_balancer" {
    for_each = local.services

    content {
      target_group_arn = aws_lb_target_group.this[load_balancer.key].arn
      container_name   = local.proxy
      container_port   = load_balancer.value.port
    }
  }

  depends_on = [
    aws_iam_role_policy.execution,
    aws_lb_listener.this, # ECS refuses a target group without a listener
    aws_vpc_security_group_egress_rule.https,
  ]
}

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:Lines hold no header, body or token; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days
  name              = "/${var.name}/external-services"
  retention_in_days = var.log_retention_days
}

locals {
  log = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.this.name
      awslogs-region        = var.region
      awslogs-stream-prefix = local.proxy
      # When CloudWatch Logs is slow, lines are dropped rather than requests held up.
      mode            = "non-blocking"
      max-buffer-size = "4m"
    }
  }
}
