variable "name" {
  description = "The table's name."
  type        = string
  nullable    = false
}

variable "kms_key_arn" {
  description = "Key that encrypts the table. Null: DynamoDB's own."
  type        = string
  default     = null
}

variable "protected" {
  description = "Refuse to destroy the table."
  type        = bool
  nullable    = false
  default     = false
}
