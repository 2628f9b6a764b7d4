mock_provider "aws" {}

variables {
  name       = "switchyard-test"
  region     = "eu-west-1"
  account_id = "123456789012"
  topic_arn  = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
  repository = {
    full_name      = "example/switchyard"
    connection_arn = "arn:aws:codeconnections:eu-west-1:123456789012:connection/1"
  }
  deployment = {
    service_name     = "switchyard-test"
    family           = "switchyard-test"
    cpu_architecture = "ARM64"
    role_arns        = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
    repository       = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/switchyard-test", url = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/switchyard-test" }
  }
  blue_green = {
    application = { name = "switchyard-test", arn = "arn:aws:codedeploy:eu-west-1:123456789012:application:switchyard-test" }
    group       = { name = "switchyard-test", arn = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentgroup:switchyard-test/switchyard-test" }
    config_arn  = "arn:aws:codedeploy:eu-west-1:123456789012:deploymentconfig:CodeDeployDefault.ECSAllAtOnce"
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
      service_name     = "s"
      family           = "f"
      cpu_architecture = "X86_64"
      role_arns        = ["arn:aws:iam::123456789012:role/task"]
      repository       = { arn = "arn:aws:ecr:eu-west-1:123456789012:repository/r", url = "r" }
    }
  }

  assert {
    condition     = one(aws_codebuild_project.this.environment).type == "LINUX_CONTAINER" && strcontains(one(aws_codebuild_project.this.environment).image, "x86_64")
    error_message = "an image for x86 is built on x86"
  }
}

run "roles" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = alltrue([for role in [aws_iam_role.pipeline, aws_iam_role.build] : jsondecode(role.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"])
    error_message = "no other account's services may have the roles"
  }

  assert {
    condition = alltrue([for policy in [aws_iam_role_policy.pipeline.policy] :
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
    condition     = one([for statement in jsondecode(aws_iam_role_policy.pipeline.policy).Statement : statement.Resource if statement.Sid == "Deploy"]) == [var.blue_green.application.arn, var.blue_green.group.arn, var.blue_green.config_arn]
    error_message = "the pipeline deploys to this service only"
  }
}

run "notifications" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  assert {
    condition     = one(aws_codestarnotifications_notification_rule.pipeline.target).address == var.topic_arn && contains(aws_codestarnotifications_notification_rule.pipeline.event_type_ids, "codepipeline-pipeline-pipeline-execution-failed")
    error_message = "failed runs are told"
  }
}

run "bad_input" {
  command = plan

  module {
    source = "./modules/pipeline"
  }

  variables {
    repository = { full_name = "https://github.com/example/switchyard", connection_arn = "arn:aws:iam::123456789012:role/x" }
  }

  expect_failures = [
    var.repository,
  ]
}
