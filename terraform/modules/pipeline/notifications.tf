resource "aws_codestarnotifications_notification_rule" "pipeline" {
  name        = "${var.name}-pipeline"
  detail_type = "FULL"
  resource    = aws_codepipeline.this.arn

  event_type_ids = [
    "codepipeline-pipeline-pipeline-execution-failed",
    "codepipeline-pipeline-pipeline-execution-canceled",
    "codepipeline-pipeline-pipeline-execution-succeeded",
  ]

  target {
    address = var.topic_arn
  }
}
