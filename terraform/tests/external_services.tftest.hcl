# The way to services outside AWS: nginx's configuration, how it comes to nginx, and who reaches whom.
mock_provider "aws" {
  mock_resource "aws_lb_target_group" {
    override_during = plan
    defaults        = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/x/2", arn_suffix = "targetgroup/x/2" }
  }
  mock_resource "aws_security_group" {
    override_during = plan
    defaults        = { id = "sg-proxies" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    override_during = plan
    defaults        = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/switchyard-test/external-services" }
  }
  mock_resource "aws_iam_role" {
    override_during = plan
    defaults        = { arn = "arn:aws:iam::123456789012:role/proxies" }
  }
}

variables {
  name          = "switchyard-test"
  region        = "eu-west-1"
  account_id    = "123456789012"
  network       = { vpc_id = "vpc-1", private_subnet_ids = ["subnet-3", "subnet-4"], cidr_block = "172.20.0.0/18" }
  cluster_arn   = "arn:aws:ecs:eu-west-1:123456789012:cluster/switchyard-test"
  load_balancer = { arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/net/link/1", dns_name = "link-1.elb.eu-west-1.amazonaws.com", security_group_id = "sg-link" }
  image         = "public.ecr.aws/nginx/nginx:1.28.0-alpine"
  services = {
    billing = { port = 9001, upstream = "https://billing.dc.example.com" }
    stock-b = {
      port                  = 9002
      upstream              = "https://10.1.2.3:8443"
      server_name           = "stock.dc.example.com"
      certificate_authority = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    }
  }
}

run "the_configuration" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  assert {
    condition     = [for match in regexall("listen (\\d+);", local.configuration) : match[0]] == ["9001", "9002"]
    error_message = "each service must have a server at its port"
  }

  assert {
    condition     = regexall("set \\$upstream (\\S+);", local.configuration)[*][0] == tolist(["billing.dc.example.com", "10.1.2.3:8443"]) && length(regexall("proxy_pass https://\\$upstream;", local.configuration)) == 2
    error_message = "each server must lead to its upstream, by TLS"
  }

  assert {
    condition     = regexall("proxy_ssl_name (\\S+);", local.configuration)[*][0] == tolist(["billing.dc.example.com", "stock.dc.example.com"])
    error_message = "the certificate must be for the upstream's host, or for the name that was given"
  }

  assert {
    condition     = regexall("proxy_ssl_trusted_certificate (\\S+);", local.configuration)[*][0] == tolist(["/etc/ssl/certs/ca-certificates.crt", "/tmp/nginx/NGINX_CA_STOCK_B.pem"])
    error_message = "a service's own authority must be the only one that is believed for it"
  }

  assert {
    condition     = alltrue([for directive in ["proxy_ssl_verify on;", "proxy_ssl_server_name on;", "client_max_body_size 10m;", "proxy_set_header Authorization \"\";", "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;", "proxy_set_header X-Forwarded-Proto https;", "proxy_next_upstream off;"] : strcontains(local.configuration, directive)])
    error_message = "TLS must be verified, bodies bounded, the caller's address handed on and the token not, and a request sent once"
  }

  # nginx lets headers be inherited only where there is none.
  assert {
    condition     = length(regexall("(?m)^ {4,}proxy_set_header", local.configuration)) == 0
    error_message = "no server may set a header of its own: it would lose all the others"
  }

  assert {
    condition     = strcontains(local.configuration, "resolver 172.20.0.2 ")
    error_message = "names must be asked of the VPC's DNS server"
  }

  assert {
    condition     = sum([for kind in ["resolver", "proxy_connect", "proxy_send", "proxy_read"] : tonumber(regex("${kind}_timeout (\\d+)s;", local.configuration)[0])]) < 29
    error_message = "the proxy must give up before API Gateway does"
  }
}

run "how_it_runs" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  assert {
    condition = { for variable in jsondecode(aws_ecs_task_definition.this.container_definitions)[1].environment : variable.name => base64decode(variable.value) } == {
      NGINX_CONFIG     = local.configuration
      NGINX_CA_STOCK_B = var.services.stock-b.certificate_authority
    }
    error_message = "nginx must be given its configuration, and the authorities that are not public"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[1].command == ["cd /tmp/nginx && printf %s \"$${NGINX_CA_STOCK_B}\" | base64 -d > NGINX_CA_STOCK_B.pem && printf %s \"$${NGINX_CONFIG}\" | base64 -d > nginx.conf && exec nginx -e /dev/stderr -c /tmp/nginx/nginx.conf -g 'daemon off;'"]
    error_message = "and write them where it may, before it starts"
  }

  assert {
    condition = alltrue([for container in jsondecode(aws_ecs_task_definition.this.container_definitions) :
      container.readonlyRootFilesystem && container.linuxParameters.capabilities.drop == ["ALL"] && container.image == var.image && container.mountPoints == [{ sourceVolume = "work", containerPath = "/tmp/nginx", readOnly = false }]
    ])
    error_message = "nothing but the volume may be written, without capabilities"
  }

  assert {
    condition     = { for container in jsondecode(aws_ecs_task_definition.this.container_definitions) : container.name => [container.user, container.essential] } == { prepare = ["0:0", false], nginx = ["101:101", true] }
    error_message = "nginx must not be root; what makes the volume writable ends before"
  }

  assert {
    condition     = jsondecode(aws_ecs_task_definition.this.container_definitions)[1].dependsOn == [{ containerName = "prepare", condition = "SUCCESS" }]
    error_message = "nginx must wait for its folder"
  }

  assert {
    condition     = aws_ecs_service.this.desired_count == 2 && !one(aws_ecs_service.this.network_configuration).assign_public_ip && one(aws_ecs_service.this.network_configuration).subnets == toset(["subnet-3", "subnet-4"]) && one(aws_ecs_service.this.deployment_circuit_breaker).rollback
    error_message = "two must run, with no way out but the NAT gateway, and a configuration that does not start must not replace one that does"
  }

  assert {
    condition     = { for balancer in aws_ecs_service.this.load_balancer : balancer.container_port => balancer.container_name } == { 9001 = "nginx", 9002 = "nginx" }
    error_message = "nginx must be a target for each service"
  }

  assert {
    condition     = { for name, listener in aws_lb_listener.this : name => "${listener.protocol} ${listener.port}" } == { billing = "TCP 9001", stock-b = "TCP 9002" } && alltrue([for listener in aws_lb_listener.this : listener.load_balancer_arn == var.load_balancer.arn])
    error_message = "each service must have a listener of the VPC link's load balancer"
  }

  assert {
    condition     = alltrue([for group in aws_lb_target_group.this : group.target_type == "ip" && one(group.health_check).protocol == "HTTP" && one(group.health_check).path == "/_proxy/health" && length(group.name) <= 32])
    error_message = "nginx itself must be asked whether it is well"
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.from_load_balancer : rule.referenced_security_group_id == "sg-link" && rule.from_port == rule.to_port]) && alltrue([for rule in aws_vpc_security_group_egress_rule.to_proxies : rule.security_group_id == "sg-link" && rule.referenced_security_group_id == "sg-proxies"])
    error_message = "only the load balancer may reach nginx"
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.https.to_port == 443 && keys(aws_vpc_security_group_egress_rule.upstream) == ["8443"]
    error_message = "nginx may reach upstreams at the ports that they have, and no others"
  }

  assert {
    condition     = jsondecode(aws_iam_role_policy.execution.policy).Statement[*].Action == [["logs:CreateLogStream", "logs:PutLogEvents"]]
    error_message = "the tasks may write their log, and nothing else"
  }

  assert {
    condition     = output.base_urls == { billing = "http://link-1.elb.eu-west-1.amazonaws.com:9001", stock-b = "http://link-1.elb.eu-west-1.amazonaws.com:9002" }
    error_message = "API Gateway must be told where each service is"
  }

  assert {
    condition     = toset(keys(output.alarms)) == toset(["billing-unhealthy", "stock-b-unhealthy", "missing-tasks"]) && output.alarms.billing-unhealthy.dimensions.LoadBalancer == "net/link/1" && output.widgets[*].row == ["cost"]
    error_message = "a proxy that is ill, or missing, must be told"
  }
}

run "an_upstream_without_tls" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  variables {
    services = { billing = { port = 9001, upstream = "http://billing.dc.example.com" } }
  }

  expect_failures = [var.services]
}

run "an_upstream_that_is_more_than_a_host" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  variables {
    services = { billing = { port = 9001, upstream = "https://billing.dc.example.com; return 200" } }
  }

  expect_failures = [var.services]
}

run "two_services_at_one_port" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  variables {
    services = { billing = { port = 9001, upstream = "https://a.example.com" }, stock = { port = 9001, upstream = "https://b.example.com" } }
  }

  expect_failures = [var.services]
}

run "an_authority_that_is_a_file_name" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  variables {
    services = { billing = { port = 9001, upstream = "https://a.example.com", certificate_authority = "ca.pem" } }
  }

  expect_failures = [var.services]
}

run "an_image_that_is_not_said_exactly" {
  command = plan

  module {
    source = "./modules/external_services"
  }

  variables {
    image = "public.ecr.aws/nginx/nginx:latest"
  }

  expect_failures = [var.image]
}
