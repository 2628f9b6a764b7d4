# Reads as a request travels: host name → firewall → API and function, or load balancer and containers → map.
# What builds, watches and tells comes last.

locals {
  # The same account, region, identifier and environment always give the same names, and no two deployments share one.
  suffix = substr(sha256("${local.account_id}/${var.region}/${var.identifier}/${var.environment}"), 0, 6)
  name   = "${var.identifier}-${ { test = "test", acceptance = "acc", production = "prod" }[var.environment]}-${local.suffix}"

  account_id  = data.aws_caller_identity.current.account_id
  production  = var.environment == "production"
  releases    = jsondecode(file(var.releases_file))
  map_to_read = module.mapping.readers[var.mapping_source]

  # API → stage → release. A stage that is not in it follows every change.
  released = { for api in ["lambda", "events", "publish", "private"] : api => lookup(local.releases.apis, api, {}) }
}

data "aws_caller_identity" "current" {}

data "aws_route53_zone" "root" {
  count = var.root_domain == null ? 0 : 1
  name  = var.root_domain
}

# One host name and one certificate for each architecture, and for each stage of private; none without a root_domain.
module "domain" {
  for_each = var.root_domain == null ? [] : setunion(setsubtract(var.architectures, ["private"]), [for stage in keys(local.private_stages) : "private-${stage}"])
  source   = "./modules/domain"

  host    = "${join("-", compact([var.identifier, each.key, local.production ? "" : var.environment]))}.${var.root_domain}"
  zone_id = data.aws_route53_zone.root[0].zone_id
}

module "waf" {
  source = "./modules/waf"

  name               = local.name
  account_id         = local.account_id
  region             = var.region
  rate_limit         = var.rate_limit
  log_retention_days = var.log_retention_days

  # What comes to the load balancer through the VPC link has the network load balancer's addresses, whoever the callers are.
  inner_cidr_blocks = length(local.private_stages) > 0 ? module.network[0].subnet_cidr_blocks.private : []

  protected = merge(
    { for stage, arn in merge(module.rest_api[*].stage_arns...) : "lambda-${stage}" => arn },
    { for stage, arn in merge(module.events_api[*].stage_arns...) : "events-${stage}" => arn },
    { for stage, arn in merge(module.publish_api[*].stage_arns...) : "publish-${stage}" => arn },
    { for service in module.fargate : "fargate" => service.load_balancer_arn },
  )
}

# lambda: API Gateway and Lambda

module "rest_api" {
  count  = contains(var.architectures, "lambda") ? 1 : 0
  source = "./modules/rest_api"

  name         = "${local.name}-lambda"
  description  = "String replacement by Lambda functions"
  architecture = "lambda"
  definition = templatefile("${path.module}/openapi/lambda.yaml", {
    title     = "${local.name}-lambda"
    functions = { for name, function in module.function : name => function.integration }
  })
  stages = {
    for stage in ["test", "prod"] : stage => merge({ variables = { alias = stage } }, lookup(local.released.lambda, stage, {}))
  }
  functions          = { for name, function in module.function : name => { name = function.name, aliases = function.aliases } }
  domain             = one(values({ for name, domain in module.domain : name => domain if name == "lambda" }))
  default_endpoint   = var.api_gateway.default_endpoint
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.rest_api

  # A stage that logs is refused as long as the account has no role for it.
  depends_on = [aws_api_gateway_account.this]
}

module "function" {
  for_each = { for name, function in local.functions : name => function if contains(var.architectures, "lambda") }
  source   = "./modules/function"

  name        = "${local.name}-${each.key}"
  lambda      = each.value.lambda
  integration = each.value.integration
  aliases     = each.value.aliases
  package = {
    file         = "${var.lambda_packages}/${each.key}.zip"
    architecture = var.lambda_architecture
    bucket       = module.packages[0].name
  }
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.function
}

# Of all architectures that have functions.
module "packages" {
  count  = length(setintersection(var.architectures, ["lambda", "publish", "private"])) > 0 ? 1 : 0
  source = "./modules/bucket"

  name       = "${local.name}-functions"
  disposable = !local.production
}

# fargate: load balancer and containers, released by a pipeline

locals {
  publish_worker = contains(local.publish_functions, "publish-worker")
  needs_network  = contains(var.architectures, "fargate") || local.publish_worker

  # What the worker reaches without a way out of the VPC, beside S3 and DynamoDB. The queue is read by Lambda itself; its
  # endpoint is for what else in the VPC works with it.
  publish_endpoints = local.publish_worker ? concat(["sqs"], var.mapping_source == "parameter" ? ["ssm"] : []) : []
  publish_network   = [for network in module.network : { vpc_id = network.vpc_id, subnet_ids = network.private_subnet_ids }]
}

# Of the containers, and of the worker of publish.
module "network" {
  count  = local.needs_network ? 1 : 0
  source = "./modules/network"

  name                = local.name
  region              = var.region
  account_id          = local.account_id
  availability_zones  = coalesce(var.network.availability_zones, slice(sort(data.aws_availability_zones.available[0].names), 0, 2))
  cidr_block          = var.network.cidr_block
  nat_gateways        = coalesce(var.network.nat_gateways, contains(var.architectures, "fargate") ? "single" : "none")
  interface_endpoints = setunion(coalesce(var.network.interface_endpoints, []), local.publish_endpoints)
  log_retention_days  = var.log_retention_days
}

data "aws_availability_zones" "available" {
  #checkov:skip=CKV_AWS_394:Only the first two are taken, and a subnet stays in the zone that it was made in
  count = local.needs_network ? 1 : 0

  state = "available"

  # Local zones and wavelength zones have neither load balancers nor NAT gateways.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

module "fargate" {
  count  = contains(var.architectures, "fargate") ? 1 : 0
  source = "./modules/fargate"

  name                      = local.name
  region                    = var.region
  account_id                = local.account_id
  network                   = module.network[0]
  domain                    = one(values({ for name, domain in module.domain : name => domain if name == "fargate" }))
  mapping                   = local.map_to_read
  image_tag                 = var.fargate.image_tag
  container                 = var.fargate.container
  scaling                   = var.fargate.scaling
  api_key                   = var.fargate.api_key
  test_listener_cidr_blocks = var.fargate.test_listener_cidr_blocks
  cors                      = var.private.cors
  log_retention_days        = var.log_retention_days
  protected                 = local.production
  alarm_thresholds          = var.alarm_thresholds.fargate
}

module "blue_green" {
  count  = contains(var.architectures, "fargate") ? 1 : 0
  source = "./modules/blue_green"

  name        = local.name
  region      = var.region
  account_id  = local.account_id
  deployment  = module.fargate[0].deployment
  release     = var.fargate.release
  alarm_names = [for key in module.fargate[0].release_alarms : module.alarms.names["fargate-${key}"]]
  topic_arn   = module.notifications.topic_arn
}

module "pipeline" {
  count  = contains(var.architectures, "fargate") && var.repository != null ? 1 : 0
  source = "./modules/pipeline"

  name               = local.name
  region             = var.region
  account_id         = local.account_id
  repository         = var.repository
  deployment         = module.fargate[0].deployment
  blue_green         = module.blue_green[0].codedeploy
  topic_arn          = module.notifications.topic_arn
  log_retention_days = var.log_retention_days
  protected          = local.production
}

# events: API Gateway straight into Firehose, without a function

module "events_api" {
  count  = contains(var.architectures, "events") ? 1 : 0
  source = "./modules/rest_api"

  name         = "${local.name}-events"
  description  = "Events, straight into Firehose"
  architecture = "events"
  definition = templatefile("${path.module}/openapi/events.yaml", {
    title                = "${local.name}-events"
    role_arn             = module.event_stream[0].put_role_arn
    put_record_uri       = "arn:aws:apigateway:${var.region}:firehose:action/PutRecord"
    put_record_batch_uri = "arn:aws:apigateway:${var.region}:firehose:action/PutRecordBatch"
    templates            = { for name in ["put_record", "put_record_batch", "batch_result", "refused"] : name => file("${path.module}/openapi/events/${name}.vtl") }
  })
  stages             = { (var.events.stage_name) = merge({ variables = { stream = module.event_stream[0].name } }, lookup(local.released.events, var.events.stage_name, {})) }
  domain             = one(values({ for name, domain in module.domain : name => domain if name == "events" }))
  default_endpoint   = var.api_gateway.default_endpoint
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.rest_api

  # A stage that logs is refused as long as the account has no role for it.
  depends_on = [aws_api_gateway_account.this]
}

module "event_stream" {
  count  = contains(var.architectures, "events") ? 1 : 0
  source = "./modules/event_stream"

  name               = "${local.name}-events"
  region             = var.region
  account_id         = local.account_id
  buffering          = var.events.buffering
  expire_days        = var.events.expire_days
  kms_key_arn        = var.kms_key_arn
  disposable         = !local.production
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.event_stream
}

# publish: API Gateway straight into S3, and from there by a queue to whoever processes it

module "publish_api" {
  count  = contains(var.architectures, "publish") ? 1 : 0
  source = "./modules/rest_api"

  name         = coalesce(var.publish.name, "${local.name}-publish")
  description  = var.publish.description
  architecture = "publish"
  definition = templatefile("${path.module}/openapi/publish.yaml", {
    title        = coalesce(var.publish.name, "${local.name}-publish")
    put_uri      = "arn:aws:apigateway:${var.region}:s3:path/${module.capture[0].bucket.name}/${module.capture[0].bucket.prefixes.captured}{id}"
    put_role_arn = module.capture[0].put_role_arn
    receipt      = module.publish_function["publish-receipt"].integration
    authorizer = one([for name, function in module.publish_function : {
      header      = var.publish.authorization_header
      ttl_seconds = var.publish.authorization_ttl_seconds
      # One stage, one alias: no stage variable is needed.
      uri = replace(function.integration.uri, "$${stageVariables.alias}", var.publish.stage_name)
    } if name == "authorizer"])
  })
  binary_media_types = ["*/*"] # every body passes byte for byte
  stages             = { (var.publish.stage_name) = merge({ variables = { alias = var.publish.stage_name } }, lookup(local.released.publish, var.publish.stage_name, {})) }
  functions          = { for name, function in module.publish_function : name => { name = function.name, aliases = function.aliases } if name == "publish-receipt" }
  authorizer         = one([for name, function in module.publish_function : { name = function.name, alias = one(keys(function.aliases)) } if name == "authorizer"])
  api_keys           = false # callers are known by their tokens
  domain             = one(values({ for name, domain in module.domain : name => domain if name == "publish" }))
  default_endpoint   = var.api_gateway.default_endpoint
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.rest_api

  # A stage that logs is refused as long as the account has no role for it.
  depends_on = [aws_api_gateway_account.this]
}

module "capture" {
  count  = contains(var.architectures, "publish") ? 1 : 0
  source = "./modules/capture"

  name                       = "${local.name}-publish"
  account_id                 = local.account_id
  max_processing_attempts    = var.publish.max_processing_attempts
  processing_timeout_seconds = local.processing_timeout_seconds
  kms_key_arn                = var.kms_key_arn
  disposable                 = !local.production
  alarm_thresholds           = var.alarm_thresholds.capture

  # By name, not by going through all of them: a function waits for the bucket, and only its role may come before.
  reader_role_arns    = { Receipt = module.publish_function["publish-receipt"].role_arn }
  processor_role_arns = local.publish_worker ? { Worker = module.publish_function["publish-worker"].role_arn } : {}
}

module "publish_function" {
  for_each = local.publish_functions
  source   = "./modules/function"

  name    = "${local.name}-${each.key}"
  lambda  = local.publish[each.key].lambda
  aliases = local.publish_aliases
  network = lookup(local.publish[each.key], "network", null)
  queue   = lookup(local.publish[each.key], "queue", null)
  package = {
    file         = "${var.lambda_packages}/${each.key}.zip"
    architecture = var.lambda_architecture
    bucket       = module.packages[0].name
  }
  log_retention_days = var.log_retention_days
  alarm_thresholds   = merge(var.alarm_thresholds.function, lookup(local.publish[each.key], "alarm_thresholds", {}))
}

# private: API Gateway through a VPC link to the containers, and to services outside AWS

locals {
  private_stages = contains(var.architectures, "private") ? var.private.stages : {}
}

module "private_api" {
  count  = contains(var.architectures, "private") ? 1 : 0
  source = "./modules/rest_api"

  name         = "${local.name}-private"
  description  = "String replacement by containers, through a VPC link"
  architecture = "private"
  definition = templatefile("${path.module}/openapi/private.yaml", {
    title = "${local.name}-private"
    # The container service by the stage's own listener, another service by its own. A bad name is refused by external_services.
    base_urls = { for name, service in jsondecode(file("${path.module}/openapi/services.json")) : name => (
      can(service.base_url.external) ? module.external_services[0].base_urls[service.base_url.external] : "${module.private_link[0].scheme}://$${stageVariables.VPCNLB}"
    ) }
    cors      = var.private.cors
    templates = { preflight = templatefile("${path.module}/openapi/private/preflight.vtl", { origins = var.private.cors.origins }) }
    authorizer = {
      ttl_seconds = var.private.authorization_ttl_seconds
      # All stages ask the same one: no stage variable is needed.
      uri = replace(module.private_function["private-authorizer"].integration.uri, "$${stageVariables.alias}", local.private_alias)
    }
  })
  binary_media_types = ["*/*"] # a text in any charset passes byte for byte
  stages = { for name, stage in local.private_stages : name => merge({
    variables   = { VPCLINK = module.private_link[0].vpc_link_id, VPCNLB = module.private_link[0].endpoints[name] }
    rate_limit  = stage.rate_limit
    burst_limit = stage.burst_limit
  }, lookup(local.released.private, name, {})) }
  authorizer         = { name = module.private_function["private-authorizer"].name, alias = local.private_alias }
  api_keys           = false # callers are known by their tokens
  stage_domains      = { for stage in keys(local.private_stages) : stage => module.domain["private-${stage}"] if var.root_domain != null }
  default_endpoint   = var.api_gateway.default_endpoint
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.rest_api

  # A stage that logs is refused as long as the account has no role for it.
  depends_on = [aws_api_gateway_account.this]
}

# Before the stages that are not open.
module "allow_list" {
  count  = length(setsubtract(keys(local.private_stages), var.private.open_stages)) > 0 ? 1 : 0
  source = "./modules/allow_list"

  name                = "${local.name}-closed"
  region              = var.region
  allowed_cidr_blocks = var.private.allowed_cidr_blocks
  contact             = coalesce(var.private.contact, var.notification_email, "whoever runs ${local.name}")
  log_group_arn       = module.waf.log_group_arn
}

# One association for each stage, whichever firewall it leads to. With one in each firewall's module, a stage that is opened
# could be associated anew first and then be taken from both: to dissociate, AWS asks for the stage alone.
resource "aws_wafv2_web_acl_association" "private" {
  for_each = local.private_stages

  resource_arn = module.private_api[0].stage_arns[each.key]
  web_acl_arn  = contains(var.private.open_stages, each.key) ? module.waf.arn : module.allow_list[0].arn
}

module "private_function" {
  for_each = local.private_functions
  source   = "./modules/function"

  name    = "${local.name}-${each.key}"
  lambda  = local.private[each.key].lambda
  aliases = { (local.private_alias) = "$LATEST" }
  package = {
    file         = "${var.lambda_packages}/${local.private[each.key].package}.zip"
    architecture = var.lambda_architecture
    bucket       = module.packages[0].name
  }
  log_retention_days = var.log_retention_days
  alarm_thresholds   = var.alarm_thresholds.function
}

module "private_link" {
  count  = contains(var.architectures, "private") ? 1 : 0
  source = "./modules/private_link"

  name        = local.name
  network     = module.network[0]
  target      = module.fargate[0].private_target
  stage_ports = { for name, stage in local.private_stages : name => stage.port }
  protected   = local.production
}

module "external_services" {
  count  = length(var.external_services) > 0 ? 1 : 0
  source = "./modules/external_services"

  name               = local.name
  region             = var.region
  account_id         = local.account_id
  network            = module.network[0]
  cluster_arn        = module.fargate[0].cluster_arn
  load_balancer      = module.private_link[0].load_balancer
  services           = var.external_services
  image              = var.proxy_image
  log_retention_days = var.log_retention_days
}

# Who may call publish and private

module "tokens" {
  count  = contains(local.publish_functions, "authorizer") || contains(var.architectures, "private") ? 1 : 0
  source = "./modules/tokens"

  name        = "${local.name}-tokens"
  kms_key_arn = var.kms_key_arn
  protected   = local.production
}

# Whatever replaces words reads the same map

module "mapping" {
  source = "./modules/mapping"

  name      = local.name
  protected = local.production
}

# What watches and tells

module "alarms" {
  source = "./modules/alarms"

  name      = local.name
  topic_arn = module.notifications.topic_arn
  alarms = merge(
    { for key, alarm in module.waf.alarms : "waf-${key}" => alarm },
    { for key, alarm in module.mapping.alarms : "mapping-${key}" => alarm },
    { for key, alarm in merge(module.rest_api[*].alarms...) : "lambda-api-${key}" => alarm },
    merge([for name, function in module.function : { for key, alarm in function.alarms : "lambda-${name}-${key}" => alarm }]...),
    { for key, alarm in merge(module.events_api[*].alarms...) : "events-api-${key}" => alarm },
    { for key, alarm in merge(module.event_stream[*].alarms...) : "events-stream-${key}" => alarm },
    { for key, alarm in merge(module.publish_api[*].alarms...) : "publish-api-${key}" => alarm },
    { for key, alarm in merge(module.capture[*].alarms...) : "publish-capture-${key}" => alarm },
    { for key, alarm in merge(module.tokens[*].alarms...) : "tokens-${key}" => alarm },
    merge([for name, function in module.publish_function : { for key, alarm in function.alarms : "publish-${trimprefix(name, "publish-")}-${key}" => alarm }]...),
    { for key, alarm in merge(module.private_api[*].alarms...) : "private-api-${key}" => alarm },
    { for key, alarm in merge(module.allow_list[*].alarms...) : "private-closed-${key}" => alarm },
    { for key, alarm in merge(module.private_link[*].alarms...) : "private-link-${key}" => alarm },
    { for key, alarm in merge(module.external_services[*].alarms...) : "external-${key}" => alarm },
    merge([for name, function in module.private_function : { for key, alarm in function.alarms : "${name}-${key}" => alarm }]...),
    { for key, alarm in merge(module.network[*].alarms...) : "network-${key}" => alarm },
    { for key, alarm in merge(module.fargate[*].alarms...) : "fargate-${key}" => alarm },
  )
}

module "dashboard" {
  source = "./modules/dashboard"

  name   = local.name
  region = var.region
  widgets = concat(
    flatten(module.rest_api[*].widgets),
    flatten([for function in module.function : function.widgets]),
    flatten(module.fargate[*].widgets),
    flatten(module.events_api[*].widgets),
    flatten(module.event_stream[*].widgets),
    flatten(module.publish_api[*].widgets),
    flatten([for function in module.publish_function : function.widgets]),
    flatten(module.capture[*].widgets),
    flatten(module.private_api[*].widgets),
    flatten(module.private_link[*].widgets),
    flatten(module.external_services[*].widgets),
    flatten([for function in module.private_function : function.widgets]),
    flatten(module.tokens[*].widgets),
    flatten(module.network[*].widgets),
    flatten(module.pipeline[*].widgets),
    module.mapping.widgets,
    module.waf.widgets,
    flatten(module.allow_list[*].widgets),
  )
}

module "notifications" {
  source = "./modules/notifications"

  name       = local.name
  account_id = local.account_id
  email      = var.notification_email
}
