resource "aws_acm_certificate" "this" {
  domain_name       = var.host
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# One host name, so one record: `one(...)` needs no key that is known only after the certificate was asked for.
resource "aws_route53_record" "validation" {
  zone_id         = var.zone_id
  name            = one(aws_acm_certificate.this.domain_validation_options[*].resource_record_name)
  type            = one(aws_acm_certificate.this.domain_validation_options[*].resource_record_type)
  records         = [one(aws_acm_certificate.this.domain_validation_options[*].resource_record_value)]
  ttl             = 60
  allow_overwrite = true # a replaced certificate of the same name asks for the same record
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [aws_route53_record.validation.fqdn]
}
