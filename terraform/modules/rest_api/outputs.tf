output "id" {
  description = "The API's id."
  value       = aws_api_gateway_rest_api.this.id
}

output "name" {
  description = "The API's name."
  value       = aws_api_gateway_rest_api.this.name
}

output "stage_arns" {
  description = "ARN of each stage: what the firewall is put before."
  value       = { for name, stage in aws_api_gateway_stage.this : name => stage.arn }
}

output "urls" {
  description = "Base URL of each stage."
  value = {
    for name, stage in aws_api_gateway_stage.this :
    name => contains(keys(var.stage_domains), name) ? "https://${var.stage_domains[name].host}" : var.domain == null ? stage.invoke_url : "https://${var.domain.host}/${name}"
  }
}

output "api_key_ids" {
  description = "Id of each stage's API key, if there are any. `aws apigateway get-api-key --include-value --api-key ID` shows its value."
  value       = { for name, key in aws_api_gateway_api_key.this : name => key.id }
}

output "snapshots" {
  description = "What each stage serves: the release, or the hash of the definition."
  value       = { for name, stage in var.stages : name => local.released[name] == null ? local.snapshots[name] : "release-${stage.release}" }
}

output "deployment_ids" {
  description = "The deployment that each stage serves."
  value       = { for name, stage in aws_api_gateway_stage.this : name => stage.deployment_id }
}
