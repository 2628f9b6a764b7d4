locals {
  make_api_key = var.api_key.parameter_arn == null
  api_key_arn  = local.make_api_key ? aws_ssm_parameter.api_key[0].arn : var.api_key.parameter_arn
}

# Made in memory, handed to SSM by a write-only argument, fetched by ECS when a task starts: the key is in no plan, state,
# task definition, image or build.
ephemeral "aws_secretsmanager_random_password" "api_key" {
  count = local.make_api_key ? 1 : 0

  password_length     = 40
  exclude_punctuation = true # it travels in a header
}

resource "aws_ssm_parameter" "api_key" {
  #checkov:skip=CKV_AWS_337:Encrypted with SSM's own KMS key; who may read it is decided by the right to the parameter
  count = local.make_api_key ? 1 : 0

  name             = "/${var.name}/api-key"
  description      = "What clients send as x-api-key"
  type             = "SecureString"
  value_wo         = ephemeral.aws_secretsmanager_random_password.api_key[0].random_password
  value_wo_version = var.api_key.version # a new value is written only when this changes
}
