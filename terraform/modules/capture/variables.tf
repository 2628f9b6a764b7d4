variable "name" {
  description = "The queue's name, and the first part of the names of what belongs to it."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The account, whose bucket alone may send to the queue."
  type        = string
  nullable    = false
}

variable "max_processing_attempts" {
  description = "How often a message is tried before it goes to the error queue."
  type        = number
  nullable    = false
  default     = 5

  validation {
    condition     = var.max_processing_attempts >= 1 && var.max_processing_attempts <= 1000
    error_message = "max_processing_attempts must be 1 to 1000: the range of a redrive policy."
  }
}

variable "processing_timeout_seconds" {
  description = "How long one attempt may take. A message that was received is hidden for six times as long."
  type        = number
  nullable    = false

  validation {
    condition     = var.processing_timeout_seconds >= 1 && var.processing_timeout_seconds <= 900
    error_message = "processing_timeout_seconds must be 1 to 900: Lambda's limit."
  }
}

variable "keep_days" {
  description = "How long bodies and results are kept."
  type        = number
  nullable    = false
  default     = 14
}

variable "reader_role_arns" {
  description = "Roles that read bodies and results, by a name for each (letters and digits)."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "processor_role_arns" {
  description = "Roles that read bodies and write results, by a name for each (letters and digits)."
  type        = map(string)
  nullable    = false
  default     = {}
}

variable "kms_key_arn" {
  description = "Key that encrypts bucket and queues. Its policy must let s3.amazonaws.com use it, or no message reaches the queue. Null: S3's and SQS's own."
  type        = string
  default     = null
}

variable "disposable" {
  description = "Let a destroy delete the bucket with the bodies that are in it."
  type        = bool
  nullable    = false
  default     = false
}

variable "alarm_thresholds" {
  description = "When the alarms go off: age of the oldest message in the queue. The error queue alarms at the first message."
  type = object({
    oldest_message_seconds = optional(number, 900)
  })
  nullable = false
  default  = {}
}
