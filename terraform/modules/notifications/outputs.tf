output "topic_arn" {
  description = "Where alarms and events are published."
  value       = aws_sns_topic.this.arn

  # Whoever publishes needs the policy in force, not just the topic.
  depends_on = [aws_sns_topic_policy.this]
}
