# The map is data, not configuration: it starts as `rules` and is then changed with `aws ssm put-parameter`, without
# Terraform, so the value is ignored from then on.
resource "aws_ssm_parameter" "this" {
  #checkov:skip=CKV2_AWS_34:The map holds the words that the API answers with: no secret, so no SecureString

  name        = "/${var.name}/mapping"
  description = "Replacement map: a JSON object, or {\"rules\": [...]}"
  type        = "String"
  tier        = "Intelligent-Tiering" # standard (free) up to 4 KB, advanced up to 8 KB
  value       = jsonencode(var.rules)

  lifecycle {
    ignore_changes = [value]
  }
}

# For maps beyond the parameter's 8 KB: one item per rule and one with the version.
resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:Encrypted with DynamoDB's AWS-managed KMS key; the map holds no secret

  name                        = "${var.name}-mapping"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = var.protected

  attribute {
    name = "pk"
    type = "S"
  }

  attribute {
    name = "sk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled = true
  }
}
