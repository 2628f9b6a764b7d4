# A bucket as every one here is: private, encrypted, TLS only, and versioned unless its objects are written once and expire.
resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Written and read by AWS services only; CloudTrail has both
  #checkov:skip=CKV_AWS_21:Versioned unless the caller says that its objects are written once and expire
  #checkov:skip=CKV_AWS_144:What it holds can be made again or is of no use elsewhere, so another region needs no copy
  #checkov:skip=CKV_AWS_145:The caller says which key: load balancers can write with S3's own only
  #checkov:skip=CKV2_AWS_62:Nothing waits for a new object
  bucket        = var.name
  force_destroy = var.disposable
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = var.versioned ? "Enabled" : "Disabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.kms_key_arn != null # a call to KMS for the bucket, not for each object

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {
      prefix = ""
    }

    dynamic "expiration" {
      for_each = var.expire_days[*]

      content {
        days = expiration.value
      }
    }

    dynamic "noncurrent_version_expiration" {
      for_each = var.versioned ? [var.keep_replaced_days] : []

      content {
        noncurrent_days = noncurrent_version_expiration.value
      }
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid       = "TlsOnly"
        Effect    = "Deny"
        Action    = "s3:*"
        Principal = "*"
        Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }],
      [for writer in var.writer[*] : {
        Sid       = "Write"
        Effect    = "Allow"
        Action    = "s3:PutObject"
        Principal = { Service = writer.service }
        Resource  = "${aws_s3_bucket.this.arn}/${writer.prefix}*"
      }],
      [for grant in var.grants : {
        Sid       = grant.sid
        Effect    = "Allow"
        Action    = grant.actions
        Principal = { AWS = grant.role_arn }
        Resource  = "${aws_s3_bucket.this.arn}/${grant.prefix}*"
      }],
    )
  })

  depends_on = [aws_s3_bucket_public_access_block.this]
}
