locals {
  # ECS only, and only on behalf of this account.
  tasks_may_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Tasks"
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = var.account_id }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:${var.region}:${var.account_id}:*" }
      }
    }]
  })
}

# What ECS may do to start a task: write its log. The image is public.
resource "aws_iam_role" "execution" {
  name               = "${local.full_name}-execution"
  description        = "Starts the tasks of ${local.full_name}"
  assume_role_policy = local.tasks_may_assume
}

resource "aws_iam_role_policy" "execution" {
  name = "start"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.this.arn}:*" # the group's streams
    }]
  })
}

# nginx calls nothing of AWS: its role may do nothing.
resource "aws_iam_role" "task" {
  name               = "${local.full_name}-task"
  description        = "May do nothing"
  assume_role_policy = local.tasks_may_assume
}
