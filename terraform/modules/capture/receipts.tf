# How far each body has come: crates/aws/src/receipts.rs has the layout. Each write is conditional, which is what makes the
# second delivery of a message harmless.
resource "aws_dynamodb_table" "receipts" {
  #checkov:skip=CKV_AWS_119:The caller says which key; DynamoDB's AWS-managed key otherwise
  name         = "${var.name}-receipts"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"

  attribute {
    name = "id"
    type = "S"
  }

  ttl {
    enabled        = true
    attribute_name = "expires_at"
  }

  # A receipt that is lost lets a second delivery be processed again.
  point_in_time_recovery {
    enabled = true
  }

  server_side_encryption {
    enabled     = true
    kms_key_arn = var.kms_key_arn
  }
}

locals {
  environment = { PUBLISH_BUCKET = module.bucket.name, RECEIPT_TABLE = aws_dynamodb_table.receipts.name }
}
