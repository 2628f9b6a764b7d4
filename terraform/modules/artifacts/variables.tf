variable "name" {
  description = "The bucket's name."
  type        = string
  nullable    = false
}

variable "disposable" {
  description = "Let a destroy delete the bucket with what is in it."
  type        = bool
  nullable    = false
  default     = false
}
