output "names" {
  description = "Name of each alarm by key: what a deployment that rolls back on alarms refers to."
  value       = { for key, alarm in aws_cloudwatch_metric_alarm.this : key => alarm.alarm_name }
}
