locals {
  # The image runs on the CPU that it was built on.
  builder = {
    ARM64  = { type = "ARM_CONTAINER", image = "aws/codebuild/amazonlinux-aarch64-standard:3.0" }
    X86_64 = { type = "LINUX_CONTAINER", image = "aws/codebuild/amazonlinux-x86_64-standard:5.0" }
  }[var.deployment.cpu_architecture]
}

resource "aws_codebuild_project" "this" {
  #checkov:skip=CKV_AWS_316:Privileged, or Docker could not build the image; nothing but this repository's branch is built
  name           = var.name
  description    = "Tests and image of ${var.deployment.service_name}"
  service_role   = aws_iam_role.build.arn
  encryption_key = aws_kms_key.artifacts.arn
  build_timeout  = 45
  queued_timeout = 60

  source {
    type      = "CODEPIPELINE"
    buildspec = "fargate-app/deploy/buildspec.yml"
  }

  artifacts {
    type = "CODEPIPELINE"
  }

  environment {
    type            = local.builder.type
    image           = local.builder.image
    compute_type    = "BUILD_GENERAL1_LARGE" # link-time optimisation over the whole program: minutes, not half an hour
    privileged_mode = true

    # Names only. A build log and a project's settings are open to many, so no secret belongs here.
    environment_variable {
      name  = "REPOSITORY_URL"
      value = var.deployment.repository.url
    }

    environment_variable {
      name  = "TASK_FAMILY"
      value = var.deployment.family
    }
  }

  cache {
    type  = "LOCAL"
    modes = ["LOCAL_DOCKER_LAYER_CACHE"]
  }

  logs_config {
    cloudwatch_logs {
      group_name = aws_cloudwatch_log_group.build.name
    }
  }
}

resource "aws_cloudwatch_log_group" "build" {
  #checkov:skip=CKV_AWS_158:A build's output holds no secret; CloudWatch Logs encrypts it with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days
  name              = "/${var.name}/build"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "build" {
  name               = "${var.name}-build"
  description        = "Builds and pushes the image of ${var.deployment.service_name}"
  assume_role_policy = local.may_assume["codebuild"]
}

resource "aws_iam_role_policy" "build" {
  name = "build"
  role = aws_iam_role.build.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.use_artifacts, [
      {
        Sid      = "WriteLog"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.build.arn}:*" # the group's streams
      },
      {
        Sid      = "LogInToRegistry"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*" # the action knows no resource
      },
      {
        Sid    = "PushImage"
        Effect = "Allow"
        Action = [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:CompleteLayerUpload",
          "ecr:DescribeImages",
          "ecr:GetDownloadUrlForLayer",
          "ecr:InitiateLayerUpload",
          "ecr:PutImage",
          "ecr:UploadLayerPart",
        ]
        Resource = var.deployment.repository.arn
      },
      {
        Sid      = "ReadTaskDefinition"
        Effect   = "Allow"
        Action   = "ecs:DescribeTaskDefinition"
        Resource = "*" # the action knows no resource
      },
    ])
  })
}
