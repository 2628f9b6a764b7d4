# The root as a whole: what is joined to what. Planned with the provider itself, without AWS: a plan of new resources calls
# nothing, and what it would read is given here. The container's API key is one that exists already, because a plan that
# makes one opens an ephemeral resource, which would call AWS. Most of what the root refuses is in
# tests/terraform/test_bad_input.py, with what it says.
provider "aws" {
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

override_data {
  target = data.aws_caller_identity.current
  values = { account_id = "123456789012" }
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["eu-west-1b", "eu-west-1a", "eu-west-1c"] }
}

override_data {
  target = data.aws_route53_zone.root
  values = { zone_id = "Z1" }
}

# Told apart by their ARNs, which AWS makes. Their rules are planned in shared.tftest.hcl and allow_list.tftest.hcl: to plan
# them once more in every run would be a third of the provider's work.
override_resource {
  target          = module.waf.aws_wafv2_web_acl.this
  override_during = plan
  values          = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/shared/1" }
}

override_resource {
  target          = module.allow_list[0].aws_wafv2_web_acl.this
  override_during = plan
  values          = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/closed/1" }
}

variables {
  lambda_packages = "tests/packages"
  releases_file   = "tests/releases.json"
  fargate         = { api_key = { parameter_arn = "arn:aws:ssm:eu-west-1:123456789012:parameter/mine/key" } }
}

run "both_architectures" {
  command = plan

  variables {
    alarm_thresholds = {
      function = { duration_p95_milliseconds = 11 }
      rest_api = { server_error_percent = 12 }
      fargate  = { latency_p95_milliseconds = 13 }
    }
  }

  assert {
    condition     = toset(keys(module.waf.protected)) == toset(["lambda-test", "lambda-prod", "fargate"])
    error_message = "the firewall must stand before every stage and the load balancer"
  }

  assert {
    condition     = output.functions.string-replace.aliases == { test = "$LATEST", prod = "14" }
    error_message = "test must serve the newest code, and prod the version that the releases file says"
  }

  assert {
    condition     = output.lambda_snapshots.prod == "release-3.2.1"
    error_message = "prod must stand for the release that the releases file says"
  }

  assert {
    condition     = output.name == "switchyard-test-${substr(sha256("123456789012/eu-west-1/switchyard/test"), 0, 6)}"
    error_message = "names must be unique to account, region, identifier and environment"
  }

  assert {
    condition     = length(module.pipeline) == 0 && length(module.domain) == 0
    error_message = "without a repository there is no pipeline, and without a root_domain no certificate"
  }

  assert {
    condition     = !strcontains(jsonencode(output.functions), "arn:")
    error_message = "promotions take the functions' names from this output"
  }

  assert {
    condition = toset(keys(module.alarms.names)) == toset(concat(
      [for key in keys(module.waf.alarms) : "waf-${key}"],
      [for key in keys(module.mapping.alarms) : "mapping-${key}"],
      [for key in keys(module.rest_api[0].alarms) : "lambda-api-${key}"],
      [for key in keys(module.function["string-replace"].alarms) : "lambda-string-replace-${key}"],
      [for key in keys(module.network[0].alarms) : "network-${key}"],
      [for key in keys(module.fargate[0].alarms) : "fargate-${key}"],
    ))
    error_message = "every alarm that a module returns must be made"
  }

  assert {
    condition     = length(module.waf.alarms) > 0 && length(module.rest_api[0].alarms) == 6 && length(module.function["string-replace"].alarms) == 8 && length(module.fargate[0].alarms) > 0
    error_message = "and every module must return some"
  }

  assert {
    condition     = module.function["string-replace"].alarms["prod-duration"].threshold == 11
    error_message = "the function's threshold must be the one given"
  }

  assert {
    condition     = module.rest_api[0].alarms["prod-server-errors"].threshold == 0.12 && module.rest_api[0].alarms["prod-latency"].threshold == 2000
    error_message = "the API's threshold must be the one given, and what is left out keeps its default"
  }

  assert {
    condition     = module.fargate[0].alarms["latency"].threshold == 0.013
    error_message = "the container's threshold must be the one given"
  }

  # What has a row of its own there stands side by side: modules/dashboard.
  assert {
    condition = alltrue([for row in ["requests", "latency", "errors", "cost"] :
      contains(module.rest_api[0].widgets[*].row, row) && contains(module.fargate[0].widgets[*].row, row)
    ])
    error_message = "requests, latency, errors and cost drivers must be shown of both architectures"
  }

  assert {
    condition     = length([for widget in module.waf.widgets : widget if widget.row == "waf" && toset(widget.metrics[*].metric_name) == toset(["AllowedRequests", "BlockedRequests"])]) == 1
    error_message = "what the firewall allows and blocks must be shown"
  }

  assert {
    condition     = length(aws_api_gateway_account.this) == 0 && length(aws_iam_role.api_gateway_logs) == 0
    error_message = "a setting of the whole account must not be touched unasked"
  }
}

run "lambda_alone_with_a_large_map" {
  command = plan

  variables {
    architectures  = ["lambda"]
    environment    = "acceptance"
    root_domain    = "example.com"
    mapping_source = "table"
  }

  assert {
    condition     = toset(keys(module.waf.protected)) == toset(["lambda-test", "lambda-prod"]) && length(module.network) == 0 && length(module.fargate) == 0
    error_message = "lambda needs no network and no containers"
  }

  assert {
    condition     = output.fargate_url == null && length(output.egress_ips) == 0
    error_message = "what is not deployed has no address"
  }

  assert {
    condition     = module.domain["lambda"].host == "switchyard-lambda-acceptance.example.com" && startswith(output.name, "switchyard-acc-")
    error_message = "two environments must not share a host name"
  }

  assert {
    condition     = local.map_to_read.environment == { STRINGS_MAPPING_TABLE = "${output.name}-mapping" }
    error_message = "the functions must be told the table, and nothing of the parameter"
  }
}

run "fargate_alone" {
  command = plan

  variables {
    architectures = ["fargate"]
  }

  assert {
    condition     = keys(module.waf.protected) == ["fargate"] && length(module.rest_api) == 0 && length(module.function) == 0 && length(module.packages) == 0
    error_message = "fargate needs no functions"
  }

  assert {
    condition     = length(output.functions) == 0 && length(output.lambda_snapshots) == 0
    error_message = "what is not deployed has nothing to say"
  }
}

run "events_alone" {
  command = plan

  variables {
    architectures    = ["events"]
    root_domain      = "example.com"
    alarm_thresholds = { event_stream = { freshness_seconds = 14 } }
    events           = { stage_name = "live", buffering = { seconds = 120 } }
  }

  assert {
    condition     = keys(module.waf.protected) == ["events-live"] && output.events.url == "https://switchyard-events-test.example.com/live"
    error_message = "the stage must be behind the firewall and have a host name"
  }

  assert {
    condition     = length(module.function) == 0 && length(module.packages) == 0 && length(module.network) == 0
    error_message = "events need no function and no network"
  }

  assert {
    condition     = module.event_stream[0].alarms.freshness.threshold == 14
    error_message = "the stream's threshold must be the one given"
  }

  assert {
    condition = toset([for key in keys(module.alarms.names) : key if startswith(key, "events-")]) == toset(concat(
      [for key in keys(module.events_api[0].alarms) : "events-api-${key}"],
      [for key in keys(module.event_stream[0].alarms) : "events-stream-${key}"],
    ))
    error_message = "every alarm that a module returns must be made"
  }

  assert {
    condition     = output.events.stream == "${output.name}-events"
    error_message = "the output must say which stream it is"
  }
}

run "publish_alone" {
  command = plan

  variables {
    architectures    = ["publish"]
    root_domain      = "example.com"
    alarm_thresholds = { capture = { oldest_message_seconds = 15 } }
    publish          = { stage_name = "live", max_processing_attempts = 3 }
  }

  assert {
    condition     = keys(module.waf.protected) == ["publish-live"] && output.publish.url == "https://switchyard-publish-test.example.com/live"
    error_message = "the stage must be behind the firewall and have a host name"
  }

  assert {
    condition     = toset(keys(module.publish_function)) == toset(["authorizer", "publish-receipt", "publish-worker"]) && alltrue([for function in module.publish_function : function.aliases == { live = "$LATEST" }])
    error_message = "the stage must call what is deployed now"
  }

  assert {
    condition     = length(module.function) == 0 && length(module.rest_api) == 0 && length(module.publish_api[0].api_key_ids) == 0
    error_message = "publish needs none of the architecture lambda's functions, and no API key"
  }

  # Containers need a way out of the VPC; the worker has all it needs within.
  assert {
    condition     = length(module.network[0].nat_public_ips) == 0 && toset(keys(module.network[0].endpoint_ids)) == toset(["s3", "dynamodb", "sqs", "ssm"])
    error_message = "the worker must reach S3, DynamoDB, SQS and the map's parameter, without a NAT gateway"
  }

  assert {
    condition     = module.capture[0].alarms.oldest-message.threshold == 15 && module.publish_function["publish-worker"].alarms["live-duration"].threshold == 30000
    error_message = "the queue's threshold must be the one given; the worker may take half of its time-out"
  }

  assert {
    condition = toset([for key in keys(module.alarms.names) : key if startswith(key, "publish-") || startswith(key, "tokens-")]) == toset(concat(
      [for key in keys(module.publish_api[0].alarms) : "publish-api-${key}"],
      [for key in keys(module.capture[0].alarms) : "publish-capture-${key}"],
      [for key in keys(module.tokens[0].alarms) : "tokens-${key}"],
      [for key in keys(module.publish_function["authorizer"].alarms) : "publish-authorizer-${key}"],
      [for key in keys(module.publish_function["publish-receipt"].alarms) : "publish-receipt-${key}"],
      [for key in keys(module.publish_function["publish-worker"].alarms) : "publish-worker-${key}"],
    ))
    error_message = "every alarm that a module returns must be made"
  }

  assert {
    condition     = output.publish.token_table == "${output.name}-tokens" && output.publish.receipt_table == "${output.name}-publish-receipts"
    error_message = "the output must say where tokens and receipts are"
  }
}

run "publish_open_and_for_another_consumer" {
  command = plan

  variables {
    architectures  = ["publish"]
    mapping_source = "table"
    publish        = { authorization_header = "", worker = false }
  }

  assert {
    condition     = keys(module.publish_function) == ["publish-receipt"] && length(module.tokens) == 0 && output.publish.token_table == null
    error_message = "without a header nobody is asked for a token"
  }

  assert {
    condition     = length(module.network) == 0
    error_message = "without the worker nothing needs a network"
  }
}

run "publish_with_a_map_from_the_table" {
  command = plan

  variables {
    architectures  = ["publish"]
    mapping_source = "table"
    network        = { interface_endpoints = ["logs"] }
  }

  assert {
    condition     = toset(keys(module.network[0].endpoint_ids)) == toset(["s3", "dynamodb", "sqs", "logs"])
    error_message = "the table needs no endpoint for SSM, and the owner's endpoints stay"
  }
}

run "private_with_a_domain" {
  command = plan

  variables {
    architectures      = ["fargate", "private"]
    root_domain        = "example.com"
    notification_email = "ops@example.com"
    private            = { allowed_cidr_blocks = ["192.0.2.0/24"] }
    external_services  = { billing = { port = 9001, upstream = "https://billing.dc.example.com" } }
  }

  assert {
    condition     = keys(module.waf.protected) == ["fargate"] && { for stage, association in aws_wafv2_web_acl_association.private : stage => split("/", association.web_acl_arn)[2] } == { prod = "shared", dev = "closed", test = "closed", stage = "closed" }
    error_message = "prod must be behind the shared firewall, and every other stage behind the allow-list"
  }

  assert {
    condition     = { for name, domain in module.domain : name => domain.host } == { for name in ["fargate", "private-dev", "private-test", "private-stage", "private-prod"] : name => "switchyard-${name}-test.example.com" }
    error_message = "each stage must have a host name and a certificate of its own"
  }

  assert {
    condition     = output.private.urls == { for stage in ["dev", "test", "stage", "prod"] : stage => "https://switchyard-private-${stage}-test.example.com" }
    error_message = "a stage must be at its host name, without a base path"
  }

  assert {
    condition     = output.private.endpoints == { prod = "switchyard-fargate-test.example.com:8000", dev = "switchyard-fargate-test.example.com:8001", test = "switchyard-fargate-test.example.com:8002", stage = "switchyard-fargate-test.example.com:8003" }
    error_message = "each stage must have a port of its own, and ask for the name that the certificate behind has"
  }

  assert {
    condition     = output.private.closed_stages == tolist(["dev", "stage", "test"]) && output.private.token_table == "${output.name}-tokens"
    error_message = "the output must say which stages are closed, and where tokens are"
  }

  assert {
    condition     = toset(output.apis.private.stages) == toset(["dev", "prod", "stage", "test"]) && output.apis.private.following == "dev" && output.apis.private.service.name == output.name
    error_message = "releases must be told the stages, which of them follows every change, and the container service"
  }

  assert {
    condition     = keys(module.private_function) == ["private-authorizer"] && module.private_function["private-authorizer"].aliases == { live = "$LATEST" } && length(module.publish_function) == 0 && length(module.function) == 0
    error_message = "private must have an authorizer, and no other function"
  }

  assert {
    condition     = local.private.private-authorizer.lambda.environment.TOKEN_TABLE == "${output.name}-tokens" && local.private.private-authorizer.lambda.environment.TOKEN_SCOPE == "private"
    error_message = "the authorizer must ask for the scope of this API"
  }

  assert {
    condition     = length(module.network) == 1 && length(module.network[0].nat_public_ips) == 1 && keys(module.external_services[0].alarms) == ["billing-unhealthy", "missing-tasks"]
    error_message = "services outside AWS must be called from one fixed address"
  }

  assert {
    condition = toset([for key in keys(module.alarms.names) : key if !startswith(key, "fargate-") && !startswith(key, "network-") && !startswith(key, "mapping-") && !startswith(key, "waf-")]) == toset(concat(
      [for key in keys(module.private_api[0].alarms) : "private-api-${key}"],
      [for key in keys(module.allow_list[0].alarms) : "private-closed-${key}"],
      [for key in keys(module.private_link[0].alarms) : "private-link-${key}"],
      [for key in keys(module.external_services[0].alarms) : "external-${key}"],
      [for key in keys(module.private_function["private-authorizer"].alarms) : "private-authorizer-${key}"],
      [for key in keys(module.tokens[0].alarms) : "tokens-${key}"],
    ))
    error_message = "every alarm that a module returns must be made"
  }
}

run "private_with_stages_of_its_owner_beside_publish" {
  command = plan

  variables {
    architectures = ["fargate", "private", "publish"]
    publish       = { authorization_header = "" }
    private = {
      stages      = { blue = { port = 9000, rate_limit = 7 }, red = { port = 9001 } }
      open_stages = ["blue", "red"]
    }
  }

  assert {
    condition     = { for stage, association in aws_wafv2_web_acl_association.private : stage => split("/", association.web_acl_arn)[2] } == { blue = "shared", red = "shared" } && length(module.allow_list) == 0
    error_message = "with every stage open there is no allow-list"
  }

  assert {
    condition     = length(module.tokens) == 1 && output.publish.token_table == null && output.private.token_table != null
    error_message = "private asks for tokens when publish does not"
  }

  assert {
    condition     = length(module.network) == 1 && length(module.network[0].nat_public_ips) == 1
    error_message = "publish's worker must share the containers' network, and they need their way out"
  }

  assert {
    condition     = output.private.external_services == {} && length(module.external_services) == 0
    error_message = "no proxy must be where there is nothing to reach"
  }
}

run "two_listeners_at_one_port" {
  command = plan

  variables {
    architectures     = ["fargate", "private"]
    external_services = { billing = { port = 8001, upstream = "https://billing.dc.example.com" } }
  }

  expect_failures = [var.private]
}

run "any_origin_with_credentials" {
  command = plan

  variables {
    private = { cors = { origins = ["*"], credentials = true } }
  }

  expect_failures = [var.private]
}

run "an_origin_with_a_path" {
  command = plan

  variables {
    private = { cors = { origins = ["https://app.example.com/"] } }
  }

  expect_failures = [var.private]
}

run "production_with_a_domain_and_a_pipeline" {
  command = plan

  variables {
    environment = "production"
    root_domain = "example.com"
    repository  = { full_name = "example/switchyard" }
    api_gateway = { default_endpoint = false, manage_account = true }
  }

  assert {
    condition     = { for architecture, domain in module.domain : architecture => domain.host } == { lambda = "switchyard-lambda.example.com", fargate = "switchyard-fargate.example.com" }
    error_message = "each architecture must have a host name of its own"
  }

  assert {
    condition     = output.lambda_urls == { test = "https://switchyard-lambda.example.com/test", prod = "https://switchyard-lambda.example.com/prod" } && output.fargate_url == "https://switchyard-fargate.example.com"
    error_message = "the addresses must be under the domain"
  }

  assert {
    condition     = length(aws_api_gateway_account.this) == 1
    error_message = "the account's role for logs must be set on request"
  }

  assert {
    condition     = length(module.pipeline) == 1
    error_message = "a repository must have a pipeline"
  }
}
