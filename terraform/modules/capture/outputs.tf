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
