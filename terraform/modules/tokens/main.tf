# One item for each token, by its hash, and one for each name: crates/aws/src/tokens.rs has the layout, `scripts/main.py token`
# writes it. Tokens are not Terraform's, so that none is ever in a state.
resource "aws_dynamodb_table" "this" {
  #checkov:skip=CKV_AWS_119:The caller says which key; DynamoDB's AWS-managed key otherwise. Tokens are kept as hashes
  name                        = var.name
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  deletion_protection_enabled = var.protected

  attribute {
    name = "pk"
    type = "S"
  }

  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}
