locals {
  # CloudWatch says for which account it publishes. EventBridge and CodeStar Notifications do not: a condition on it would
  # keep them out without a word, so they have a statement of their own, as AWS documents it for them.
  publishers = {
    PublishAlarms = { services = ["cloudwatch.amazonaws.com"], condition = { Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } } } }
    PublishEvents = { services = ["codestar-notifications.amazonaws.com", "events.amazonaws.com"], condition = {} }
  }
}

resource "aws_sns_topic" "this" {
  name              = var.name
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_policy" "this" {
  arn = aws_sns_topic.this.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for sid, publisher in local.publishers : merge({
      Sid       = sid
      Effect    = "Allow"
      Action    = "sns:Publish"
      Principal = { Service = publisher.services }
      Resource  = aws_sns_topic.this.arn
    }, publisher.condition)]
  })
}

resource "aws_sns_topic_subscription" "email" {
  count = var.email == null ? 0 : 1

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = var.email
}

# A key of our own, because AWS's `alias/aws/sns` does not let CloudWatch or EventBridge publish to an encrypted topic:
# the alarm goes off and nobody hears of it.
resource "aws_kms_key" "this" {
  description             = "Encrypts the notifications of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = 7

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "Administer"
        Effect    = "Allow"
        Action    = "kms:*"
        Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
        Resource  = "*" # in a key's own policy: this key
      },
      {
        Sid       = "Publish"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Principal = { Service = flatten([for publisher in values(local.publishers) : publisher.services]) }
        Resource  = "*" # in a key's own policy: this key; who may publish is the topic's to say
      },
    ]
  })
}
