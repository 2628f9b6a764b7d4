output "name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.id

  # Nothing is put in before the bucket keeps versions, encrypts, and has its policy.
  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_policy.this,
  ]
}

output "arn" {
  description = "The bucket, for policies."
  value       = aws_s3_bucket.this.arn
}
