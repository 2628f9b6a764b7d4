"""A small REST API that needs no function: stages test and prod, of which prod has a key."""

from dataclasses import dataclass
from typing import Any

ARCHITECTURE = "lambda"

MESSAGE = "Hello <b>you</b>"
"""What it answers. Where that is taken for HTML, it is shown without its tags."""


@dataclass(frozen=True)
class Greetings:
    """Served at `url`, with the API's id and the value of prod's key. GET /hello is open, /guarded asks for a key."""

    url: str
    api: str
    key: str


def deploy(apigateway: Any) -> tuple[str, str]:
    """The API's id, and the value of prod's key."""
    api = apigateway.create_rest_api(name="greetings", tags={"Architecture": ARCHITECTURE})["id"]
    root = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    for path, key_required in (("hello", False), ("guarded", True)):
        resource = apigateway.create_resource(restApiId=api, parentId=root, pathPart=path)["id"]
        method = {"restApiId": api, "resourceId": resource, "httpMethod": "GET"}
        apigateway.put_method(**method, authorizationType="NONE", apiKeyRequired=key_required)
        template = {"application/json": '{"statusCode": 200}'}
        apigateway.put_integration(**method, type="MOCK", requestTemplates=template)
        apigateway.put_method_response(**method, statusCode="200")
        answer = {"application/json": f'{{"message": "{MESSAGE}"}}'}
        apigateway.put_integration_response(**method, statusCode="200", responseTemplates=answer)
    for stage in ("test", "prod"):
        apigateway.create_deployment(restApiId=api, stageName=stage)
    key = apigateway.create_api_key(name="prod", enabled=True)
    plan = apigateway.create_usage_plan(name="prod", apiStages=[{"apiId": api, "stage": "prod"}])["id"]
    apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return api, key["value"]
