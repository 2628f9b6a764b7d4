# The role by which API Gateway writes logs: a setting of the whole account and region, so only on request.
resource "aws_api_gateway_account" "this" {
  count = var.api_gateway.manage_account ? 1 : 0

  cloudwatch_role_arn = aws_iam_role.api_gateway_logs[0].arn

  # Otherwise the account keeps naming a role that is gone, and whatever stage is made next cannot log. Version 6 of the
  # provider always resets it and has no such argument: hence the warning that this one gives.
  reset_on_delete = true

  # AWS tries the role when it is set.
  depends_on = [aws_iam_role_policy_attachment.api_gateway_logs]
}

resource "aws_iam_role" "api_gateway_logs" {
  count = var.api_gateway.manage_account ? 1 : 0

  name        = "${local.name}-api-gateway-logs"
  description = "By which API Gateway writes logs in ${var.region}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "apigateway.amazonaws.com" }
    }]
  })
}

# AWS checks that the role allows exactly this when the account is set to use it: its own managed policy does.
resource "aws_iam_role_policy_attachment" "api_gateway_logs" {
  count = var.api_gateway.manage_account ? 1 : 0

  role       = aws_iam_role.api_gateway_logs[0].name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}
