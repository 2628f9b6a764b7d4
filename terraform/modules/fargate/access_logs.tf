# One line per request, as the load balancer saw it: the only record of what never reached a task.
module "access_logs" {
  source = "../bucket"

  name               = "${var.name}-access-logs"
  disposable         = !var.protected
  expire_days        = var.log_retention_days
  keep_replaced_days = 1 # a log is never overwritten, so this is only how soon an expired one is gone

  writer = {
    service = "logdelivery.elasticloadbalancing.amazonaws.com"
    prefix  = "AWSLogs/${var.account_id}/"
  }
}
