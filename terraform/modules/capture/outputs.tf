output "put_role_arn" {
  description = "Role by which API Gateway puts bodies."
  value       = aws_iam_role.put.arn

  # Neither a refused body nor one of which no message tells may be possible.
  depends_on = [aws_iam_role_policy.put, aws_s3_bucket_notification.captured]
}

output "bucket" {
  description = "The bucket: name, ARN, and the prefixes of bodies and results."
  value       = { name = module.bucket.name, arn = module.bucket.arn, prefixes = local.prefixes }
}

output "queue" {
  description = "The queue of what is to be processed."
  value       = { url = aws_sqs_queue.this.id, arn = aws_sqs_queue.this.arn }
}

output "error_queue" {
  description = "The queue of what could not be processed."
  value       = { url = aws_sqs_queue.errors.id, arn = aws_sqs_queue.errors.arn }
}

output "receipt_table" {
  description = "The table of receipts."
  value       = aws_dynamodb_table.receipts.name
}

# A missing object is 404 only for who may list the bucket; for others it is 403, like what is forbidden.
output "users" {
  description = "What each kind of user of the bodies needs: its environment, and what its role must be allowed. `reader` says how far a body has come and links to results; `processor` takes bodies to results."
  value = {
    reader = {
      environment = local.environment
      statements = concat(
        [
          { sid = "FindBodies", actions = ["s3:ListBucket"], resources = [module.bucket.arn] },
          { sid = "ReadBodies", actions = ["s3:GetObject"], resources = ["${module.bucket.arn}/*"] },
          { sid = "ReadReceipts", actions = ["dynamodb:GetItem"], resources = [aws_dynamodb_table.receipts.arn] },
        ],
        [for key in var.kms_key_arn[*] : { sid = "UseKey", actions = ["kms:Decrypt"], resources = [key] }],
      )
    }
    processor = {
      environment = merge(local.environment, {
        ATTEMPT_SECONDS = tostring(var.processing_timeout_seconds)

        # Of glibc: what is this large is given back when it is freed, and grows without being copied. Left alone it raises
        # the mark to what it has seen, and keeps up to twice that: 20 MB and more after a body of 10 MB.
        # https://man7.org/linux/man-pages/man3/mallopt.3.html
        MALLOC_MMAP_THRESHOLD_ = tostring(1024 * 1024)
      })
      statements = concat(
        [
          { sid = "FindBodies", actions = ["s3:ListBucket"], resources = [module.bucket.arn] },
          { sid = "ReadBodies", actions = ["s3:GetObject"], resources = ["${module.bucket.arn}/${local.prefixes.captured}*"] },
          { sid = "WriteResults", actions = ["s3:PutObject"], resources = ["${module.bucket.arn}/${local.prefixes.results}*"] },
          { sid = "WriteReceipts", actions = ["dynamodb:UpdateItem"], resources = [aws_dynamodb_table.receipts.arn] },
        ],
        [for key in var.kms_key_arn[*] : { sid = "UseKey", actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [key] }],
      )
    }
  }
}
