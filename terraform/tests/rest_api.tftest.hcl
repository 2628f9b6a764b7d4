# What an API's stages serve, and when that changes. The first run makes the API in a mocked AWS; the others plan changes of
# it with the provider itself, which knows what a change replaces. A plan without a refresh calls nothing.
mock_provider "aws" {
  mock_resource "aws_api_gateway_rest_api" {
    defaults = {
      id            = "a1b2c3d4e5"
      execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5"
    }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:access" }
  }
}

provider "aws" {
  alias                       = "planning"
  region                      = "eu-west-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variables {
  name               = "switchyard-test-lambda"
  description        = "String replacement"
  log_retention_days = 30

  definition = <<-YAML
    # A comment defines nothing.
    openapi: 3.0.1
    info: { title: test, version: "1" }
    paths:
      /string/replace:
        post:
          description: Replaces words.
          responses: { "200": { description: Done. } }
    x-amazon-apigateway-gateway-responses:
      THROTTLED: { statusCode: 429 }
  YAML

  stages = {
    test = { variables = { alias = "test" } }
    prod = { variables = { alias = "prod" }, release = "1.0.0" }
  }

  functions = {
    string-replace = { name = "switchyard-test-string-replace", aliases = { test = "$LATEST", prod = "14" } }
  }
}

run "deployed" {
  module {
    source = "./modules/rest_api"
  }

  assert {
    condition     = { for name, stage in aws_api_gateway_stage.this : name => stage.variables.alias } == { test = "test", prod = "prod" }
    error_message = "each stage must call the alias of its own name"
  }

  assert {
    condition     = alltrue([for stage in aws_api_gateway_stage.this : stage.xray_tracing_enabled])
    error_message = "every stage must send traces"
  }

  assert {
    condition     = alltrue([for stage in aws_api_gateway_stage.this : can(jsondecode(one(stage.access_log_settings).format).requestId)])
    error_message = "every stage must write its access log as JSON"
  }

  assert {
    condition = { for key, permission in aws_lambda_permission.stage : key => [permission.function_name, permission.qualifier, permission.source_arn] } == {
      string-replace-test = ["switchyard-test-string-replace", "test", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/test/*/*"]
      string-replace-prod = ["switchyard-test-string-replace", "prod", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/*/*"]
    }
    error_message = "each alias must have one permission, for the stage of its own name and no other"
  }

  assert {
    condition     = alltrue([for plan in aws_api_gateway_usage_plan.this : one(plan.throttle_settings).rate_limit == 100 && one(plan.throttle_settings).burst_limit == 200])
    error_message = "every stage's usage plan must throttle"
  }

  assert {
    condition     = alltrue([for settings in aws_api_gateway_method_settings.this : settings.method_path == "*/*" && one(settings.settings).throttling_rate_limit == 100 && !one(settings.settings).data_trace_enabled && one(settings.settings).logging_level == "ERROR" && one(settings.settings).metrics_enabled])
    error_message = "every method must be throttled, measured and logged, and never with its body"
  }

  assert {
    condition     = toset(keys(aws_api_gateway_usage_plan_key.this)) == toset(["test", "prod"])
    error_message = "every stage must have a key of its own"
  }

  assert {
    condition     = length(aws_api_gateway_domain_name.this) == 0 && length(aws_api_gateway_base_path_mapping.this) == 0
    error_message = "without a domain AWS's own host name serves"
  }

  assert {
    condition     = output.snapshots.prod == "release-1.0.0"
    error_message = "prod must stand for its release"
  }
}

# Of the changes below none is released: prod keeps its deployment, and test asks for a new one.

run "unreleased_path" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    definition = <<-YAML
      openapi: 3.0.1
      info: { title: test, version: "1" }
      paths:
        /string/replace:
          post:
            description: Replaces words.
            responses: { "200": { description: Done. } }
        /another:
          get:
            responses: { "200": { description: Done. } }
      x-amazon-apigateway-gateway-responses:
        THROTTLED: { statusCode: 429 }
    YAML
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod && aws_api_gateway_stage.this["prod"].deployment_id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change must leave prod at the very deployment that it has"
  }

  assert {
    condition     = aws_api_gateway_documentation_version.this["prod"].version == "prod-release-1.0.0"
    error_message = "an unreleased change must leave prod's documentation"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a new path must redeploy test"
  }
}

run "unreleased_gateway_response" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    definition = <<-YAML
      openapi: 3.0.1
      info: { title: test, version: "1" }
      paths:
        /string/replace:
          post:
            description: Replaces words.
            responses: { "200": { description: Done. } }
      x-amazon-apigateway-gateway-responses:
        THROTTLED: { statusCode: 503 }
    YAML
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of a gateway response must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of a gateway response must redeploy test"
  }
}

run "unreleased_documentation" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    definition = <<-YAML
      openapi: 3.0.1
      info: { title: test, version: "1" }
      paths:
        /string/replace:
          post:
            description: Replaces all words.
            responses: { "200": { description: Done. } }
      x-amazon-apigateway-gateway-responses:
        THROTTLED: { statusCode: 429 }
    YAML
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of a description must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of a description must redeploy test"
  }
}

run "unreleased_name" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    name = "another"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of the name must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of the name must redeploy test"
  }
}

run "unreleased_api_description" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    description = "Another"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of the description of the API must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of the description of the API must redeploy test"
  }
}

run "unreleased_binary_media_types" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    binary_media_types = ["image/png"]
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of binary_media_types must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of binary_media_types must redeploy test"
  }
}

run "unreleased_compression" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    minimum_compression_size = 1024
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of minimum_compression_size must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of minimum_compression_size must redeploy test"
  }
}

run "unreleased_default_endpoint" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    default_endpoint = false
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of default_endpoint must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of default_endpoint must redeploy test"
  }
}

run "unreleased_policy" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    policy = jsonencode({ Version = "2012-10-17", Statement = [] })
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod
    error_message = "an unreleased change of the policy must leave prod's deployment alone"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "a change of the policy must redeploy test"
  }
}

run "nothing_changed" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    definition = <<-YAML
      openapi: 3.0.1
      info:
        title: test
        version: "1"
      paths: { /string/replace: { post: { description: Replaces words., responses: { "200": { description: Done. } } } } }
      x-amazon-apigateway-gateway-responses: { THROTTLED: { statusCode: 429 } }
    YAML
  }

  assert {
    condition     = { for name, deployment in aws_api_gateway_deployment.this : name => deployment.id } == run.deployed.deployment_ids
    error_message = "neither a comment nor an indent may redeploy anything"
  }
}

run "released" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages = {
      test = { variables = { alias = "test" } }
      prod = { variables = { alias = "prod" }, release = "1.1.0" }
    }
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].triggers.snapshot == "release-1.1.0" && aws_api_gateway_stage.this["prod"].description == "Release 1.1.0"
    error_message = "another release must redeploy prod"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].id == run.deployed.deployment_ids.test
    error_message = "releasing what test serves already must leave test alone"
  }
}

# A release that a command has made: the stage serves its deployment, and Terraform's own stays to turn back to.
run "released_by_a_command" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages = {
      test = { variables = { alias = "test" }, release = "1.1.0", follows = true }
      prod = { variables = { alias = "prod" }, release = "1.1.0", initial = "1.0.0", deployments = { a1b2c3d4e5 = "d1e2f3", another = "g4h5i6" } }
    }
  }

  assert {
    condition     = aws_api_gateway_stage.this["prod"].deployment_id == "d1e2f3" && aws_api_gateway_stage.this["prod"].documentation_version == "release-1.1.0" && aws_api_gateway_stage.this["prod"].description == "Release 1.1.0"
    error_message = "prod must serve what was released to it in this account"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["prod"].id == run.deployed.deployment_ids.prod && aws_api_gateway_documentation_version.this["prod"].version == "prod-release-1.0.0"
    error_message = "the first release's deployment must stay"
  }

  assert {
    condition     = output.snapshots == { test = run.deployed.snapshots.test, prod = "release-1.1.0" }
    error_message = "prod must stand for its release, and test, which is recorded only, for the definition"
  }

  assert {
    condition     = aws_api_gateway_stage.this["test"].deployment_id == run.deployed.deployment_ids.test && aws_api_gateway_stage.this["test"].description == "Every change at once"
    error_message = "a stage whose releases are only recorded must go on following every change"
  }
}

run "released_in_another_account" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages = {
      test = { variables = { alias = "test" } }
      prod = { variables = { alias = "prod" }, release = "1.1.0", initial = "1.0.0", deployments = { another = "g4h5i6" } }
    }
  }

  assert {
    condition     = aws_api_gateway_stage.this["prod"].deployment_id == run.deployed.deployment_ids.prod
    error_message = "another API's deployment is none of this one's"
  }
}

run "held" {
  command = plan

  providers = {
    aws = aws.planning
  }

  plan_options {
    refresh = false
  }

  module {
    source = "./modules/rest_api"
  }

  variables {
    description = "Another"
    stages = {
      test = { variables = { alias = "test" }, release = "1.0.1", follows = true, deployments = { a1b2c3d4e5 = "d1e2f3" } }
      prod = { variables = { alias = "prod" }, release = "1.0.0" }
    }
  }

  assert {
    condition     = aws_api_gateway_stage.this["test"].deployment_id == "d1e2f3" && aws_api_gateway_stage.this["test"].description == "Release 1.0.1"
    error_message = "a stage that is held at a release must serve it, whatever changes"
  }

  assert {
    condition     = aws_api_gateway_deployment.this["test"].triggers.snapshot != run.deployed.snapshots.test
    error_message = "there must be a deployment of the newest definition to go on with"
  }
}

run "deployments_of_no_release" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages = { prod = { deployments = { a1b2c3d4e5 = "d1e2f3" } } }
  }

  expect_failures = [var.stages]
}

run "domain" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    default_endpoint = false
    domain = {
      host            = "switchyard-lambda.example.com"
      zone_id         = "Z1"
      certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1"
    }
  }

  assert {
    condition     = { for name, mapping in aws_api_gateway_base_path_mapping.this : name => mapping.base_path } == { test = "test", prod = "prod" }
    error_message = "each stage must have a base path of its name"
  }

  assert {
    condition     = output.urls == { test = "https://switchyard-lambda.example.com/test", prod = "https://switchyard-lambda.example.com/prod" }
    error_message = "with a domain the stages' URLs must be under it"
  }

  assert {
    condition     = aws_api_gateway_rest_api.this.disable_execute_api_endpoint
    error_message = "AWS's own host name must not serve when default_endpoint is false"
  }
}

run "domain_of_a_stage" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    stage_domains = {
      prod = { host = "switchyard-private-prod.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
    }
  }

  assert {
    condition     = { for stage, mapping in aws_api_gateway_base_path_mapping.stage : "${mapping.domain_name} ${mapping.stage_name}" => mapping.base_path == null } == { "switchyard-private-prod.example.com prod" = true }
    error_message = "the host name must be the stage's alone, without a base path"
  }

  assert {
    condition     = one(values(aws_api_gateway_domain_name.stage)).security_policy == "TLS_1_2" && one(values(aws_route53_record.stage)).name == "switchyard-private-prod.example.com"
    error_message = "it must have a record, and take nothing older than TLS 1.2"
  }

  assert {
    condition     = output.urls.prod == "https://switchyard-private-prod.example.com" && output.urls.test != output.urls.prod && length(aws_api_gateway_domain_name.this) == 0
    error_message = "the URL of that stage must be its host name, and the others' as before"
  }
}

run "domain_of_a_stage_that_is_none" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    stage_domains = {
      beta = { host = "beta.example.com", zone_id = "Z1", certificate_arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1" }
    }
  }

  expect_failures = [var.stage_domains]
}

run "alarms" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    alarm_thresholds = { server_error_percent = 5 }
  }

  assert {
    condition = { for key, alarm in output.alarms : key => "${alarm.metric_name} ${alarm.statistic} ${alarm.threshold}" } == {
      test-latency       = "Latency p95 2000"
      test-server-errors = "5XXError Average 0.05"
      test-client-errors = "4XXError Average 0.25"
      prod-latency       = "Latency p95 2000"
      prod-server-errors = "5XXError Average 0.05"
      prod-client-errors = "4XXError Average 0.25"
    }
    error_message = "each stage must have an alarm for latency, 4xx and 5xx, with the thresholds given"
  }

  assert {
    condition     = alltrue([for key, alarm in output.alarms : alarm.dimensions == { ApiName = "switchyard-test-lambda", Stage = split("-", key)[0] }])
    error_message = "an alarm must watch its own stage only"
  }
}

run "bad_definition" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    definition = "openapi: 3.0.1"
  }

  expect_failures = [var.definition]
}

run "bad_stages" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages = { "not/a/name" = { release = "" } }
  }

  expect_failures = [var.stages]
}

run "with_an_authorizer_and_no_keys" {
  command = plan

  module {
    source = "./modules/rest_api"
  }

  variables {
    stages     = { beta = { variables = { alias = "beta" } } }
    functions  = {}
    authorizer = { name = "switchyard-test-authorizer", alias = "beta" }
    api_keys   = false
  }

  override_resource {
    target          = aws_api_gateway_rest_api.this
    override_during = plan
    values          = { execution_arn = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5" }
  }

  assert {
    condition     = [for permission in aws_lambda_permission.authorizer : [permission.function_name, permission.qualifier, permission.source_arn]] == [["switchyard-test-authorizer", "beta", "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/authorizers/*"]]
    error_message = "the API's authorizers, and nobody else, may ask the function"
  }

  assert {
    condition     = length(aws_api_gateway_api_key.this) == 0 && length(aws_api_gateway_usage_plan.this) == 0 && length(output.api_key_ids) == 0
    error_message = "an API whose callers have tokens must make no keys"
  }
}
