locals {
  # One entry per function and alias, made from the same map as the aliases.
  callable = merge([
    for key, function in var.functions : {
      for alias in keys(function.aliases) : "${key}-${alias}" => { function = function.name, alias = alias }
    }
  ]...)
}

# A Lambda authorizer is called for all stages: its permission names the API's authorizers, and the alias that the definition
# names.
resource "aws_lambda_permission" "authorizer" {
  count = var.authorizer == null ? 0 : 1

  statement_id  = "AllowAuthorizer-${var.authorizer.alias}"
  action        = "lambda:InvokeFunction"
  function_name = var.authorizer.name
  qualifier     = var.authorizer.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/authorizers/*"
}

# A stage variable in an integration's URI means that API Gateway cannot be granted the function once: each alias needs a
# permission of its own. It names the one stage that may use it, so that the stage test can never call what serves prod.
resource "aws_lambda_permission" "stage" {
  for_each = local.callable

  statement_id  = "AllowStage-${each.value.alias}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function
  qualifier     = each.value.alias
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_api_gateway_rest_api.this.execution_arn}/${each.value.alias}/*/*"
}
