output "name" {
  description = "The stream's name."
  value       = aws_kinesis_firehose_delivery_stream.this.name
}

output "put_role_arn" {
  description = "Role by which API Gateway puts events into the stream."
  value       = aws_iam_role.put.arn

  # Without its policy the first event could be refused.
  depends_on = [aws_iam_role_policy.put]
}

output "bucket_name" {
  description = "Where the events are delivered."
  value       = module.bucket.name
}
