resource "aws_codedeploy_app" "this" {
  name             = var.name
  compute_platform = "ECS"
}

resource "aws_codedeploy_deployment_group" "this" {
  app_name               = aws_codedeploy_app.this.name
  deployment_group_name  = var.name
  deployment_config_name = var.release.traffic
  service_role_arn       = aws_iam_role.this.arn

  deployment_style {
    deployment_type   = "BLUE_GREEN"
    deployment_option = "WITH_TRAFFIC_CONTROL"
  }

  ecs_service {
    cluster_name = var.deployment.cluster_name
    service_name = var.deployment.service_name
  }

  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = [var.deployment.production_listener_arn]
      }

      test_traffic_route {
        listener_arns = [var.deployment.test_listener_arn]
      }

      dynamic "target_group" {
        for_each = var.deployment.target_group_names

        content {
          name = target_group.value
        }
      }
    }
  }

  blue_green_deployment_config {
    deployment_ready_option {
      action_on_timeout = "CONTINUE_DEPLOYMENT" # nobody has to press a button for a release to go on
    }

    terminate_blue_instances_on_deployment_success {
      action                           = "TERMINATE"
      termination_wait_time_in_minutes = var.release.keep_blue_minutes
    }
  }

  alarm_configuration {
    enabled = true
    alarms  = var.alarm_names
  }

  auto_rollback_configuration {
    enabled = true
    events  = ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"]
  }

  depends_on = [aws_iam_role_policy.this]
}

resource "aws_iam_role" "this" {
  name        = "${var.name}-deploy"
  description = "Moves ${var.deployment.service_name} from blue to green"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Assume"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "codedeploy.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# AWS's own AWSCodeDeployRoleForECS allows this on every service, listener, topic and function of the account.
resource "aws_iam_role_policy" "this" {
  #checkov:skip=CKV_AWS_355:A task set has no name before it is there; a condition bounds the cluster instead
  name = "deploy"
  role = aws_iam_role.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "MoveService"
        Effect   = "Allow"
        Action   = ["ecs:DescribeServices", "ecs:UpdateServicePrimaryTaskSet"]
        Resource = "arn:aws:ecs:${var.region}:${var.account_id}:service/${var.deployment.cluster_name}/${var.deployment.service_name}"
      },
      {
        Sid       = "StartAndStopTasks"
        Effect    = "Allow"
        Action    = ["ecs:CreateTaskSet", "ecs:DeleteTaskSet"]
        Resource  = "*" # a task set has no name before it is there; the cluster bounds it
        Condition = { ArnEquals = { "ecs:cluster" = "arn:aws:ecs:${var.region}:${var.account_id}:cluster/${var.deployment.cluster_name}" } }
      },
      {
        Sid    = "LookAround"
        Effect = "Allow"
        Action = [
          "cloudwatch:DescribeAlarms",
          "elasticloadbalancing:DescribeListeners",
          "elasticloadbalancing:DescribeRules",
          "elasticloadbalancing:DescribeTargetGroups",
        ]
        Resource = "*" # these actions know no resource
      },
      {
        Sid      = "TurnListeners"
        Effect   = "Allow"
        Action   = "elasticloadbalancing:ModifyListener"
        Resource = [var.deployment.production_listener_arn, var.deployment.test_listener_arn]
      },
      {
        Sid       = "PassTaskRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = var.deployment.role_arns
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}
