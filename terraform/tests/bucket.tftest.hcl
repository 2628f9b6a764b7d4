mock_provider "aws" {}

variables {
  name = "switchyard-test-things"
}

override_resource {
  target          = aws_s3_bucket.this
  override_during = plan
  values = {
    id  = "switchyard-test-things"
    arn = "arn:aws:s3:::switchyard-test-things"
  }
}

run "as_every_bucket_is" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Enabled" && !aws_s3_bucket.this.force_destroy
    error_message = "versioned, and not deleted with what is in it"
  }

  assert {
    condition     = one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    error_message = "encrypted with S3's own key when no other is given"
  }

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "nothing makes it public"
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : [statement.Sid, statement.Effect, statement.Resource, statement.Condition]] == [
      ["TlsOnly", "Deny", ["arn:aws:s3:::switchyard-test-things", "arn:aws:s3:::switchyard-test-things/*"], { Bool = { "aws:SecureTransport" = "false" } }]
    ]
    error_message = "plain HTTP is refused, and nobody is let in by the policy"
  }

  assert {
    condition     = length(aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration) == 0 && aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration[0].noncurrent_days == 30
    error_message = "objects stay; what was replaced goes after 30 days"
  }
}

run "written_by_a_service_and_expiring" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    disposable         = true
    expire_days        = 14
    keep_replaced_days = 1
    kms_key_arn        = "arn:aws:kms:eu-west-1:123456789012:key/1"
    writer             = { service = "logdelivery.elasticloadbalancing.amazonaws.com", prefix = "AWSLogs/123456789012/" }
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement[1] == {
      Sid       = "Write"
      Effect    = "Allow"
      Action    = "s3:PutObject"
      Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      Resource  = "arn:aws:s3:::switchyard-test-things/AWSLogs/123456789012/*"
    }
    error_message = "the service writes below its prefix, and may do nothing else"
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.this.rule[0].expiration[0].days == 14 && aws_s3_bucket.this.force_destroy
    error_message = "objects go at their age, and all of them with the bucket"
  }

  assert {
    condition = (
      one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms"
      && one(one(aws_s3_bucket_server_side_encryption_configuration.this.rule).apply_server_side_encryption_by_default).kms_master_key_id == "arn:aws:kms:eu-west-1:123456789012:key/1"
    )
    error_message = "encrypted with the key that was given"
  }
}

run "written_once_by_a_role" {
  command = plan

  module {
    source = "./modules/bucket"
  }

  variables {
    versioned   = false
    expire_days = 14
    grants      = [{ sid = "Capture", role_arn = "arn:aws:iam::123456789012:role/put", actions = ["s3:PutObject"], prefix = "captured/" }]
  }

  assert {
    condition     = one(aws_s3_bucket_versioning.this.versioning_configuration).status == "Disabled" && length(aws_s3_bucket_lifecycle_configuration.this.rule[0].noncurrent_version_expiration) == 0
    error_message = "without versions there are no replaced ones to expire"
  }

  assert {
    condition = jsondecode(aws_s3_bucket_policy.this.policy).Statement[1] == {
      Sid       = "Capture"
      Effect    = "Allow"
      Action    = ["s3:PutObject"]
      Principal = { AWS = "arn:aws:iam::123456789012:role/put" }
      Resource  = "arn:aws:s3:::switchyard-test-things/captured/*"
    }
    error_message = "the role may do what it was granted, below its prefix"
  }
}
