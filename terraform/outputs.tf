output "name" {
  description = "First part of every resource's name."
  value       = local.name
}

output "lambda_urls" {
  description = "Base URL of each stage of the API in front of Lambda."
  value       = merge(module.rest_api[*].urls...)
}

output "lambda_api_key_ids" {
  description = "Id of the API key of each stage. `aws apigateway get-api-key --include-value --api-key ID` shows its value."
  value       = merge(module.rest_api[*].api_key_ids...)
}

output "lambda_snapshots" {
  description = "What each stage serves: a release, or the hash of the definition."
  value       = merge(module.rest_api[*].snapshots...)
}

output "functions" {
  description = "Name of each Lambda function in AWS, and the version that each alias serves."
  value       = { for name, function in module.function : name => { name = function.name, aliases = function.aliases } }
}

output "apis" {
  description = "Every REST API, by architecture: its id and name, its stages and which of them follows every change, the functions behind it (name in AWS, and alias of each stage), and the container service behind it, if there is one. What `make api/release`, `api/rollback`, `api/restore` and `api/status` work on."
  value = merge(
    { for api in module.rest_api : "lambda" => {
      id        = api.id
      name      = api.name
      stages    = keys(api.deployment_ids)
      following = "test"
      functions = { for name, function in module.function : name => { name = function.name, aliases = { for alias in keys(function.aliases) : alias => alias } } }
      service   = null
    } },
    { for api in module.events_api : "events" => {
      id        = api.id
      name      = api.name
      stages    = keys(api.deployment_ids)
      following = var.events.stage_name
      functions = {}
      service   = null
    } },
    { for api in module.publish_api : "publish" => {
      id        = api.id
      name      = api.name
      stages    = keys(api.deployment_ids)
      following = var.publish.stage_name
      functions = { for name, function in module.publish_function : name => { name = function.name, aliases = { for alias in keys(function.aliases) : alias => alias } } }
      service   = null
    } },
    { for api in module.private_api : "private" => {
      id        = api.id
      name      = api.name
      stages    = keys(api.deployment_ids)
      following = one(slice(concat(sort([for stage in keys(api.deployment_ids) : stage if lookup(lookup(local.released.private, stage, {}), "follows", !contains(keys(local.released.private), stage))]), [null]), 0, 1))
      functions = { for name, function in module.private_function : name => { name = function.name, aliases = { for stage in keys(api.deployment_ids) : stage => local.private_alias } } }
      service   = { cluster = module.fargate[0].deployment.cluster_name, name = module.fargate[0].deployment.service_name }
    } },
  )
}

output "fargate_url" {
  description = "Where the container service answers; null without it."
  value       = one(module.fargate[*].url)
}

output "fargate_api_key_parameter" {
  description = "Parameter that holds the key: `aws ssm get-parameter --with-decryption --name ARN`."
  value       = one(module.fargate[*].api_key_parameter)
}

output "image_repository_url" {
  description = "Where images are pushed to."
  value       = one(module.fargate[*].repository_url)
}

output "pipeline" {
  description = "The pipeline, and the connection to GitHub that a person may have to confirm; null without a `repository`."
  value       = one([for pipeline in module.pipeline : { name = pipeline.pipeline_name, connection = pipeline.connection }])
}

output "egress_ips" {
  description = "Addresses from which the containers and the proxies to services outside AWS call the world, for other people's firewalls."
  value       = flatten(module.network[*].nat_public_ips)
}

output "events" {
  description = "URL of the events API, id of its API key, its stream, and the bucket in which the events end; null without it."
  value = one([for stream in module.event_stream : {
    url        = module.events_api[0].urls[var.events.stage_name]
    api_key_id = module.events_api[0].api_key_ids[var.events.stage_name]
    stream     = stream.name
    bucket     = stream.bucket_name
  }])
}

output "publish" {
  description = "URL of the publish API, its queues, its bucket, and the tables of tokens (null without authorization) and receipts; null without it."
  value = one([for capture in module.capture : {
    url             = module.publish_api[0].urls[var.publish.stage_name]
    queue_url       = capture.queue.url
    error_queue_url = capture.error_queue.url
    bucket          = capture.bucket.name
    token_table     = contains(local.publish_functions, "authorizer") ? one(module.tokens[*].name) : null
    receipt_table   = capture.receipt_table
  }])
}

output "private" {
  description = "URL of each stage of the private API, which of them are closed to all but known addresses, the table of tokens, the VPC link, and where API Gateway finds each service outside AWS; null without it."
  value = one([for api in module.private_api : {
    urls              = api.urls
    closed_stages     = sort(setsubtract(keys(api.urls), var.private.open_stages))
    token_table       = module.tokens[0].name
    vpc_link_id       = module.private_link[0].vpc_link_id
    endpoints         = module.private_link[0].endpoints
    external_services = merge(module.external_services[*].base_urls...)
  }])
}

output "mapping" {
  description = "Where the replacement map is kept."
  value       = { parameter = module.mapping.parameter_name, table = module.mapping.table_name }
}

output "dashboard_url" {
  description = "Where requests, latency, errors and cost drivers are seen."
  value       = module.dashboard.url
}

output "topic_arn" {
  description = "Where alarms and events are published."
  value       = module.notifications.topic_arn
}
