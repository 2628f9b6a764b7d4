# Its "failed" is also what a roll-back begins with.
resource "aws_codestarnotifications_notification_rule" "deployment" {
  name        = "${var.name}-deployment"
  detail_type = "FULL"
  resource    = aws_codedeploy_app.this.arn

  event_type_ids = [
    "codedeploy-application-deployment-started",
    "codedeploy-application-deployment-failed",
    "codedeploy-application-deployment-succeeded",
  ]

  target {
    address = var.topic_arn
  }
}

# The only event that Application Auto Scaling sends: from here on more load meets no more tasks.
resource "aws_cloudwatch_event_rule" "scaled_to_maximum" {
  name        = "${var.name}-scaled-to-maximum"
  description = "${var.deployment.service_name} has as many tasks as it may have"

  event_pattern = jsonencode({
    source      = ["aws.application-autoscaling"]
    detail-type = ["Application Auto Scaling Scaling Activity State Change"]
    detail      = { resourceId = [var.deployment.scalable_resource_id] }
  })
}

resource "aws_cloudwatch_event_target" "scaled_to_maximum" {
  rule = aws_cloudwatch_event_rule.scaled_to_maximum.name
  arn  = var.topic_arn

  input_transformer {
    input_paths = {
      from     = "$.detail.oldDesiredCapacity"
      to       = "$.detail.newDesiredCapacity"
      resource = "$.detail.resourceId"
    }

    # EventBridge wants a JSON string.
    input_template = "\"<resource> went from <from> to <to> tasks, the most that it may have.\""
  }
}

# Tasks that do not start or are not placed: nobody else tells.
resource "aws_cloudwatch_event_rule" "service" {
  name        = "${var.name}-service"
  description = "${var.deployment.service_name} cannot start or place its tasks"

  event_pattern = jsonencode({
    source      = ["aws.ecs"]
    detail-type = ["ECS Service Action"]
    resources   = ["arn:aws:ecs:${var.region}:${var.account_id}:service/${var.deployment.cluster_name}/${var.deployment.service_name}"]
    detail      = { eventType = ["WARN", "ERROR"] }
  })
}

resource "aws_cloudwatch_event_target" "service" {
  rule = aws_cloudwatch_event_rule.service.name
  arn  = var.topic_arn

  input_transformer {
    input_paths = {
      event = "$.detail.eventName"
      at    = "$.time"
    }

    input_template = "\"${var.deployment.service_name}: <event> at <at>. The service's events in the ECS console say more.\""
  }
}
