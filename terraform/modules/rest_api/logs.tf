locals {
  # One JSON line a request. API Gateway puts values in as they are, and `-` where there is none: so each stands in quotation
  # marks, and nothing that a client words freely (its user agent) is among them, since it could break or forge a line.
  access_log_format = jsonencode({
    requestId         = "$context.requestId"
    extendedRequestId = "$context.extendedRequestId"
    traceId           = "$context.xrayTraceId"
    time              = "$context.requestTime"
    stage             = "$context.stage"
    method            = "$context.httpMethod"
    path              = "$context.path"
    resource          = "$context.resourcePath"
    status            = "$context.status"
    responseBytes     = "$context.responseLength"
    latencyMs         = "$context.responseLatency"
    integrationMs     = "$context.integrationLatency"
    integrationStatus = "$context.integrationStatus"
    integrationError  = "$context.integrationErrorMessage"
    errorType         = "$context.error.responseType"
    errorMessage      = "$context.error.message"
    wafResponseCode   = "$context.wafResponseCode"
    sourceIp          = "$context.identity.sourceIp"
    apiKeyId          = "$context.identity.apiKeyId"
  })
}

resource "aws_cloudwatch_log_group" "access" {
  #checkov:skip=CKV_AWS_158:Lines hold no body, key or token; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days

  for_each = var.stages

  name              = "/aws/apigateway/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
}

# API Gateway would make this one itself, under this name, and keep it for ever.
resource "aws_cloudwatch_log_group" "execution" {
  #checkov:skip=CKV_AWS_158:Lines hold no body, key or token; CloudWatch Logs encrypts them with its own key
  #checkov:skip=CKV_AWS_338:The retention is the owner's choice, log_retention_days

  for_each = var.stages

  name              = "API-Gateway-Execution-Logs_${aws_api_gateway_rest_api.this.id}/${each.key}"
  retention_in_days = var.log_retention_days
}
