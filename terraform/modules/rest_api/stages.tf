locals {
  stages_with_keys = { for name, stage in var.stages : name => stage if var.api_keys }
}

resource "aws_api_gateway_stage" "this" {
  #checkov:skip=CKV_AWS_120:Every answer depends on the request's body, so there is nothing to cache
  #checkov:skip=CKV2_AWS_29:The root associates the firewall, which the stages share with the load balancer
  #checkov:skip=CKV2_AWS_51:Clients are known by API key, not by certificate

  for_each = var.stages

  rest_api_id           = aws_api_gateway_rest_api.this.id
  deployment_id         = local.released[each.key] == null ? aws_api_gateway_deployment.this[each.key].id : local.released[each.key]
  documentation_version = local.released[each.key] == null ? aws_api_gateway_documentation_version.this[each.key].version : "release-${each.value.release}"
  stage_name            = each.key
  description           = local.released[each.key] == null && startswith(local.snapshots[each.key], "definition-") ? "Every change at once" : "Release ${each.value.release}"
  variables             = each.value.variables
  xray_tracing_enabled  = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access[each.key].arn
    format          = local.access_log_format
  }

  depends_on = [aws_cloudwatch_log_group.execution]
}

resource "aws_api_gateway_method_settings" "this" {
  #checkov:skip=CKV_AWS_225:Every answer depends on the request's body, so there is nothing to cache

  for_each = var.stages

  rest_api_id = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this[each.key].stage_name
  method_path = "*/*"

  settings {
    metrics_enabled        = true
    logging_level          = "ERROR" # INFO writes several lines a request; the access log has one
    data_trace_enabled     = false   # would write bodies and headers, keys among them
    throttling_rate_limit  = each.value.rate_limit
    throttling_burst_limit = each.value.burst_limit
  }
}

# The value of an API key is always in the state: keep the state encrypted and closed (docs of the root).
resource "aws_api_gateway_api_key" "this" {
  for_each = local.stages_with_keys

  name        = "${var.name}-${each.key}"
  description = "Calls the stage ${each.key} of ${var.name}"
}

resource "aws_api_gateway_usage_plan" "this" {
  for_each = local.stages_with_keys

  name        = "${var.name}-${each.key}"
  description = "The stage ${each.key} of ${var.name}"

  api_stages {
    api_id = aws_api_gateway_rest_api.this.id
    stage  = aws_api_gateway_stage.this[each.key].stage_name
  }

  throttle_settings {
    rate_limit  = each.value.rate_limit
    burst_limit = each.value.burst_limit
  }

  dynamic "quota_settings" {
    for_each = each.value.quota_per_day[*]

    content {
      limit  = quota_settings.value
      period = "DAY"
    }
  }
}

resource "aws_api_gateway_usage_plan_key" "this" {
  for_each = local.stages_with_keys

  key_id        = aws_api_gateway_api_key.this[each.key].id
  key_type      = "API_KEY"
  usage_plan_id = aws_api_gateway_usage_plan.this[each.key].id
}
