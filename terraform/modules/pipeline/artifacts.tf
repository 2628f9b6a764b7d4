# Source and release of each run. They are of no use once the run is over.
module "artifacts" {
  source = "../bucket"

  name        = "${var.name}-artifacts"
  disposable  = !var.protected
  kms_key_arn = aws_kms_key.artifacts.arn
  expire_days = 30
}

# A key of our own: the source is readable to the pipeline's roles, not to everybody in the account who may read S3.
resource "aws_kms_key" "artifacts" {
  description             = "Encrypts the artifacts of the pipeline ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Administer"
      Effect    = "Allow"
      Action    = "kms:*"
      Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
      Resource  = "*" # in a key's own policy: this key
    }]
  })
}
