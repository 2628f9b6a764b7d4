output "codedeploy" {
  description = "What creates deployments must know: application, deployment group, and how the traffic goes over."
  value = {
    application = { name = aws_codedeploy_app.this.name, arn = aws_codedeploy_app.this.arn }
    group       = { name = aws_codedeploy_deployment_group.this.deployment_group_name, arn = aws_codedeploy_deployment_group.this.arn }
    config_arn  = "arn:aws:codedeploy:${var.region}:${var.account_id}:deploymentconfig:${var.release.traffic}"
  }
}
