locals {
  connection_arn = coalesce(var.repository.connection_arn, one(aws_codeconnections_connection.this[*].arn))
}

resource "aws_codeconnections_connection" "this" {
  count = var.repository.connection_arn == null ? 1 : 0

  name          = substr(var.name, 0, 32) # AWS's limit
  provider_type = "GitHub"
}

# GitHub → CodeBuild: tests, image, and what describes the release → CodeDeploy: blue to green.
resource "aws_codepipeline" "this" {
  name           = var.name
  role_arn       = aws_iam_role.pipeline.arn
  pipeline_type  = "V2"
  execution_mode = "QUEUED" # one release after the other, and none left out

  artifact_store {
    type     = "S3"
    location = module.artifacts.name

    encryption_key {
      type = "KMS"
      id   = aws_kms_key.artifacts.arn
    }
  }

  stage {
    name = "Source"

    action {
      name             = "GitHub"
      category         = "Source"
      owner            = "AWS"
      provider         = "CodeStarSourceConnection"
      version          = "1"
      output_artifacts = ["source"]

      configuration = {
        ConnectionArn    = local.connection_arn
        FullRepositoryId = var.repository.full_name
        BranchName       = var.repository.branch
        DetectChanges    = "true"
      }
    }
  }

  stage {
    name = "Build"

    action {
      name             = "Image"
      category         = "Build"
      owner            = "AWS"
      provider         = "CodeBuild"
      version          = "1"
      input_artifacts  = ["source"]
      output_artifacts = ["release"]

      configuration = {
        ProjectName = aws_codebuild_project.this.name
      }
    }
  }

  stage {
    name = "Deploy"

    action {
      name            = "BlueGreen"
      category        = "Deploy"
      owner           = "AWS"
      provider        = "CodeDeployToECS"
      version         = "1"
      input_artifacts = ["release"]

      # The image of imageDetail.json goes where taskdef.json says <IMAGE1_NAME>; the revision that this makes goes where
      # appspec.yaml says <TASK_DEFINITION>.
      configuration = {
        ApplicationName                = var.blue_green.application.name
        DeploymentGroupName            = var.blue_green.group.name
        TaskDefinitionTemplateArtifact = "release"
        TaskDefinitionTemplatePath     = "taskdef.json"
        AppSpecTemplateArtifact        = "release"
        AppSpecTemplatePath            = "appspec.yaml"
        Image1ArtifactName             = "release"
        Image1ContainerName            = "IMAGE1_NAME"
      }
    }
  }

  # Its first run starts with its creation.
  depends_on = [aws_iam_role_policy.pipeline]
}

resource "aws_iam_role" "pipeline" {
  name               = "${var.name}-pipeline"
  description        = "Runs the pipeline ${var.name}"
  assume_role_policy = local.may_assume["codepipeline"]
}

resource "aws_iam_role_policy" "pipeline" {
  name = "run"
  role = aws_iam_role.pipeline.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(local.use_artifacts, [
      {
        Sid    = "ReadSource"
        Effect = "Allow"
        # Connections have had two names; either may stand in an ARN.
        Action   = ["codeconnections:UseConnection", "codestar-connections:UseConnection"]
        Resource = local.connection_arn
      },
      {
        Sid      = "Build"
        Effect   = "Allow"
        Action   = ["codebuild:BatchGetBuilds", "codebuild:StartBuild"]
        Resource = aws_codebuild_project.this.arn
      },
      {
        Sid    = "Deploy"
        Effect = "Allow"
        Action = [
          "codedeploy:CreateDeployment",
          "codedeploy:GetApplication",
          "codedeploy:GetApplicationRevision",
          "codedeploy:GetDeployment",
          "codedeploy:GetDeploymentConfig",
          "codedeploy:RegisterApplicationRevision",
        ]
        Resource = [var.blue_green.application.arn, var.blue_green.group.arn, var.blue_green.config_arn]
      },
      {
        Sid      = "RegisterTaskDefinition"
        Effect   = "Allow"
        Action   = "ecs:RegisterTaskDefinition"
        Resource = "*" # the action knows no resource; what it can start is bounded by PassTaskRoles
      },
      {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.deployment.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ])
  })
}
