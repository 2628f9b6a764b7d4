variable "name" {
  description = "The stream's name, and the first part of the names of what belongs to it."
  type        = string
  nullable    = false
}

variable "region" {
  description = "AWS region."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "AWS account: the external id by which Firehose takes on its role."
  type        = string
  nullable    = false
}

variable "buffering" {
  description = "Events are delivered after so many `seconds`, or when there are so many `megabytes` of them, whichever comes first."
  type = object({
    seconds   = optional(number, 60)
    megabytes = optional(number, 10)
  })
  nullable = false
  default  = {}

  validation {
    condition     = var.buffering.seconds >= 0 && var.buffering.seconds <= 900 && var.buffering.megabytes >= 1 && var.buffering.megabytes <= 128
    error_message = "buffering.seconds must be 0 to 900, and buffering.megabytes 1 to 128: Firehose's range."
  }
}

variable "expire_days" {
  description = "Age at which delivered events go. Null: never."
  type        = number
  default     = null
}

variable "kms_key_arn" {
  description = "Key that encrypts the stream and the bucket. Null: Firehose's and S3's own."
  type        = string
  default     = null
}

variable "disposable" {
  description = "Let a destroy delete the bucket with the events that are in it."
  type        = bool
  nullable    = false
  default     = false
}

variable "log_retention_days" {
  description = "How long the log of failed deliveries is kept."
  type        = number
  nullable    = false
}

variable "alarm_thresholds" {
  description = "When the alarms go off: age of the oldest event that is not yet in S3."
  type = object({
    freshness_seconds = optional(number, 900)
  })
  nullable = false
  default  = {}
}
