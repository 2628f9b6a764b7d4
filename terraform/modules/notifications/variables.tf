variable "name" {
  description = "The topic's name."
  type        = string
  nullable    = false
}

variable "email" {
  description = "Address to subscribe. AWS sends it a confirmation first. Null: none."
  type        = string
  default     = null
}

variable "account_id" {
  description = "The only account whose alarms may publish."
  type        = string
  nullable    = false
}
