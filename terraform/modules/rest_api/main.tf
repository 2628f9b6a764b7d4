locals {
  # Whatever defines the API stands here and nowhere else: the resource below reads every argument from it, and the hash
  # that asks for a new deployment is taken over all of it. An argument cannot be added and the hash forgotten.
  #
  # The document goes through a decoder so that a comment or an indent is no change.
  api = {
    name                         = var.name
    description                  = var.description
    body                         = jsonencode(yamldecode(var.definition))
    binary_media_types           = var.binary_media_types
    minimum_compression_size     = var.minimum_compression_size
    disable_execute_api_endpoint = !var.default_endpoint
    api_key_source               = "HEADER"
    policy                       = var.policy
    endpoint_types               = ["REGIONAL"]
  }

  hash = sha256(jsonencode(local.api))

  # What Terraform's own deployment for a stage stands for: as long as it stays, the deployment stays. `initial` keeps the
  # deployment of a stage's first release when later ones have deployments of their own.
  snapshots = {
    for name, stage in var.stages : name => (
      stage.release == null || stage.follows ? "definition-${substr(local.hash, 0, 12)}" : "release-${coalesce(stage.initial, stage.release)}"
    )
  }

  # The deployment that `make api/release` or `make api/rollback` put into service; null for a stage that serves Terraform's.
  # The file may speak of the same API in several accounts, so an API finds its own by id.
  released = {
    for name, stage in var.stages :
    name => one([for api, deployment in stage.deployments : deployment if api == aws_api_gateway_rest_api.this.id])
  }
}

resource "aws_api_gateway_rest_api" "this" {
  #checkov:skip=CKV_AWS_237:The definition is updated in place; a replacement would change the address of the API

  name                         = local.api.name
  description                  = local.api.description
  body                         = local.api.body
  binary_media_types           = local.api.binary_media_types
  minimum_compression_size     = local.api.minimum_compression_size
  disable_execute_api_endpoint = local.api.disable_execute_api_endpoint
  api_key_source               = local.api.api_key_source
  policy                       = local.api.policy

  endpoint_configuration {
    types = local.api.endpoint_types
  }

  # For the bill, by cost allocation tag, and for whoever asks the account what its front doors are.
  tags = var.architecture == null ? {} : { Architecture = var.architecture }
}

# A deployment is a snapshot of the API as it is when the deployment is made, and is never changed afterwards. So one rule
# does for every stage: replaced when the snapshot's name changes. For a stage without a release that is with every change
# of the definition; for one with a release, only then.
resource "aws_api_gateway_deployment" "this" {
  for_each = local.snapshots

  rest_api_id = aws_api_gateway_rest_api.this.id
  description = "${each.key}: ${each.value}"
  triggers    = { snapshot = each.value }

  lifecycle {
    create_before_destroy = true # a stage must point at one throughout
  }
}

# Publishes the descriptions in the definition. A documentation version is a snapshot too.
resource "aws_api_gateway_documentation_version" "this" {
  for_each = local.snapshots

  rest_api_id = aws_api_gateway_rest_api.this.id
  version     = "${each.key}-${each.value}"

  lifecycle {
    create_before_destroy = true
  }
}
