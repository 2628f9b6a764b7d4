output "name" {
  description = "First part of every resource's name."
  value       = local.name
}

output "lambda_urls" {
  description = "Base URL of each stage of the API in front of Lambda."
  value       = merge(module.rest_api[*].urls...)
}

output "lambda_api_key_ids" {
  description = "Id of the API key of each stage. `aws apigateway get-api-key --include-value --api-key ID` shows its value."
  value       = merge(module.rest_api[*].api_key_ids...)
}

output "lambda_snapshots" {
  description = "What each stage serves: a release, or the hash of the definition."
  value       = merge(module.rest_api[*].snapshots...)
}

output "functions" {
  description = "Name of each Lambda function in AWS, and the version that each alias serves."
  value       = { for name, function in module.function : name => { name = function.name, aliases = function.aliases } }
}

output "mapping" {
  description = "Where the replacement map is kept."
  value       = { parameter = module.mapping.parameter_name, table = module.mapping.table_name }
}

output "dashboard_url" {
  description = "Where requests, latency, errors and cost drivers are seen."
  value       = module.dashboard.url
}

output "topic_arn" {
  description = "Where alarms and events are published."
  value       = module.notifications.topic_arn
}
