mock_provider "aws" {}

variables {
  name        = "switchyard-test"
  region      = "eu-west-1"
  account_id  = "123456789012"
  topic_arn   = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
  alarm_names = ["switchyard-test-server-errors", "switchyard-test-latency"]
  repository = {
    full_name      = "example/switchyard"
    connection_arn = "arn:aws:codeconnections:eu-west-1:123456789012:connection/1"
  }
  deployment = {
    cluster_name            = "switchyard-test"
    service_name            = "switchyard-test"
    family                  = "switchyard-test"
    cpu_architecture        = "ARM64"
    role_arns               = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
    repository              = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/switchyard-test", url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard-test" }
    production_listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/1"
    test_listener_arn       = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/2"
    target_group_names      = ["switchyard-test-blue", "switchyard-test-green"]
    scalable_resource_id    = "service/switchyard-test/switchyard-test"
  }
}

override_module {
  target          = module.artifacts
  override_during = plan
  outputs = {
    name = "switchyard-test-artifacts"
    arn  = "arn:aws:s3:::switchyard-test-artifacts"
  }
}

override_resource {
  target          = aws_kms_key.artifacts
  override_during = plan
  values          = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }
}

override_resource {
  target          = aws_codebuild_project.this
  override_during = plan
  values          = { arn = "arn:aws:codebuild:eu-west-1:123456789012:project/switchyard-test" }
}

override_resource {
  target          = aws_codedeploy_app.this
  override_during = plan
  values          = { arn = "arn:aws:codedeploy:eu-west-1:123456789012:application:switchyard-test" }
}

override_resource {
  target          = aws_codedeploy_deployment_group.this
  override_during = plan
  values          = { arn = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:switchyard-test/switchyard-test" }
}

override_resource {
  target          = aws_cloudwatch_log_group.build
  override_during = plan
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/switchyard-test/build" }
}

run "stages" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = [for stage in aws_codepipeline.this.stage : "${stage.name}: ${stage.action[0].provider}"] == ["Source: CodeStarSourceConnection", "Build: CodeBuild", "Deploy: CodeDeployToECS"]
    error_message = "GitHub, then the build, then blue to green"
  }

  assert {
    condition = (
      aws_codepipeline.this.stage[0].action[0].configuration.FullRepositoryId == "example/switchyard"
      && aws_codepipeline.this.stage[0].action[0].configuration.BranchName == "main"
      && aws_codepipeline.this.stage[0].action[0].configuration.ConnectionArn == "arn:aws:codeconnections:eu-west-1:123456789012:connection/1"
    )
    error_message = "every push to main is released, through the connection that was given"
  }

  assert {
    condition     = aws_codepipeline.this.stage[2].action[0].configuration.Image1ContainerName == "IMAGE1_NAME" && aws_codepipeline.this.stage[2].action[0].input_artifacts[0] == aws_codepipeline.this.stage[1].action[0].output_artifacts[0]
    error_message = "what the build made is deployed, its image put where the placeholder stands"
  }

  assert {
    condition     = length(aws_codeconnections_connection.this) == 0 && output.connection.notice == "given: it must be AVAILABLE"
    error_message = "a connection that exists is used"
  }

  assert {
    condition     = one(aws_codepipeline.this.artifact_store).encryption_key[0].id == "arn:aws:kms:eu-west-1:123456789012:key/1" && aws_codebuild_project.this.encryption_key == "arn:aws:kms:eu-west-1:123456789012:key/1" && aws_kms_key.artifacts.enable_key_rotation
    error_message = "artifacts are encrypted with a key of their own"
  }
}

run "a_connection_is_made_when_none_is_given" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    repository = { full_name = "example/switchyard", branch = "release" }
  }

  assert {
    condition     = aws_codeconnections_connection.this[0].provider_type == "GitHub" && strcontains(output.connection.notice, "PENDING until somebody with access to example/switchyard confirms it")
    error_message = "the output says what is left to be done by hand"
  }
}

run "build" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = one(aws_codebuild_project.this.environment).type == "ARM_CONTAINER" && strcontains(one(aws_codebuild_project.this.environment).image, "aarch64")
    error_message = "an image for ARM is built on ARM"
  }

  assert {
    condition     = one(aws_codebuild_project.this.source).buildspec == "fargate-app/deploy/buildspec.yml"
    error_message = "the buildspec is the repository's"
  }

  assert {
    condition = { for variable in one(aws_codebuild_project.this.environment).environment_variable : variable.name => variable.value } == {
      REPOSITORY_URL = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard-test"
      TASK_FAMILY    = "switchyard-test"
    }
    error_message = "the build is told names, and no secret"
  }
}

run "build_for_x86" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    deployment = {
      cluster_name            = "c"
      service_name            = "s"
      family                  = "f"
      cpu_architecture        = "X86_64"
      role_arns               = ["arn:aws:iam::123456789012:role/task"]
      repository              = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/r", url = "r" }
      production_listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/x/1/1"
      test_listener_arn       = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/x/1/2"
      target_group_names      = ["b", "g"]
      scalable_resource_id    = "service/c/s"
    }
  }

  assert {
    condition     = one(aws_codebuild_project.this.environment).type == "LINUX_CONTAINER" && strcontains(one(aws_codebuild_project.this.environment).image, "x86_64")
    error_message = "an image for x86 is built on x86"
  }
}

run "blue_to_green" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition = (
      one(aws_codedeploy_deployment_group.this.deployment_style).deployment_type == "BLUE_GREEN"
      && one(aws_codedeploy_deployment_group.this.deployment_style).deployment_option == "WITH_TRAFFIC_CONTROL"
      && aws_codedeploy_deployment_group.this.deployment_config_name == "CodeDeployDefault.ECSCanary10Percent5Minutes"
      && aws_codedeploy_app.this.compute_platform == "ECS"
    )
    error_message = "a tenth of the traffic goes first"
  }

  assert {
    condition = (
      one(one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).prod_traffic_route).listener_arns == toset(["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/1"])
      && one(one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).test_traffic_route).listener_arns == toset(["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/2"])
      && [for group in one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).target_group : group.name] == ["switchyard-test-blue", "switchyard-test-green"]
    )
    error_message = "both listeners go between both target groups"
  }

  assert {
    condition     = one(aws_codedeploy_deployment_group.this.alarm_configuration).enabled && one(aws_codedeploy_deployment_group.this.alarm_configuration).alarms == toset(["switchyard-test-server-errors", "switchyard-test-latency"])
    error_message = "the alarms stop a release"
  }

  assert {
    condition     = one(aws_codedeploy_deployment_group.this.auto_rollback_configuration).enabled && one(aws_codedeploy_deployment_group.this.auto_rollback_configuration).events == toset(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"])
    error_message = "a release that failed or was stopped turns back"
  }

  assert {
    condition     = one(one(aws_codedeploy_deployment_group.this.blue_green_deployment_config).terminate_blue_instances_on_deployment_success).termination_wait_time_in_minutes == 10
    error_message = "the old tasks stay for a while to turn back to"
  }
}

run "roles" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = alltrue([for role in [aws_iam_role.pipeline, aws_iam_role.build, aws_iam_role.deploy] : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "no other account's services may have the roles"
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.pipeline.policy, aws_iam_role_policy.deploy.policy] :
      one([for statement in jsondecode(policy).Statement : statement if statement.Action == "iam:PassRole"]) == {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      }
    ])
    error_message = "the tasks' roles are passed to tasks, and no other role to anything"
  }

  assert {
    condition     = [for statement in jsondecode(aws_iam_role_policy.build.policy).Statement : statement.Sid if statement.Resource == "*"] == ["LogInToRegistry", "ReadTaskDefinition"]
    error_message = "the build reaches one repository, one log and the artifacts"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.deploy.policy).Statement : statement.Resource if statement.Sid == "TurnListeners"]) == [var.deployment.production_listener_arn, var.deployment.test_listener_arn]
    error_message = "CodeDeploy turns this service's listeners only"
  }
}

run "notifications" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition = alltrue([for rule in [aws_codestarnotifications_notification_rule.pipeline, aws_codestarnotifications_notification_rule.deployment] :
      one(rule.target).address == "arn:aws:sns:eu-west-1:123456789012:switchyard-test" && length([for event in rule.event_type_ids : event if endswith(event, "-failed")]) == 1
    ])
    error_message = "failed runs and failed deployments are told"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.scaled_to_maximum.event_pattern).detail.resourceId == ["service/switchyard-test/switchyard-test"]
    error_message = "scaling to the maximum is told, of this service only"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.service.event_pattern).resources == ["arn:aws:ecs:eu-west-1:123456789012:service/switchyard-test/switchyard-test"]
    error_message = "trouble with starting tasks is told, of this service only"
  }

  assert {
    condition = alltrue([for target in [aws_cloudwatch_event_target.scaled_to_maximum, aws_cloudwatch_event_target.service] :
      target.arn == var.topic_arn && can(jsondecode(target.input_transformer[0].input_template))
    ])
    error_message = "EventBridge tells the topic, in a JSON string"
  }
}

run "bad_input" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    repository  = { full_name = "https://github.com/example/switchyard", connection_arn = "arn:aws:iam::123456789012:role/x" }
    release     = { traffic = "AllAtOnce", keep_blue_minutes = 3000 }
    alarm_names = []
  }

  expect_failures = [
    var.repository,
    var.release,
    var.alarm_names,
  ]
}
