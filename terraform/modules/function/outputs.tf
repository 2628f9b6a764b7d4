output "name" {
  description = "The function's name."
  value       = aws_lambda_function.this.function_name
}

output "role_arn" {
  description = "The function's role, for policies of what it uses."
  value       = aws_iam_role.this.arn
}

output "integration" {
  description = "What the API's definition needs in order to call the function: the URI with the alias left to the stage, and the time-out."
  value = {
    uri                  = replace(aws_lambda_function.this.invoke_arn, "/invocations", ":$${stageVariables.alias}/invocations")
    timeout_milliseconds = var.integration.timeout_milliseconds
  }
}

output "aliases" {
  description = "The version that each alias serves."
  value       = { for name, alias in aws_lambda_alias.this : name => alias.function_version }
}
