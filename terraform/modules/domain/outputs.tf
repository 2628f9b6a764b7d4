output "host" {
  description = "The host name."
  value       = var.host
}

output "zone_id" {
  description = "The zone for the record that points at whatever serves the host name."
  value       = var.zone_id
}

output "certificate_arn" {
  description = "The certificate, once it is issued."
  value       = aws_acm_certificate_validation.this.certificate_arn
}
