"""Deploys one function behind one REST API, as the Terraform root would: key, usage plan, access log, permission.

deploy_function.py ZIP     prints {"api", "stage", "path", "key", "function"}; AWS_ENDPOINT_URL is the account's
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path

import boto3

FUNCTION = "string-replace"
STAGE = "bench"
PATH = ("string", "replace")
PARAMETER = "/bench/map"
STRINGS = {"ABN": "ABN AMRO", "ING": "ING BANK", "Rabo": "Rabobank"}

# Nothing is refused on the way, but everything is counted.
THROTTLE = {"rateLimit": 100_000.0, "burstLimit": 50_000}
QUOTA = {"limit": 2_000_000_000, "period": "DAY"}

LOGGED = ("requestId", "requestTime", "httpMethod", "path", "status", "responseLength", "responseLatency")
ACCESS_LOG = json.dumps({name: f"$context.{name}" for name in LOGGED})


def create_function(package: bytes) -> str:
    """Its ARN."""
    boto3.client("ssm").put_parameter(Name=PARAMETER, Type="String", Value=json.dumps(STRINGS))
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = boto3.client("iam").create_role(RoleName=FUNCTION, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    function = boto3.client("lambda").create_function(
        FunctionName=FUNCTION,
        Role=role,
        Runtime="provided.al2023",
        Handler="bootstrap",
        Architectures=["arm64" if platform.machine() in ("aarch64", "arm64") else "x86_64"],
        Code={"ZipFile": package},
        Environment={"Variables": {"STRINGS_MAPPING_PARAMETER_NAME": PARAMETER}},
        MemorySize=256,
        Timeout=29,
    )
    return str(function["FunctionArn"])


def create_api(function: str) -> tuple[str, str]:
    """The API's id, and the value of its key."""
    apigateway = boto3.client("apigateway")
    region = apigateway.meta.region_name
    api = apigateway.create_rest_api(name="bench")["id"]
    resource = apigateway.get_resources(restApiId=api)["items"][0]["id"]
    for part in PATH:
        resource = apigateway.create_resource(restApiId=api, parentId=resource, pathPart=part)["id"]
    method = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}
    apigateway.put_method(**method, authorizationType="NONE", apiKeyRequired=True)
    invoke = f"arn:aws:apigateway:{region}:lambda:path/2015-03-31/functions/{function}/invocations"
    apigateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=invoke)
    boto3.client("lambda").add_permission(
        FunctionName=FUNCTION,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{region}:{function.split(':')[4]}:{api}/*/POST/{'/'.join(PATH)}",
    )
    apigateway.create_deployment(restApiId=api, stageName=STAGE)
    group = f"arn:aws:logs:{region}:{function.split(':')[4]}:log-group:bench"
    settings = {"/accessLogSettings/format": ACCESS_LOG, "/accessLogSettings/destinationArn": group}
    operations = [{"op": "replace", "path": path, "value": value} for path, value in settings.items()]
    apigateway.update_stage(restApiId=api, stageName=STAGE, patchOperations=operations)
    key = apigateway.create_api_key(name="bench", enabled=True)
    plan = apigateway.create_usage_plan(
        name="bench", apiStages=[{"apiId": api, "stage": STAGE}], throttle=THROTTLE, quota=QUOTA
    )
    apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")
    return api, key["value"]


def main(package: Path) -> None:
    api, key = create_api(create_function(package.read_bytes()))
    path = f"/{'/'.join(PATH)}"
    print(json.dumps({"api": api, "stage": STAGE, "path": path, "key": key, "function": FUNCTION}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: deploy_function.py ZIP")
    main(Path(sys.argv[1]))
