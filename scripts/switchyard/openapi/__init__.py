"""A service's contract, OpenAPI, as a part of an API of API Gateway, which imports less than OpenAPI allows.

In the order of the way: `service` (which services there are) → `contract` (what they say) → `paths`, `operation`,
`model` (one function for each rule of API Gateway) → `template` (the whole, for Terraform's templatefile).

Most rules come from one page, "Amazon API Gateway important notes for REST APIs", named NOTES where a rule is from it:
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html#api-gateway-known-issues-rest-apis
What a rule takes away only ever makes the gateway accept more. The service checks its requests itself.
"""
