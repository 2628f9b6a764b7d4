variable "host" {
  description = "Host name that the certificate is for."
  type        = string
  nullable    = false
}

variable "zone_id" {
  description = "Public Route 53 zone in which the host name lies."
  type        = string
  nullable    = false
}
