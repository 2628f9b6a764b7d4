"""The definition of a small shop's API, with a bit of everything that an export holds."""

import copy
from typing import Any

from harness.control_plane import ACCOUNT, REGION

FUNCTION = "shop-orders"
AUTHORIZER = "shop-authorizer"
LAMBDA = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/arn:aws:lambda:{REGION}:{ACCOUNT}:function"


def orders() -> dict[str, Any]:
    return {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": f"{LAMBDA}:{FUNCTION}:${{stageVariables.alias}}/invocations",
        "passthroughBehavior": "when_no_match",
        "timeoutInMillis": 29000,
    }


def answer(schema: str, description: str = "Done.") -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "shop", "description": "Orders of a shop.", "version": "1"},
    "paths": {
        "/orders": {
            "post": {
                "operationId": "placeOrder",
                "summary": "Place an order",
                "security": [{"token": []}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "responses": {"201": answer("Receipt"), "400": answer("Message")},
                "x-amazon-apigateway-request-validator": "all",
                "x-amazon-apigateway-integration": orders(),
            }
        },
        "/orders/{id}": {
            "get": {
                "operationId": "getOrder",
                "summary": "One order",
                "security": [{"token": []}],
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "full", "in": "query", "schema": {"type": "string"}},
                    {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {"200": answer("Receipt"), "404": answer("Message")},
                "x-amazon-apigateway-integration": orders(),
            }
        },
        "/{proxy+}": {
            "x-amazon-apigateway-any-method": {
                "parameters": [{"name": "proxy", "in": "path", "required": True, "schema": {"type": "string"}}],
                "responses": {"404": answer("Message", "There is no such path.")},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "passthroughBehavior": "never",
                    "requestTemplates": {"application/json": '{\n  "statusCode": 404\n}'},
                    "responses": {
                        "default": {
                            "statusCode": "404",
                            "responseTemplates": {"application/json": '{"message":"Not Found"}'},
                        }
                    },
                },
            }
        },
    },
    "components": {
        "securitySchemes": {
            "token": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "token",
                    "authorizerUri": f"{LAMBDA}:{AUTHORIZER}:prod/invocations",
                    "authorizerResultTtlInSeconds": 300,
                },
            }
        },
        "schemas": {
            "Order": {
                "type": "object",
                "required": ["article"],
                "properties": {
                    "article": {"type": "string", "description": "What is ordered."},
                    "count": {"type": "integer", "minimum": 1, "maximum": 10},
                },
            },
            "Receipt": {
                "type": "object",
                "required": ["id", "state"],
                "properties": {
                    "id": {"type": "string"},
                    "state": {"type": "string", "enum": ["placed", "sent"]},
                    # A property whose name is a keyword elsewhere.
                    "description": {"type": "string"},
                },
            },
            "Message": {"type": "object", "required": ["message"], "properties": {"message": {"type": "string"}}},
        },
    },
    "x-amazon-apigateway-api-key-source": "HEADER",
    "x-amazon-apigateway-binary-media-types": ["image/png", "application/pdf"],
    "x-amazon-apigateway-minimum-compression-size": 1024,
    "x-amazon-apigateway-request-validators": {
        "all": {"validateRequestBody": True, "validateRequestParameters": True},
        "body": {"validateRequestBody": True, "validateRequestParameters": False},
    },
    "x-amazon-apigateway-gateway-responses": {
        "THROTTLED": {
            "statusCode": 429,
            "responseTemplates": {"application/json": '{"message":"Too Many Requests"}'},
            "responseParameters": {"gatewayresponse.header.Retry-After": "'1'"},
        }
    },
}


def document() -> dict[str, Any]:
    """A copy that a test may change."""
    return copy.deepcopy(DOCUMENT)


def with_cancellation() -> dict[str, Any]:
    """A change that breaks nobody: an operation more, and an optional member in the answers."""
    changed = document()
    changed["paths"]["/orders/{id}"]["delete"] = {
        "operationId": "cancelOrder",
        "security": [{"token": []}],
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
        "responses": {"200": answer("Receipt")},
        "x-amazon-apigateway-integration": orders(),
    }
    changed["components"]["schemas"]["Receipt"]["properties"]["cancelled"] = {"type": "boolean"}
    return changed


def without_search() -> dict[str, Any]:
    """A change that breaks those who send `full`, and those who order without a count."""
    changed = with_cancellation()
    del changed["paths"]["/orders/{id}"]["get"]["parameters"][1]
    changed["components"]["schemas"]["Order"]["required"] = ["article", "count"]
    return changed
