output "stage_arns" {
  description = "ARN of each stage: what the firewall is put before."
  value       = { for name, stage in aws_api_gateway_stage.this : name => stage.arn }
}

output "urls" {
  description = "Base URL of each stage."
  value = {
    for name, stage in aws_api_gateway_stage.this :
    name => var.domain == null ? stage.invoke_url : "https://${var.domain.host}/${name}"
  }
}

output "api_key_ids" {
  description = "Id of each stage's API key, if there are any. `aws apigateway get-api-key --include-value --api-key ID` shows its value."
  value       = { for name, key in aws_api_gateway_api_key.this : name => key.id }
}

output "snapshots" {
  description = "What each stage serves: the release, or the hash of the definition."
  value       = local.snapshots
}

output "deployment_ids" {
  description = "The deployment that each stage serves."
  value       = { for name, deployment in aws_api_gateway_deployment.this : name => deployment.id }
}
