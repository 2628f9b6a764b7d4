variable "name" {
  description = "The web ACL's name."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "The account, to whose logs alone the firewall may write."
  type        = string
  nullable    = false
}

variable "region" {
  description = "The region, a dimension of the firewall's metrics."
  type        = string
  nullable    = false
}

variable "rate_limit" {
  description = "Requests that one IP address may make in five minutes."
  type        = number
  nullable    = false
  default     = 1000
}

variable "inner_cidr_blocks" {
  description = "Addresses of our own load balancers, whose requests have been before a firewall already: one address stands for many callers there, so it is not counted."
  type        = set(string)
  nullable    = false
  default     = []
}

variable "protected" {
  description = "ARNs of what stands behind the firewall: API Gateway stages and load balancers, by a name for each."
  type        = map(string)
  nullable    = false
}

variable "log_retention_days" {
  description = "How long the log of blocked and counted requests is kept."
  type        = number
  nullable    = false
}
