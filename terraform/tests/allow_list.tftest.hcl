# Who may call the stages that are not open, and what the others are told.
mock_provider "aws" {
  mock_resource "aws_wafv2_web_acl" {
    defaults = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/closed/1" }
  }
  mock_resource "aws_wafv2_ip_set" {
    defaults = { arn = "arn:aws:wafv2:eu-west-1:123456789012:regional/ipset/closed/2" }
  }
}

variables {
  name                = "switchyard-test-closed"
  region              = "eu-west-1"
  allowed_cidr_blocks = ["192.0.2.0/24", "198.51.100.7/32", "2001:db8::/32"]
  contact             = "Platform <platform@example.com>"
  log_group_arn       = "arn:aws:logs:eu-west-1:123456789012:log-group:aws-waf-logs-switchyard-test"
}

run "as_it_is" {
  command = plan

  module {
    source = "./modules/allow_list"
  }

  assert {
    condition     = length(one(aws_wafv2_web_acl.this.default_action).allow) == 0 && one(one(one(aws_wafv2_web_acl.this.default_action).block).custom_response).response_code == 403
    error_message = "whoever is not on the list must be refused"
  }

  assert {
    condition     = one(one(one(aws_wafv2_web_acl.this.default_action).block).custom_response).custom_response_body_key == one(aws_wafv2_web_acl.this.custom_response_body).key && one(aws_wafv2_web_acl.this.custom_response_body).content_type == "APPLICATION_JSON"
    error_message = "with the answer of ours, as JSON"
  }

  assert {
    condition = jsondecode(one(aws_wafv2_web_acl.this.custom_response_body).content) == {
      message = "Forbidden"
      hint    = "This stage is open to known addresses only. To have yours added, ask Platform <platform@example.com>"
    }
    error_message = "which must be JSON whatever the contact is, and say whom to ask"
  }

  assert {
    condition     = { for family, set in aws_wafv2_ip_set.this : family => [set.ip_address_version, set.addresses] } == { ipv4 = ["IPV4", toset(["192.0.2.0/24", "198.51.100.7/32"])], ipv6 = ["IPV6", toset(["2001:db8::/32"])] }
    error_message = "each set must have the addresses of its family"
  }

  assert {
    condition     = { for rule in aws_wafv2_web_acl.this.rule : rule.name => length(one(rule.action).allow) } == { Allowed-ipv4 = 1, Allowed-ipv6 = 1 }
    error_message = "a rule must let each family's set through, and there must be no other"
  }

  assert {
    condition     = aws_wafv2_web_acl_logging_configuration.this.log_destination_configs == toset([var.log_group_arn]) && toset(flatten(aws_wafv2_web_acl_logging_configuration.this.redacted_fields[*].single_header[*].name)) == toset(["x-api-key", "authorization"])
    error_message = "what is blocked must be logged, without keys and tokens"
  }

  assert {
    condition     = { for key, alarm in output.alarms : key => "${alarm.metric_name} ${alarm.dimensions.Rule} ${alarm.threshold}" } == { blocked = "BlockedRequests ALL 100" } && output.widgets[*].row == ["waf"]
    error_message = "many refusals must be told, and all shown"
  }
}

run "nobody" {
  command = plan

  module {
    source = "./modules/allow_list"
  }

  variables {
    allowed_cidr_blocks = []
  }

  assert {
    condition     = alltrue([for set in aws_wafv2_ip_set.this : length(set.addresses) == 0])
    error_message = "an empty list must let nobody in"
  }
}

run "everybody" {
  command = plan

  module {
    source = "./modules/allow_list"
  }

  variables {
    allowed_cidr_blocks = ["0.0.0.0/0"]
  }

  expect_failures = [var.allowed_cidr_blocks]
}

run "an_address_that_is_no_block" {
  command = plan

  module {
    source = "./modules/allow_list"
  }

  variables {
    allowed_cidr_blocks = ["192.0.2.1"]
  }

  expect_failures = [var.allowed_cidr_blocks]
}

# WAF would write it as it should be, and the plan would never be clean.
run "bits_beyond_the_prefix" {
  command = plan

  module {
    source = "./modules/allow_list"
  }

  variables {
    allowed_cidr_blocks = ["192.0.2.1/24"]
  }

  expect_failures = [var.allowed_cidr_blocks]
}
