"""An API that uses all that a REST API can define, as an OpenAPI document."""

import copy
from typing import Any

LAMBDA = (
    "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:eu-west-1:123456789012:function:things:${stageVariables.alias}/invocations"
)

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "things", "description": "All about things", "version": "7"},
    "paths": {
        "/things/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "getThing",
                "summary": "One thing",
                "parameters": [
                    {"name": "full", "in": "query", "description": "With its parts", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "required": True, "schema": {"type": "string"}},
                ],
                "security": [{"token": [], "api_key": []}],
                "responses": {
                    "200": {
                        "description": "The thing",
                        "headers": {"X-Age": {"schema": {"type": "string"}}},
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}},
                    },
                    "404": {"$ref": "#/components/responses/Missing"},
                },
                "x-amazon-apigateway-request-validator": "parameters",
                "x-amazon-apigateway-integration": {
                    "type": "aws_proxy",
                    "httpMethod": "POST",
                    "uri": LAMBDA,
                    "timeoutInMillis": 5000,
                    "cacheKeyParameters": ["method.request.path.id"],
                },
            },
        },
        "/things": {
            "post": {
                "security": [{"sigv4": []}],
                "requestBody": {
                    "content": {
                        "application/json": {"schema": {"$ref": "#/components/schemas/Thing"}},
                        "text/csv": {"schema": {"type": "string", "maxLength": 10}},
                    }
                },
                "responses": {"202": {"description": "Taken"}},
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": {
                    "type": "AWS",
                    "httpMethod": "POST",
                    "uri": "arn:aws:apigateway:eu-west-1:firehose:action/PutRecord",
                    "credentials": "arn:aws:iam::123456789012:role/things",
                    "passthroughBehavior": "never",
                    "requestParameters": {"integration.request.header.Content-Type": "'application/x-amz-json-1.1'"},
                    "requestTemplates": {"application/json": '{"Data":"$util.base64Encode($input.body)"}'},
                    "responses": {
                        "default": {"statusCode": "202", "responseTemplates": {"application/json": "{}"}},
                        "4\\d{2}": {
                            "statusCode": "400",
                            "responseParameters": {"method.response.header.X-Why": "integration.response.body.message"},
                        },
                    },
                },
            }
        },
        "/{proxy+}": {
            "x-amazon-apigateway-any-method": {
                "security": [{"request": []}],
                "responses": {},
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "ANY",
                    "uri": "http://things.example.com/{proxy}",
                    "connectionType": "VPC_LINK",
                    "connectionId": "${stageVariables.VPCLINK}",
                    "contentHandling": "CONVERT_TO_TEXT",
                    "tlsConfig": {"insecureSkipVerification": True},
                },
            }
        },
    },
    "components": {
        "schemas": {
            "Thing": {
                "type": "object",
                "description": "A thing",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "parts": {"$ref": "#/components/schemas/Parts"}},
            },
            "Parts": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}},
        },
        "responses": {"Missing": {"description": "No such thing"}},
        "securitySchemes": {
            "api_key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "sigv4": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "awsSigv4",
            },
            "token": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": LAMBDA,
                    "identityValidationExpression": "^Bearer .+$",
                    "authorizerResultTtlInSeconds": 0,
                },
            },
            "request": {
                "type": "apiKey",
                "name": "Unused",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "request",
                    "authorizerUri": LAMBDA,
                    "identitySource": "method.request.header.A, context.path",
                },
            },
        },
    },
    "x-amazon-apigateway-api-key-source": "AUTHORIZER",
    "x-amazon-apigateway-minimum-compression-size": 1024,
    "x-amazon-apigateway-binary-media-types": ["image/png", "application/octet-stream"],
    "x-amazon-apigateway-policy": {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "*"}],
    },
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True},
        "parameters": {"validateRequestBody": False, "validateRequestParameters": True},
    },
    "x-amazon-apigateway-gateway-responses": {
        "THROTTLED": {
            "statusCode": 429,
            "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
            "responseTemplates": {"application/json": '{"message":"Slow down"}'},
        },
        "DEFAULT_5XX": {"responseTemplates": {"application/json": '{"message":"Sorry"}'}},
    },
    "x-amazon-apigateway-documentation": {
        "version": "first",
        "documentationParts": [
            {"location": {"type": "METHOD", "path": "/things", "method": "POST"}, "properties": {"summary": "Add one"}},
            {"location": {"type": "MODEL", "name": "Thing"}, "properties": '{"description": "Explained elsewhere"}'},
        ],
    },
}


def document() -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(DOCUMENT)
