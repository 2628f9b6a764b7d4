# One host name for the whole API, each stage under a base path of its name.

resource "aws_api_gateway_domain_name" "this" {
  count = var.domain == null ? 0 : 1

  domain_name              = var.domain.host
  regional_certificate_arn = var.domain.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "this" {
  for_each = { for name, stage in var.stages : name => stage if var.domain != null }

  api_id      = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this[each.key].stage_name
  domain_name = aws_api_gateway_domain_name.this[0].domain_name
  base_path   = each.key
}

resource "aws_route53_record" "this" {
  count = var.domain == null ? 0 : 1

  zone_id = var.domain.zone_id
  name    = var.domain.host
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.this[0].regional_domain_name
    zone_id                = aws_api_gateway_domain_name.this[0].regional_zone_id
    evaluate_target_health = false
  }
}

# A host name for a stage alone, without a base path: callers of one stage see nothing of the others.

resource "aws_api_gateway_domain_name" "stage" {
  for_each = var.stage_domains

  domain_name              = each.value.host
  regional_certificate_arn = each.value.certificate_arn
  security_policy          = "TLS_1_2"

  endpoint_configuration {
    types = ["REGIONAL"]
  }
}

resource "aws_api_gateway_base_path_mapping" "stage" {
  for_each = var.stage_domains

  api_id      = aws_api_gateway_rest_api.this.id
  stage_name  = aws_api_gateway_stage.this[each.key].stage_name
  domain_name = aws_api_gateway_domain_name.stage[each.key].domain_name
}

resource "aws_route53_record" "stage" {
  for_each = var.stage_domains

  zone_id = each.value.zone_id
  name    = each.value.host
  type    = "A"

  alias {
    name                   = aws_api_gateway_domain_name.stage[each.key].regional_domain_name
    zone_id                = aws_api_gateway_domain_name.stage[each.key].regional_zone_id
    evaluate_target_health = false
  }
}
