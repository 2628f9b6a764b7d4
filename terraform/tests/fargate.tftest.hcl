# The provider itself, without AWS: a plan of new resources calls nothing. A mocked one will not do, because it refuses every
# configuration with an ephemeral resource in it. Opening that one would call AWS, so these plans take a key that exists
# already; that a key which is made here stays out of plan and state is shown against the control plane.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name       = "switchyard-test"
  region     = "eu-west-1"
  account_id = "123456789012"
  network = {
    vpc_id             = "vpc-1"
    public_subnet_ids  = ["subnet-1", "subnet-2"]
    private_subnet_ids = ["subnet-3", "subnet-4"]
    subnet_cidr_blocks = { public = ["10.0.0.0/20", "10.0.16.0/20"], private = ["10.0.128.0/20", "10.0.144.0/20"] }
  }
  mapping = {
    environment = { STRINGS_MAPPING_PARAMETER_NAME = "/switchyard-test/mapping" }
    statements  = [{ sid = "ReadMap", actions = ["ssm:GetParameter"], resources = ["arn:aws:ssm:eu-west-1:123456789012:parameter/switchyard-test/mapping"] }]
  }
  api_key = { parameter_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/mine/key" }
}

override_resource {
  target          = aws_ecr_repository.this
  override_during = plan
  values = {
    arn            = "arn:aws:ecr:eu-west-1:123456789012:repository/switchyard-test"
    repository_url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard-test"
  }
}

override_resource {
  target          = aws_cloudwatch_log_group.container
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/switchyard-test/container" }
}

run "without_a_domain" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition     = aws_lb_listener.production.protocol == "HTTP" && aws_lb_listener.production.port == 80 && aws_lb_listener.production.certificate_arn == null
    error_message = "without a domain there is no certificate: HTTP on the load balancer's own name"
  }

  assert {
    condition     = length(aws_lb_listener.redirect) == 0 && length(aws_route53_record.this) == 0
    error_message = "without a domain there is nothing to redirect to, and no record"
  }

  assert {
    condition     = aws_lb_listener.test.protocol == "HTTP" && aws_lb_listener.test.port == 8080 && length(aws_vpc_security_group_ingress_rule.test) == 0
    error_message = "the test listener is there, and closed until somebody is let in"
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.public) == ["80"]
    error_message = "only the port that serves is open"
  }
}

run "with_a_domain" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    domain = {
      host            = "container.example.com"
      zone_id         = "Z1"
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    }
    test_listener_cidr_blocks = ["192.0.2.0/24"]
  }

  assert {
    condition = alltrue([for listener in [aws_lb_listener.production, aws_lb_listener.test] :
      listener.protocol == "HTTPS"
      && listener.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
      && listener.certificate_arn == "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    ])
    error_message = "with a domain both listeners speak TLS 1.3 with its certificate"
  }

  assert {
    condition     = aws_lb_listener.production.port == 443 && aws_lb_listener.test.port == 8443
    error_message = "HTTPS is on 443, the test listener on 8443"
  }

  assert {
    condition = (
      aws_lb_listener.redirect[0].port == 80
      && aws_lb_listener.redirect[0].default_action[0].type == "redirect"
      && aws_lb_listener.redirect[0].default_action[0].redirect[0].protocol == "HTTPS"
      && aws_lb_listener.redirect[0].default_action[0].redirect[0].port == "443"
      && aws_lb_listener.redirect[0].default_action[0].redirect[0].status_code == "HTTP_301"
    )
    error_message = "plain HTTP is redirected to HTTPS"
  }

  assert {
    condition     = aws_route53_record.this[0].name == "container.example.com" && aws_route53_record.this[0].type == "A" && output.url == "https://container.example.com"
    error_message = "the host name points at the load balancer"
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.public) == ["443", "80"]
    error_message = "443 serves and 80 redirects; nothing else is open to everybody"
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.test["192.0.2.0/24"].from_port == 8443 && aws_vpc_security_group_ingress_rule.test["192.0.2.0/24"].to_port == 8443
    error_message = "testers reach the test listener only"
  }
}

run "load_balancer" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition     = aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection && aws_lb.this.xff_header_processing_mode == "append" && !aws_lb.this.internal
    error_message = "an internet-facing load balancer that drops invalid headers, appends the address it saw, and is not deleted by accident"
  }

  assert {
    condition     = aws_lb.this.access_logs[0].enabled
    error_message = "the load balancer logs every request"
  }

  assert {
    condition     = keys(aws_lb_target_group.this) == ["blue", "green"] && output.deployment.target_group_names == ["switchyard-test-blue", "switchyard-test-green"]
    error_message = "a blue and a green target group"
  }

  assert {
    condition = alltrue([for group in values(aws_lb_target_group.this) :
      group.port == 8080 && group.protocol == "HTTP" && group.target_type == "ip"
      && group.health_check[0].path == "/status/ready" && group.health_check[0].matcher == "200"
    ])
    error_message = "blue and green are alike, and only a task that is ready gets traffic"
  }

  assert {
    condition     = aws_lb_target_group.this["blue"].load_balancing_algorithm_type == "least_outstanding_requests"
    error_message = "requests differ in size by seven orders of magnitude: round robin would be unfair"
  }
}

run "drain" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    container = { drain_seconds = 45 }
  }

  assert {
    condition     = one([for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.value if variable.name == "DRAIN_SECONDS"]) == "45"
    error_message = "the service is told how long it may drain"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].stopTimeout == 55
    error_message = "ECS kills a task only after it had time to drain"
  }

  assert {
    condition     = alltrue([for group in values(aws_lb_target_group.this) : group.deregistration_delay == "55"])
    error_message = "the load balancer leaves connections open for as long as the service may answer on them"
  }

  assert {
    condition     = tonumber(one([for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.value if variable.name == "IDLE_TIMEOUT_SECONDS"])) > aws_lb.this.idle_timeout
    error_message = "the load balancer closes an idle connection before the service does"
  }

  assert {
    condition     = aws_ecs_service.this.health_check_grace_period_seconds > aws_lb_target_group.this["blue"].health_check[0].interval * aws_lb_target_group.this["blue"].health_check[0].healthy_threshold
    error_message = "a new task is not killed before it can have been found ready"
  }
}

run "task_and_service" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    image_tag = "0123456789ab"
  }

  assert {
    condition = (
      jsondecode(aws_ecs_task_definition.this.container_definitions)[0].readonlyRootFilesystem
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].user == "65532:65532"
      && jsondecode(aws_ecs_task_definition.this.container_definitions)[0].linuxParameters.capabilities == { drop = ["ALL"] }
    )
    error_message = "the container writes nowhere, is not root, and has no capability"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].image == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard-test:0123456789ab"
    error_message = "the image is the tag's, from the service's own repository"
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[0].environment : variable.name => variable.value } == {
      AWS_REGION                      = "eu-west-1"
      HOST                            = "0.0.0.0"
      PORT                            = "8080"
      TRUSTED_PROXIES                 = "10.0.128.0/20,10.0.144.0/20,10.0.0.0/20,10.0.16.0/20"
      DRAIN_SECONDS                   = "20"
      IDLE_TIMEOUT_SECONDS            = "75"
      METRICS_SERVICE                 = "switchyard-test"
      STRINGS_MAPPING_PARAMETER_NAME  = "/switchyard-test/mapping"
      STRINGS_MAPPING_REFRESH_SECONDS = "60"
    }
    error_message = "the environment is the service's whole configuration, and load balancers in the subnets are believed"
  }

  assert {
    condition = jsondecode(aws_ecs_task_definition.this.container_definitions)[0].secrets == [
      { name = "API_KEY", valueFrom = "arn:aws:ssm:eu-west-1:123456789012:parameter/mine/key" }
    ]
    error_message = "the key is a reference: ECS fetches it when it starts a task"
  }

  assert {
    condition = (
      aws_ecs_task_definition.this.family == "switchyard-test" && aws_ecs_task_definition.this.network_mode == "awsvpc"
      && aws_ecs_task_definition.this.runtime_platform[0].cpu_architecture == "ARM64"
      && aws_ecs_task_definition.this.cpu == "256" && aws_ecs_task_definition.this.memory == "512"
    )
    error_message = "a small ARM task, in its own network"
  }

  assert {
    condition = (
      aws_ecs_service.this.deployment_controller[0].type == "CODE_DEPLOY"
      && !aws_ecs_service.this.network_configuration[0].assign_public_ip
      && aws_ecs_service.this.network_configuration[0].subnets == toset(["subnet-3", "subnet-4"])
    )
    error_message = "CodeDeploy deploys the service, whose tasks have no public address"
  }

  # `apply` must end although there is no image that could start.
  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && aws_ecs_service.this.wait_for_steady_state == false
    error_message = "the service wants its tasks from the start (at 0 it would stay there), and apply does not wait for them"
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT"]) && one(aws_ecs_cluster.this.setting).value == "enabled"
    error_message = "both kinds of capacity can be used, and Container Insights is on"
  }

  assert {
    condition     = aws_appautoscaling_target.this.min_capacity == 2 && aws_appautoscaling_target.this.max_capacity == 4
    error_message = "two to four tasks"
  }

  assert {
    condition = {
      for key, policy in aws_appautoscaling_policy.this : key => "${policy.target_tracking_scaling_policy_configuration[0].predefined_metric_specification[0].predefined_metric_type} ${policy.target_tracking_scaling_policy_configuration[0].target_value}"
    } == { cpu = "ECSServiceAverageCPUUtilization 70", memory = "ECSServiceAverageMemoryUtilization 70" }
    error_message = "there become more at 70 % of CPU or memory"
  }

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push && !aws_ecr_repository.this.force_delete
    error_message = "images are scanned, and a tag means one image for ever"
  }

  assert {
    condition     = [for rule in jsondecode(aws_ecr_lifecycle_policy.this.policy).rules : "${rule.selection.tagStatus} ${rule.selection.countType} ${rule.selection.countNumber}"] == ["untagged sinceImagePushed 7", "any imageCountMoreThan 50"]
    error_message = "what was broken off goes, and the last fifty images stay to roll back to"
  }
}

run "roles" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement : statement.Sid => statement.Resource
      } == {
      LogInToRegistry = "*"
      PullImage       = "arn:aws:ecr:eu-west-1:123456789012:repository/switchyard-test"
      WriteLog        = "arn:aws:logs:eu-west-1:123456789012:log-group:/switchyard-test/container:*"
      ReadApiKey      = "arn:aws:ssm:eu-west-1:123456789012:parameter/mine/key"
    }
    error_message = "starting a task needs the image, the log and the key, and nothing else"
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.task.policy).Statement == [{
      Sid = "ReadMap", Effect = "Allow", Action = ["ssm:GetParameter"], Resource = ["arn:aws:ssm:eu-west-1:123456789012:parameter/switchyard-test/mapping"]
    }]
    error_message = "a task may read its map and do nothing else"
  }

  assert {
    condition     = alltrue([for role in [aws_iam_role.task, aws_iam_role.execution] : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "no other account's tasks may have the roles"
  }
}

run "alarms" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    alarm_thresholds = { latency_p95_milliseconds = 250 }
  }

  assert {
    condition = { for key, alarm in output.alarms : key => alarm.threshold } == {
      server-errors   = 1
      client-errors   = 25
      balancer-errors = 0
      latency         = 0.25
      unhealthy-tasks = 0
      missing-tasks   = 0
      cpu             = 85
      memory          = 85
      stale-map       = 900
    }
    error_message = "every alarm has its threshold; latency is given in milliseconds and compared in seconds"
  }

  assert {
    condition     = output.alarms["stale-map"].namespace == "Switchyard" && output.alarms["stale-map"].dimensions == { Service = "switchyard-test" }
    error_message = "the map's age is the service's own metric, of this deployment"
  }

  assert {
    condition     = output.release_alarms == ["server-errors", "latency"] && length(setsubtract(output.release_alarms, keys(output.alarms))) == 0
    error_message = "a release turns back on errors and latency, which are quiet without traffic"
  }

  assert {
    condition     = alltrue([for alarm in values(output.alarms) : length(regexall("switchyard-test", alarm.description)) == 1])
    error_message = "an alarm's e-mail says whose it is"
  }

  assert {
    condition     = toset(output.widgets[*].row) == toset(["requests", "latency", "errors", "cost"])
    error_message = "the dashboard shows requests, latency, errors and cost of the service"
  }
}

# The root's validation would stop such a name, but only for its own limits.
run "a_long_name_is_cut_and_stays_unique" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    name = "switchyard-acceptance-abcdef12"
  }

  assert {
    condition     = alltrue([for name in concat([aws_lb.this.name], output.deployment.target_group_names) : length(name) <= 32])
    error_message = "AWS takes at most 32 characters"
  }

  assert {
    condition     = aws_lb.this.name == "switchyard-acceptan-${substr(sha256("switchyard-acceptance-abcdef12"), 0, 6)}"
    error_message = "what was cut off stays in as a hash"
  }
}

run "unprotected" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    protected = false
  }

  assert {
    condition     = !aws_lb.this.enable_deletion_protection && aws_ecr_repository.this.force_delete
    error_message = "an environment that is not protected can be destroyed in one go"
  }
}

run "bad_input" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    image_tag                 = "registry.example.com/app:1"
    container                 = { cpu = 256, memory = 4096, cpu_architecture = "arm64", drain_seconds = 119, mapping_refresh_seconds = 0 }
    scaling                   = { minimum = 0, maximum = 4, target_percent = 100 }
    api_key                   = { version = 0, parameter_arn = "/mine/key" }
    test_listener_cidr_blocks = ["192.0.2.1"]
  }

  expect_failures = [
    var.image_tag,
    var.container,
    var.scaling,
    var.api_key,
    var.test_listener_cidr_blocks,
  ]
}

run "an_alarm_that_would_never_be_quiet" {
  command = plan

  module {
    source = "./modules/fargate"
  }

  variables {
    container        = { mapping_refresh_seconds = 600 }
    alarm_thresholds = { map_age_seconds = 900 }
  }

  expect_failures = [
    var.alarm_thresholds,
  ]
}
