output "bucket" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.id

  # Nothing is put in before the bucket keeps versions, encrypts, and refuses plain HTTP.
  depends_on = [
    aws_s3_bucket_versioning.this,
    aws_s3_bucket_server_side_encryption_configuration.this,
    aws_s3_bucket_policy.this,
  ]
}
