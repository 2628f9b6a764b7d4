# Where tokens are kept.
mock_provider "aws" {
  mock_resource "aws_dynamodb_table" {
    defaults = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/switchyard-test-tokens" }
  }
}

variables {
  name = "switchyard-test-tokens"
}

run "as_it_is" {
  module {
    source = "./modules/tokens"
  }

  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.billing_mode == "PAY_PER_REQUEST"
    error_message = "a token must be found by its key alone"
  }

  assert {
    condition     = one(aws_dynamodb_table.this.server_side_encryption).enabled && one(aws_dynamodb_table.this.point_in_time_recovery).enabled && !aws_dynamodb_table.this.deletion_protection_enabled
    error_message = "the table must be encrypted, and what was deleted by mistake must come back"
  }

  assert {
    condition     = [for statement in output.reader.statements : "${join(" ", statement.actions)} on ${join(" ", statement.resources)}"] == ["dynamodb:GetItem on arn:aws:dynamodb:eu-west-1:123456789012:table/switchyard-test-tokens"]
    error_message = "an authorizer may look a token up, and cannot list or change any"
  }
}

run "in_production_with_a_key_of_the_owner" {
  module {
    source = "./modules/tokens"
  }

  variables {
    protected   = true
    kms_key_arn = "arn:aws:kms:eu-west-1:123456789012:key/k"
  }

  assert {
    condition     = aws_dynamodb_table.this.deletion_protection_enabled && one(aws_dynamodb_table.this.server_side_encryption).kms_key_arn == var.kms_key_arn
    error_message = "the table must refuse to be destroyed, and be encrypted with the key"
  }

  assert {
    condition     = one([for statement in output.reader.statements : statement.resources if statement.sid == "UseKey"]) == [var.kms_key_arn]
    error_message = "an authorizer must be able to decrypt"
  }
}
