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

variable "versioned" {
  description = "Keep what is overwritten or deleted. Off for objects that are written once under a name of their own and expire."
  type        = bool
  nullable    = false
  default     = true
}

variable "kms_key_arn" {
  description = "Key that encrypts what is put in. Null: S3's own."
  type        = string
  default     = null
}

variable "expire_days" {
  description = "Age at which an object goes. Null: never."
  type        = number
  default     = null
}

variable "keep_replaced_days" {
  description = "How long an object that was overwritten or deleted can be brought back."
  type        = number
  nullable    = false
  default     = 30
}

variable "writer" {
  description = "An AWS service that writes below a prefix by itself, such as a load balancer its logs."
  type = object({
    service = string
    prefix  = string
  })
  default = null
}

variable "grants" {
  description = "Roles that the bucket's policy names, each with what it may do with the objects below a prefix."
  type = list(object({
    sid      = string
    role_arn = string
    actions  = list(string)
    prefix   = string
  }))
  nullable = false
  default  = []
}
