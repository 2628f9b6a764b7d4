mock_provider "aws" {}

variables {
  name        = "switchyard-test"
  region      = "eu-west-1"
  account_id  = "123456789012"
  topic_arn   = "arn:aws:sns:eu-west-1:123456789012:switchyard-test"
  alarm_names = ["switchyard-test-server-errors", "switchyard-test-latency"]
  deployment = {
    cluster_name            = "switchyard-test"
    service_name            = "switchyard-test"
    role_arns               = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
    production_listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/1"
    test_listener_arn       = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/2"
    target_group_names      = ["switchyard-test-blue", "switchyard-test-green"]
    scalable_resource_id    = "service/switchyard-test/switchyard-test"
  }
}

run "blue_to_green" {
  command = plan

  module {
    source = "./modules/blue_green"
  }

  assert {
    condition = (
      one(aws_codedeploy_deployment_group.this.deployment_style).deployment_type == "BLUE_GREEN"
      && one(aws_codedeploy_deployment_group.this.deployment_style).deployment_option == "WITH_TRAFFIC_CONTROL"
      && aws_codedeploy_deployment_group.this.deployment_config_name == "CodeDeployDefault.ECSCanary10Percent5Minutes"
      && aws_codedeploy_app.this.compute_platform == "ECS"
    )
    error_message = "a tenth of the traffic goes first"
  }

  assert {
    condition = (
      one(one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).prod_traffic_route).listener_arns == toset(["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/1"])
      && one(one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).test_traffic_route).listener_arns == toset(["arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/switchyard-test/1/2"])
      && [for group in one(one(aws_codedeploy_deployment_group.this.load_balancer_info).target_group_pair_info).target_group : group.name] == ["switchyard-test-blue", "switchyard-test-green"]
    )
    error_message = "both listeners go between both target groups"
  }

  assert {
    condition     = one(aws_codedeploy_deployment_group.this.alarm_configuration).enabled && one(aws_codedeploy_deployment_group.this.alarm_configuration).alarms == toset(["switchyard-test-server-errors", "switchyard-test-latency"])
    error_message = "the alarms stop a release"
  }

  assert {
    condition     = one(aws_codedeploy_deployment_group.this.auto_rollback_configuration).enabled && one(aws_codedeploy_deployment_group.this.auto_rollback_configuration).events == toset(["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST"])
    error_message = "a release that failed or was stopped turns back"
  }

  assert {
    condition     = one(one(aws_codedeploy_deployment_group.this.blue_green_deployment_config).terminate_blue_instances_on_deployment_success).termination_wait_time_in_minutes == 10
    error_message = "the old tasks stay for a while to turn back to"
  }
}

run "role" {
  command = plan

  module {
    source = "./modules/blue_green"
  }

  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "no other account's CodeDeploy may have the role"
  }

  assert {
    condition = one([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement if statement.Action == "iam:PassRole"]) == {
      Sid       = "PassTaskRoles"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    }
    error_message = "the tasks' roles are passed to tasks, and no other role to anything"
  }

  assert {
    condition     = one([for statement in jsondecode(aws_iam_role_policy.this.policy).Statement : statement.Resource if statement.Sid == "TurnListeners"]) == [var.deployment.production_listener_arn, var.deployment.test_listener_arn]
    error_message = "CodeDeploy turns this service's listeners only"
  }
}

run "notifications" {
  command = plan

  module {
    source = "./modules/blue_green"
  }

  assert {
    condition = alltrue([for rule in [aws_codestarnotifications_notification_rule.deployment] :
      one(rule.target).address == "arn:aws:sns:eu-west-1:123456789012:switchyard-test" && length([for event in rule.event_type_ids : event if endswith(event, "-failed")]) == 1
    ])
    error_message = "failed deployments are told"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.scaled_to_maximum.event_pattern).detail.resourceId == ["service/switchyard-test/switchyard-test"]
    error_message = "scaling to the maximum is told, of this service only"
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.service.event_pattern).resources == ["arn:aws:ecs:eu-west-1:123456789012:service/switchyard-test/switchyard-test"]
    error_message = "trouble with starting tasks is told, of this service only"
  }

  assert {
    condition = alltrue([for target in [aws_cloudwatch_event_target.scaled_to_maximum, aws_cloudwatch_event_target.service] :
      target.arn == var.topic_arn && can(jsondecode(target.input_transformer[0].input_template))
    ])
    error_message = "EventBridge tells the topic, in a JSON string"
  }
}

run "bad_input" {
  command = plan

  module {
    source = "./modules/blue_green"
  }

  variables {
    release     = { traffic = "AllAtOnce", keep_blue_minutes = 3000 }
    alarm_names = []
  }

  expect_failures = [
    var.release,
    var.alarm_names,
  ]
}
