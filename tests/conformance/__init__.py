"""Recorded cases of what API Gateway does, each with the page that says so."""
