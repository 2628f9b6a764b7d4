output "pipeline_name" {
  description = "`aws codepipeline start-pipeline-execution --name NAME` releases what the branch holds."
  value       = aws_codepipeline.this.name
}

output "connection" {
  description = "The connection to GitHub, and what is left to be done by hand: nobody but a person may confirm it."
  value = {
    arn = local.connection_arn
    notice = var.repository.connection_arn != null ? "given: it must be AVAILABLE" : join(" ", [
      "PENDING until somebody with access to ${var.repository.full_name} confirms it, once:",
      "https://${var.region}.console.aws.amazon.com/codesuite/settings/connections. Until then the pipeline fails at its source.",
    ])
  }
}

output "widgets" {
  description = "What releasing costs: builds are paid by the minute."
  value = [{
    row    = "cost"
    title  = "Pipeline: build time"
    period = 3600
    metrics = [{
      namespace = "AWS/CodeBuild", metric_name = "Duration", dimensions = { ProjectName = aws_codebuild_project.this.name }, statistic = "Sum", label = "seconds"
    }]
  }]
}

output "alarms" {
  description = "None: a failed run, a deployment that turned back and a service that cannot start are told at once, by notification."
  value       = {}
}
