variable "name" {
  description = "The table's name; with a slash before it, the first part of the parameter's."
  type        = string
  nullable    = false
}

variable "rules" {
  description = "The map to begin with. Later changes are the operators' and are left alone."
  type        = map(string)
  nullable    = false
  default = {
    ABN       = "ABN AMRO"
    ING       = "ING BANK"
    Rabo      = "Rabobank"
    Triodos   = "Triodos Bank"
    Volksbank = "de Volksbank"
  }
}

variable "protected" {
  description = "Refuse to destroy the table."
  type        = bool
  nullable    = false
  default     = false
}
