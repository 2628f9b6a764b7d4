locals {
  # Each service only on behalf of this account.
  may_assume = {
    for service in ["codebuild", "codepipeline"] : service => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "Assume"
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { Service = "${service}.amazonaws.com" }
        Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
      }]
    })
  }

  # What the pipeline and the build need to hand each other their results.
  use_artifacts = [
    {
      Sid    = "UseArtifacts"
      Effect = "Allow"
      # Both services send an ACL header along, for which S3 asks for the right to set one, although the bucket has none.
      Action   = ["s3:GetObject", "s3:GetObjectVersion", "s3:PutObject", "s3:PutObjectAcl"]
      Resource = "${module.artifacts.arn}/*"
    },
    {
      Sid      = "FindArtifacts"
      Effect   = "Allow"
      Action   = ["s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning"]
      Resource = module.artifacts.arn
    },
    {
      Sid      = "UseArtifactKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"]
      Resource = aws_kms_key.artifacts.arn
    },
  ]
}
