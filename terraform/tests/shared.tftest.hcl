# The parts that every architecture shares: firewall, map, notifications, alarms, dashboard, domain.
mock_provider "aws" {
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:123456789012:switchyard-test" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:123456789012:key/1" }
  }
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/switchyard-test/1" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:aws-waf-logs-switchyard-test" }
  }
}

variables {
  name = "switchyard-test"
}

run "firewall" {
  command = plan

  module {
    source = "./modules/waf"
  }

  variables {
    account_id         = "123456789012"
    region             = "eu-west-1"
    log_retention_days = 30
    protected = {
      lambda-test = "arn:aws:apigateway:eu-west-1::/restapis/a1/stages/test"
      lambda-prod = "arn:aws:apigateway:eu-west-1::/restapis/a1/stages/prod"
      fargate     = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/switchyard-test/1"
    }
  }

  assert {
    condition     = { for name, association in aws_wafv2_web_acl_association.this : name => association.resource_arn } == { for name, arn in var.protected : name => arn }
    error_message = "the firewall must stand before everything that it is given"
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement) if rule.name == "RateLimit"][0].limit == 1000
    error_message = "an address may make 1000 requests"
  }

  assert {
    condition     = [for rule in aws_wafv2_web_acl.this.rule : one(one(rule.statement).rate_based_statement) if rule.name == "RateLimit"][0].evaluation_window_sec == 300
    error_message = "in five minutes"
  }

  assert {
    condition = { for rule in aws_wafv2_web_acl.this.rule : rule.name => [
      for override in one(one(rule.statement).managed_rule_group_statement).rule_action_override : override.name if length(one(override.action_to_use).count) == 1
      ] if length(one(rule.statement).managed_rule_group_statement) == 1 } == {
      AWSManagedRulesAmazonIpReputationList = []
      AWSManagedRulesCommonRuleSet          = ["SizeRestrictions_BODY"]
    }
    error_message = "both managed groups must block, but for the 8 KB body rule, which counts"
  }

  assert {
    condition     = alltrue([for rule in aws_wafv2_web_acl.this.rule : one(rule.visibility_config).cloudwatch_metrics_enabled && one(rule.visibility_config).sampled_requests_enabled])
    error_message = "every rule must have metrics and samples"
  }

  assert {
    condition     = startswith(aws_cloudwatch_log_group.this.name, "aws-waf-logs-") && toset(flatten(aws_wafv2_web_acl_logging_configuration.this.redacted_fields[*].single_header[*].name)) == toset(["x-api-key", "authorization"])
    error_message = "the log must be one that WAF takes, without keys and tokens"
  }

  assert {
    condition = { for key, alarm in output.alarms : key => "${alarm.metric_name} ${alarm.statistic} ${alarm.threshold} ${alarm.dimensions.Rule}" } == {
      rate-limit = "BlockedRequests Sum 0 RateLimit"
    }
    error_message = "an address that is blocked for its rate must be told"
  }
}

run "firewall_before_a_load_balancer_that_ours_call" {
  command = plan

  module {
    source = "./modules/waf"
  }

  variables {
    account_id         = "123456789012"
    region             = "eu-west-1"
    log_retention_days = 30
    protected          = {}
    inner_cidr_blocks  = ["10.0.128.0/20", "10.0.144.0/20"]
  }

  assert {
    condition     = aws_wafv2_ip_set.inner[0].addresses == toset(["10.0.128.0/20", "10.0.144.0/20"])
    error_message = "the set must have our own load balancers' addresses"
  }

  assert {
    condition     = length(one([for rule in aws_wafv2_web_acl.this.rule : one(one(one(one(one(rule.statement).rate_based_statement).scope_down_statement).not_statement).statement).ip_set_reference_statement if rule.name == "RateLimit"])) == 1
    error_message = "requests from there must not be counted: one address stands for all callers of private"
  }
}

run "map" {
  command = plan

  module {
    source = "./modules/mapping"
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.this.value).ING == "ING BANK"
    error_message = "the map must begin with the built-in rules"
  }

  assert {
    condition     = aws_dynamodb_table.this.hash_key == "pk" && aws_dynamodb_table.this.range_key == "sk" && one(aws_dynamodb_table.this.point_in_time_recovery).enabled && one(aws_dynamodb_table.this.server_side_encryption).enabled
    error_message = "the table must have keys pk and sk, point-in-time recovery and encryption"
  }

  assert {
    condition     = output.readers.parameter.environment == { STRINGS_MAPPING_PARAMETER_NAME = "/switchyard-test/mapping" } && output.readers.table.environment == { STRINGS_MAPPING_TABLE = "switchyard-test-mapping" }
    error_message = "each reader must be told its own source, and only that: two of them are an error"
  }

  assert {
    condition     = { for key, alarm in output.alarms : key => "${alarm.metric_name} ${alarm.statistic} ${alarm.threshold}" } == { throttles = "ReadThrottleEvents Sum 0" }
    error_message = "refused reads of the table must be told"
  }
}

# `ignore_changes`: the second apply has other rules and must leave the parameter as it is.
run "map_begun" {
  module {
    source = "./modules/mapping"
  }
}

run "map_given_again" {
  module {
    source = "./modules/mapping"
  }

  variables {
    rules = { ING = "something else" }
  }

  assert {
    condition     = jsondecode(aws_ssm_parameter.this.value).ING == "ING BANK"
    error_message = "a map that exists is the operators': Terraform must not set it again"
  }
}

run "notifications" {
  module {
    source = "./modules/notifications"
  }

  variables {
    account_id = "123456789012"
    email      = "ops@example.com"
  }

  assert {
    condition     = aws_sns_topic_subscription.email[0].protocol == "email" && aws_sns_topic_subscription.email[0].endpoint == "ops@example.com"
    error_message = "the address must be subscribed"
  }

  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == aws_kms_key.this.arn
    error_message = "the topic must be encrypted"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : statement if statement.Sid == "PublishAlarms"]).Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "alarms may be published for this account only"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement : !contains(keys(statement), "Condition") if statement.Sid == "PublishEvents"])
    error_message = "EventBridge and CodeStar Notifications say no account: a condition would keep them out"
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_sns_topic_policy.this.policy).Statement :
      length(setsubtract(statement.Principal.Service, jsondecode(aws_kms_key.this.policy).Statement[1].Principal.Service)) == 0
    ])
    error_message = "alarms need the topic and the key: with one alone nobody hears of them"
  }
}

run "nobody_to_notify" {
  command = plan

  module {
    source = "./modules/notifications"
  }

  variables {
    account_id = "123456789012"
  }

  assert {
    condition     = length(aws_sns_topic_subscription.email) == 0
    error_message = "without an address nobody is subscribed"
  }
}

run "alarms" {
  command = plan

  module {
    source = "./modules/alarms"
  }

  variables {
    topic_arn = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
    alarms = {
      plain = { description = "Errors", namespace = "AWS/Lambda", metric_name = "Errors", dimensions = { FunctionName = "f" }, statistic = "Sum", threshold = 0 }
      tail  = { description = "Slow", namespace = "AWS/Lambda", metric_name = "Duration", statistic = "p95", threshold = 1000, evaluation_periods = 5, datapoints_to_alarm = 3 }
      ratio = {
        description = "Share of errors"
        threshold   = 5
        metric_queries = {
          rate   = { expression = "100 * errors / all", return_data = true }
          errors = { metric = { namespace = "AWS/ApplicationELB", metric_name = "HTTPCode_Target_5XX_Count", statistic = "Sum" } }
          all    = { metric = { namespace = "AWS/ApplicationELB", metric_name = "RequestCount", statistic = "Sum" } }
        }
      }
    }
  }

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_actions == toset([var.topic_arn]) && alarm.ok_actions == toset([var.topic_arn]) && alarm.treat_missing_data == "notBreaching"])
    error_message = "every alarm must tell the topic, when it starts and when it ends"
  }

  assert {
    condition = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => "${alarm.alarm_name} ${alarm.comparison_operator} ${alarm.threshold} ${alarm.datapoints_to_alarm}/${alarm.evaluation_periods}" } == {
      plain = "switchyard-test-plain GreaterThanThreshold 0 1/1"
      tail  = "switchyard-test-tail GreaterThanThreshold 1000 3/5"
      ratio = "switchyard-test-ratio GreaterThanThreshold 5 1/1"
    }
    error_message = "name, threshold and periods must be those given"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["plain"].statistic == "Sum" && aws_cloudwatch_metric_alarm.this["tail"].extended_statistic == "p95" && aws_cloudwatch_metric_alarm.this["tail"].statistic == null
    error_message = "a percentile goes into extended_statistic"
  }

  assert {
    condition     = [for query in aws_cloudwatch_metric_alarm.this["ratio"].metric_query : query.id if query.return_data] == ["rate"] && aws_cloudwatch_metric_alarm.this["ratio"].metric_name == null
    error_message = "a ratio compares its expression, and has no metric of its own"
  }
}

run "alarm_that_never_ends" {
  command = plan

  module {
    source = "./modules/alarms"
  }

  variables {
    topic_arn = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
    alarms    = { errors = { description = "Errors", namespace = "AWS/Lambda", metric_name = "Errors", statistic = "Sum", threshold = 0, comparison_operator = "GreaterThanOrEqualToThreshold" } }
  }

  expect_failures = [var.alarms]
}

run "alarm_on_nothing" {
  command = plan

  module {
    source = "./modules/alarms"
  }

  variables {
    topic_arn = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
    alarms    = { errors = { description = "Errors", threshold = 0 } }
  }

  expect_failures = [var.alarms]
}

run "alarm_on_two_expressions" {
  command = plan

  module {
    source = "./modules/alarms"
  }

  variables {
    topic_arn = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
    alarms    = { errors = { description = "Errors", threshold = 0, metric_queries = { a = { expression = "1", return_data = true }, b = { expression = "2", return_data = true } } } }
  }

  expect_failures = [var.alarms]
}

run "dashboard" {
  command = plan

  module {
    source = "./modules/dashboard"
  }

  variables {
    region = "eu-west-1"
    widgets = concat(
      [{ row = "waf", title = "Blocked", metrics = [] }],
      [for number in range(5) : {
        row     = "requests"
        title   = "API ${number}"
        metrics = [{ namespace = "AWS/ApiGateway", metric_name = "Count", dimensions = { ApiName = "a", Stage = "prod" }, statistic = "Sum", id = "m1", visible = false }]
      }],
    )
  }

  assert {
    condition = [for widget in jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets : "${widget.x},${widget.y} ${widget.width}x${widget.height} ${try(widget.properties.title, widget.properties.markdown)}"] == [
      "0,0 24x1 ## Requests",
      "0,13 24x1 ## Web application firewall",
      "0,1 6x6 API 0",
      "6,1 6x6 API 1",
      "12,1 6x6 API 2",
      "18,1 6x6 API 3",
      "0,7 6x6 API 4",
      "0,14 24x6 Blocked",
    ]
    error_message = "one topic's graphs must stand side by side, four to a line, below the topic's title"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[2].properties.metrics == [["AWS/ApiGateway", "Count", "ApiName", "a", "Stage", "prod", { id = "m1", stat = "Sum", visible = false }]]
    error_message = "a metric must be in CloudWatch's form"
  }
}

run "bad_row" {
  command = plan

  module {
    source = "./modules/dashboard"
  }

  variables {
    region  = "eu-west-1"
    widgets = [{ row = "weather", title = "Rain", metrics = [] }]
  }

  expect_failures = [var.widgets]
}
