"""REST APIs: what an import defines comes back whole, every PATCH works, a deployment is a snapshot."""

import json
from typing import Any

import pytest
import requests
import yaml
from botocore.exceptions import ClientError

from control_plane.definition import LAMBDA, document
from harness.control_plane import ACCOUNT, REGION, ControlPlane

JSON = "application/json"


@pytest.fixture
def api(apigateway: Any) -> str:
    """An API made of the document."""
    imported = apigateway.import_rest_api(body=json.dumps(document()))
    return str(imported["id"])


def resources(apigateway: Any, api: str) -> dict[str, Any]:
    return {
        resource["path"]: resource for resource in apigateway.get_resources(restApiId=api, embed=["methods"])["items"]
    }


def method(apigateway: Any, api: str, path: str, verb: str) -> Any:
    resource = resources(apigateway, api)[path]["id"]
    answer = apigateway.get_method(restApiId=api, resourceId=resource, httpMethod=verb)
    answer.pop("ResponseMetadata")
    assert answer == resources(apigateway, api)[path]["resourceMethods"][verb]
    return answer


def export(apigateway: Any, api: str, stage: str, extensions: str | None = "apigateway,documentation") -> Any:
    parameters = {"extensions": extensions} if extensions else {}
    answer = apigateway.get_export(
        restApiId=api, stageName=stage, exportType="oas30", accepts=JSON, parameters=parameters
    )
    return json.loads(answer["body"].read())


def deploy(apigateway: Any, api: str, stage: str | None = None) -> str:
    return str(apigateway.create_deployment(restApiId=api, **({"stageName": stage} if stage else {}))["id"])


def test_import_gives_the_api_its_attributes(apigateway: Any, api: str) -> None:
    answer = apigateway.get_rest_api(restApiId=api)
    assert (answer["name"], answer["description"], answer["version"]) == ("things", "All about things", "7")
    assert answer["apiKeySource"] == "AUTHORIZER"
    assert answer["minimumCompressionSize"] == 1024
    assert answer["binaryMediaTypes"] == ["image/png", "application/octet-stream"]
    # AWS sends the policy as the inside of a JSON string.
    assert json.loads(json.loads(f'"{answer["policy"]}"')) == document()["x-amazon-apigateway-policy"]


def test_import_makes_each_resource_with_its_ancestors(apigateway: Any, api: str) -> None:
    found = resources(apigateway, api)
    assert set(found) == {"/", "/things", "/things/{id}", "/{proxy+}"}
    assert found["/things/{id}"]["parentId"] == found["/things"]["id"]
    assert found["/things"]["parentId"] == found["/"]["id"] == apigateway.get_rest_api(restApiId=api)["rootResourceId"]


def test_import_keeps_a_proxy_method_whole(apigateway: Any, api: str) -> None:
    get = method(apigateway, api, "/things/{id}", "GET")
    authorizers = {item["name"]: item["id"] for item in apigateway.get_authorizers(restApiId=api)["items"]}
    validators = {item["name"]: item["id"] for item in apigateway.get_request_validators(restApiId=api)["items"]}
    assert get == {
        "httpMethod": "GET",
        "operationName": "getThing",
        "authorizationType": "CUSTOM",
        "authorizerId": authorizers["token"],
        "apiKeyRequired": True,
        "requestParameters": {
            "method.request.path.id": True,
            "method.request.querystring.full": False,
            "method.request.header.X-Trace": True,
        },
        "requestValidatorId": validators["parameters"],
        "methodResponses": {
            "200": {
                "statusCode": "200",
                "responseModels": {JSON: "Thing"},
                "responseParameters": {"method.response.header.X-Age": False},
            },
            "404": {"statusCode": "404"},
        },
        "methodIntegration": {
            "type": "AWS_PROXY",
            "httpMethod": "POST",
            "uri": LAMBDA,
            "timeoutInMillis": 5000,
            "passthroughBehavior": "WHEN_NO_MATCH",
            "cacheNamespace": resources(apigateway, api)["/things/{id}"]["id"],
            "cacheKeyParameters": ["method.request.path.id"],
            "integrationResponses": {},
        },
    }


def test_import_keeps_an_integration_with_templates_whole(apigateway: Any, api: str) -> None:
    post = method(apigateway, api, "/things", "POST")
    assert post["authorizationType"] == "AWS_IAM"
    assert set(post["requestModels"]) == {JSON, "text/csv"}
    integration = post["methodIntegration"]
    assert integration["credentials"] == f"arn:aws:iam::{ACCOUNT}:role/things"
    assert integration["passthroughBehavior"] == "NEVER"
    assert integration["timeoutInMillis"] == 29000
    assert integration["requestTemplates"] == {JSON: '{"Data":"$util.base64Encode($input.body)"}'}
    assert integration["integrationResponses"] == {
        "202": {"statusCode": "202", "responseTemplates": {JSON: "{}"}},
        "400": {
            "statusCode": "400",
            "selectionPattern": "4\\d{2}",
            "responseTemplates": {},
            "responseParameters": {"method.response.header.X-Why": "integration.response.body.message"},
        },
    }


def test_import_keeps_a_private_integration_whole(apigateway: Any, api: str) -> None:
    integration = method(apigateway, api, "/{proxy+}", "ANY")["methodIntegration"]
    assert integration["connectionType"] == "VPC_LINK"
    assert integration["connectionId"] == "${stageVariables.VPCLINK}"
    assert integration["contentHandling"] == "CONVERT_TO_TEXT"
    assert integration["tlsConfig"] == {"insecureSkipVerification": True}


def test_import_makes_models_of_schemas_named_and_inline(apigateway: Any, api: str) -> None:
    models = {model["name"]: model for model in apigateway.get_models(restApiId=api)["items"]}
    inline = method(apigateway, api, "/things", "POST")["requestModels"]["text/csv"]
    assert set(models) == {"Thing", "Parts", inline}
    assert inline.startswith("MODEL")
    assert models[inline]["contentType"] == "text/csv"
    assert json.loads(models[inline]["schema"]) == {"type": "string", "maxLength": 10}
    parts = json.loads(models["Thing"]["schema"])["properties"]["parts"]
    assert parts == {"$ref": f"https://apigateway.amazonaws.com/restapis/{api}/models/Parts"}


def test_import_makes_authorizers_validators_and_gateway_responses(apigateway: Any, api: str) -> None:
    authorizers = {item["name"]: item for item in apigateway.get_authorizers(restApiId=api)["items"]}
    assert authorizers["token"]["type"] == "TOKEN"
    assert authorizers["token"]["identitySource"] == "method.request.header.Authorization"
    assert authorizers["token"]["identityValidationExpression"] == "^Bearer .+$"
    assert authorizers["token"]["authorizerResultTtlInSeconds"] == 0
    assert authorizers["request"]["identitySource"] == "method.request.header.A, context.path"
    assert authorizers["request"]["authorizerResultTtlInSeconds"] == 300
    validators = {
        item["name"]: item["validateRequestBody"] for item in apigateway.get_request_validators(restApiId=api)["items"]
    }
    assert validators == {"all": True, "parameters": False}
    responses = {item["responseType"]: item for item in apigateway.get_gateway_responses(restApiId=api)["items"]}
    assert responses["THROTTLED"]["statusCode"] == "429"
    assert responses["THROTTLED"]["responseParameters"] == {"gatewayresponse.header.Retry-After": "'1'"}
    assert "statusCode" not in responses["DEFAULT_5XX"]


def test_import_publishes_documentation_and_the_extension_wins(apigateway: Any, api: str) -> None:
    parts = {
        tuple(sorted(part["location"].items())): json.loads(part["properties"])
        for part in apigateway.get_documentation_parts(restApiId=api)["items"]
    }

    def at(**location: str) -> Any:
        return parts[tuple(sorted(location.items()))]

    assert at(type="API") == {"info": {"description": "All about things"}}
    assert at(type="MODEL", name="Thing") == {"description": "Explained elsewhere"}
    assert at(type="METHOD", path="/things", method="POST") == {"summary": "Add one"}
    assert at(type="METHOD", path="/things/{id}", method="GET") == {"summary": "One thing"}
    assert at(type="QUERY_PARAMETER", path="/things/{id}", method="GET", name="full") == {
        "description": "With its parts"
    }
    assert at(type="RESPONSE", path="/things/{id}", method="GET", statusCode="404") == {"description": "No such thing"}
    assert [version["version"] for version in apigateway.get_documentation_versions(restApiId=api)["items"]] == [
        "first"
    ]


def test_export_and_import_give_the_same_api(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")
    first = export(apigateway, api, "a")
    copy = apigateway.import_rest_api(body=json.dumps(first))["id"]
    deploy(apigateway, copy, "a")
    second = export(apigateway, copy, "a")
    assert first.pop("servers") != second.pop("servers")
    assert second == first


def test_export_leaves_out_the_extensions_that_were_not_asked_for(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")

    def kept(extensions: str | None) -> set[str]:
        text = json.dumps(export(apigateway, api, "a", extensions))
        names = ("integration", "authorizer", "gateway-responses", "documentation", "any-method")
        return {name for name in names if f'"x-amazon-apigateway-{name}"' in text}

    assert kept(None) == {"any-method"}
    assert kept("integrations") == {"any-method", "integration"}
    assert kept("authorizers") == {"any-method", "authorizer"}
    assert kept("apigateway") == {"any-method", "integration", "authorizer", "gateway-responses"}
    assert kept("documentation") == {"any-method", "documentation"}


def test_export_as_yaml(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")
    answer = apigateway.get_export(
        restApiId=api,
        stageName="a",
        exportType="oas30",
        accepts="application/yaml",
        parameters={"extensions": "apigateway"},
    )
    assert answer["contentType"] == "application/yaml"
    assert yaml.safe_load(answer["body"].read()) == export(apigateway, api, "a", "apigateway")


def test_a_deployment_is_a_snapshot(apigateway: Any, api: str, control_plane: ControlPlane) -> None:
    old = deploy(apigateway, api, "old")
    before = export(apigateway, api, "old")
    changed = document()
    changed["paths"]["/things"]["post"]["summary"] = "Changed"
    del changed["paths"]["/{proxy+}"], changed["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(changed))
    new = deploy(apigateway, api, "new")

    assert export(apigateway, api, "old") == before
    assert "/{proxy+}" not in export(apigateway, api, "new")["paths"]

    def definition(deployment: str) -> Any:
        url = f"{control_plane.url}/_control_plane/apigateway/{REGION}/{api}/deployments/{deployment}"
        return requests.get(url, timeout=5)

    before.pop("servers")
    assert definition(old).json() == before
    assert definition(new).json() != before
    assert definition("none").status_code == 404
    elsewhere = f"{control_plane.url}/_control_plane/apigateway/nowhere/{api}/deployments/{new}"
    assert requests.get(elsewhere, timeout=5).status_code == 404

    # The stage may go back to what was; its definition goes with it.
    apigateway.update_stage(
        restApiId=api, stageName="new", patchOperations=[{"op": "replace", "path": "/deploymentId", "value": old}]
    )
    assert "/{proxy+}" in export(apigateway, api, "new")["paths"]


def test_a_deployment_says_which_methods_it_has(apigateway: Any, api: str) -> None:
    deployment = deploy(apigateway, api)
    summary = apigateway.get_deployment(restApiId=api, deploymentId=deployment, embed=["apisummary"])["apiSummary"]
    assert summary["/things/{id}"]["GET"] == {"authorizationType": "CUSTOM", "apiKeyRequired": True}
    assert set(summary["/{proxy+}"]) == {"ANY"}


def test_a_deployment_in_use_is_not_deleted(apigateway: Any, api: str) -> None:
    deployment = deploy(apigateway, api, "a")
    with pytest.raises(ClientError, match="Active stages pointing to this deployment"):
        apigateway.delete_deployment(restApiId=api, deploymentId=deployment)
    apigateway.delete_stage(restApiId=api, stageName="a")
    apigateway.delete_deployment(restApiId=api, deploymentId=deployment)
    assert apigateway.get_deployments(restApiId=api)["items"] == []


def test_put_with_overwrite_replaces_and_with_merge_adds(apigateway: Any, api: str) -> None:
    small = {
        "openapi": "3.0.1",
        "info": {"title": "small", "version": "1"},
        "paths": {
            "/only": {
                "get": {
                    "responses": {},
                    "x-amazon-apigateway-integration": {"type": "mock"},
                }
            }
        },
    }
    apigateway.put_rest_api(restApiId=api, mode="merge", body=json.dumps(small))
    assert {"/only", "/things"} < set(resources(apigateway, api))
    root = apigateway.get_rest_api(restApiId=api)["rootResourceId"]

    apigateway.put_rest_api(restApiId=api, mode="overwrite", body=yaml.safe_dump(small).encode())
    assert set(resources(apigateway, api)) == {"/", "/only"}
    answer = apigateway.get_rest_api(restApiId=api)
    assert answer["rootResourceId"] == root
    assert answer["apiKeySource"] == "HEADER"
    assert "policy" not in answer
    for collection in ("models", "authorizers", "request_validators", "gateway_responses", "documentation_parts"):
        assert getattr(apigateway, f"get_{collection}")(restApiId=api)["items"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: text["paths"]["/things"]["post"].update({"security": [{"nobody": []}]}),
            "Security scheme nobody",
        ),
        (
            lambda text: text["paths"]["/things"]["post"].update({"x-amazon-apigateway-request-validator": "none"}),
            "Request validator none is not defined",
        ),
        (lambda text: text["components"].pop("responses"), "Unable to resolve #/components/responses/Missing"),
        (lambda text: text.update({"openapi": "2.0"}), "Only OpenAPI 3.x"),
    ],
)
def test_a_document_that_does_not_hold_together_is_refused_whole(
    apigateway: Any, api: str, change: Any, message: str
) -> None:
    text = document()
    change(text)
    with pytest.raises(ClientError, match=message):
        apigateway.import_rest_api(body=json.dumps(text))

    before = resources(apigateway, api)
    with pytest.raises(ClientError, match=message):
        apigateway.put_rest_api(restApiId=api, mode="overwrite", body=json.dumps(text))
    assert resources(apigateway, api) == before
    assert apigateway.get_gateway_responses(restApiId=api)["items"]


def test_an_api_built_call_by_call_is_exported_too(apigateway: Any) -> None:
    api = apigateway.create_rest_api(name="by hand", endpointConfiguration={"types": ["REGIONAL"]})
    here = {"restApiId": api["id"]}
    item = apigateway.create_resource(**here, parentId=api["rootResourceId"], pathPart="{id}")["id"]
    at = {**here, "resourceId": item, "httpMethod": "GET"}
    apigateway.put_method(**at, authorizationType="NONE", requestParameters={"method.request.path.id": True})
    with pytest.raises(ClientError, match="No integration defined for method"):
        apigateway.create_deployment(**here)
    apigateway.put_integration(**at, type="MOCK", requestTemplates={JSON: '{"statusCode": 200}'})
    apigateway.put_method_response(**at, statusCode="200", responseModels={JSON: "Empty"})
    apigateway.put_integration_response(**at, statusCode="200", responseTemplates={JSON: "{}"})
    deploy(apigateway, api["id"], "a")
    operation = export(apigateway, api["id"], "a")["paths"]["/{id}"]["get"]
    assert operation["parameters"] == [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}]
    assert operation["x-amazon-apigateway-integration"]["responses"] == {
        "default": {"statusCode": "200", "responseTemplates": {JSON: "{}"}}
    }

    # Below a resource that goes, all goes.
    apigateway.create_resource(**here, parentId=item, pathPart="more")
    apigateway.delete_resource(**here, resourceId=item)
    assert set(resources(apigateway, api["id"])) == {"/"}


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        ({"type": "LAMBDA"}, "Invalid integration type LAMBDA"),
        ({"type": "HTTP", "uri": "http://a"}, "HttpMethod must be non-empty"),
        ({"type": "HTTP", "uri": "ftp://a", "integrationHttpMethod": "GET"}, "Invalid HTTP endpoint"),
        ({"type": "AWS", "uri": "arn:aws:lambda:x", "integrationHttpMethod": "POST"}, "must contain path or action"),
        (
            {
                "type": "AWS",
                "uri": LAMBDA,
                "integrationHttpMethod": "POST",
                "credentials": "arn:aws:iam::210987654321:role/r",
            },
            "Cross-account",
        ),
    ],
)
def test_an_integration_that_aws_would_refuse_is_refused(
    apigateway: Any, api: str, integration: dict[str, str], message: str
) -> None:
    resource = resources(apigateway, api)["/things"]["id"]
    with pytest.raises(ClientError, match=message):
        apigateway.put_integration(restApiId=api, resourceId=resource, httpMethod="POST", **integration)


def replace(path: str, value: str) -> dict[str, str]:
    return {"op": "replace", "path": path, "value": value}


def test_every_part_of_an_api_can_be_patched(apigateway: Any, api: str) -> None:
    resource = resources(apigateway, api)["/things"]["id"]
    at = {"restApiId": api, "resourceId": resource, "httpMethod": "POST"}

    changed = apigateway.update_rest_api(
        restApiId=api,
        patchOperations=[
            replace("/disableExecuteApiEndpoint", "true"),
            replace("/minimumCompressionSize", "0"),
            {"op": "add", "path": "/binaryMediaTypes/font~1woff2"},
            {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
            {"op": "remove", "path": "/policy"},
            replace("/endpointConfiguration/types/0", "REGIONAL"),
        ],
    )
    assert changed["disableExecuteApiEndpoint"] is True
    assert changed["minimumCompressionSize"] == 0
    assert changed["binaryMediaTypes"] == ["application/octet-stream", "font/woff2"]
    assert changed["endpointConfiguration"]["types"] == ["REGIONAL"]
    assert "policy" not in changed

    changed = apigateway.update_method(
        **at, patchOperations=[replace("/apiKeyRequired", "true"), {"op": "remove", "path": "/requestModels/text~1csv"}]
    )
    assert changed["apiKeyRequired"] is True
    assert changed["requestModels"] == {JSON: "Thing"}

    changed = apigateway.update_integration(
        **at,
        patchOperations=[
            replace("/timeoutInMillis", "1000"),
            replace("/requestTemplates/application~1json", "{}"),
            {"op": "remove", "path": "/requestParameters/integration.request.header.Content-Type"},
            {"op": "add", "path": "/cacheKeyParameters/method.request.path.id"},
        ],
    )
    assert changed["timeoutInMillis"] == 1000
    assert changed["requestTemplates"] == {JSON: "{}"}
    assert "requestParameters" not in changed
    assert changed["cacheKeyParameters"] == ["method.request.path.id"]

    changed = apigateway.update_integration_response(
        **at, statusCode="400", patchOperations=[replace("/selectionPattern", "5.*")]
    )
    assert changed["selectionPattern"] == "5.*"
    changed = apigateway.update_method_response(
        **at,
        statusCode="202",
        patchOperations=[{"op": "add", "path": "/responseParameters/method.response.header.A", "value": "true"}],
    )
    assert changed["responseParameters"] == {"method.response.header.A": True}

    apigateway.update_resource(restApiId=api, resourceId=resource, patchOperations=[replace("/pathPart", "items")])
    assert "/items/{id}" in resources(apigateway, api)
    assert (
        apigateway.update_model(restApiId=api, modelName="Thing", patchOperations=[replace("/schema", "{}")])["schema"]
        == "{}"
    )
    authorizer = next(item for item in apigateway.get_authorizers(restApiId=api)["items"] if item["name"] == "token")
    changed = apigateway.update_authorizer(
        restApiId=api, authorizerId=authorizer["id"], patchOperations=[replace("/authorizerResultTtlInSeconds", "60")]
    )
    assert changed["authorizerResultTtlInSeconds"] == 60
    with pytest.raises(ClientError, match="Invalid patch path /nothing"):
        apigateway.update_rest_api(restApiId=api, patchOperations=[replace("/nothing", "1")])


def test_a_stage_can_be_patched(apigateway: Any, api: str) -> None:
    deployment = deploy(apigateway, api)
    here = {"restApiId": api, "stageName": "a"}
    stage = apigateway.create_stage(
        **here, deploymentId=deployment, variables={"alias": "a"}, documentationVersion="first", tracingEnabled=True
    )
    assert (stage["variables"], stage["documentationVersion"], stage["tracingEnabled"]) == (
        {"alias": "a"},
        "first",
        True,
    )
    arn = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:a"
    stage = apigateway.update_stage(
        **here,
        patchOperations=[
            replace("/*/*/throttling/rateLimit", "0.5"),
            replace("/*/*/metrics/enabled", "true"),
            replace("/~1things/POST/logging/loglevel", "INFO"),
            replace("/accessLogSettings/destinationArn", arn),
            replace("/accessLogSettings/format", "$context.requestId"),
            replace("/variables/alias", "b"),
        ],
    )
    assert stage["methodSettings"]["*/*"]["throttlingRateLimit"] == 0.5
    assert stage["methodSettings"]["*/*"]["metricsEnabled"] is True
    assert stage["methodSettings"]["~1things/POST"]["loggingLevel"] == "INFO"
    assert stage["accessLogSettings"] == {"destinationArn": arn, "format": "$context.requestId"}
    assert stage["variables"] == {"alias": "b"}
    stage = apigateway.update_stage(
        **here, patchOperations=[{"op": "remove", "path": "/*/*"}, {"op": "remove", "path": "/accessLogSettings"}]
    )
    assert set(stage["methodSettings"]) == {"~1things/POST"}
    assert "accessLogSettings" not in stage


def test_tags_of_an_api_and_its_stage(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")
    for arn in (
        f"arn:aws:apigateway:{REGION}::/restapis/{api}",
        f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/a",
    ):
        apigateway.tag_resource(resourceArn=arn, tags={"a": "1", "b": "2"})
        apigateway.untag_resource(resourceArn=arn, tagKeys=["a"])
        assert apigateway.get_tags(resourceArn=arn)["tags"] == {"b": "2"}


def test_a_usage_plan_keeps_numbers(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")
    plan = apigateway.create_usage_plan(
        name="plan", apiStages=[{"apiId": api, "stage": "a"}], throttle={"rateLimit": 1.0, "burstLimit": 1}
    )["id"]
    changed = apigateway.update_usage_plan(
        usagePlanId=plan,
        patchOperations=[
            replace("/throttle/rateLimit", "0.5"),
            replace("/quota/limit", "1000"),
            replace("/quota/period", "DAY"),
            replace(f"/apiStages/{api}:a/throttle/~1things/POST/rateLimit", "0.25"),
        ],
    )
    assert changed["throttle"] == {"rateLimit": 0.5, "burstLimit": 1}
    assert changed["quota"] == {"limit": 1000, "period": "DAY"}
    assert changed["apiStages"][0]["throttle"] == {"/things/POST": {"rateLimit": 0.25}}


@pytest.mark.parametrize("without_a_value", [{"op": "replace"}, {"op": "replace", "value": ""}, {"op": "remove"}])
def test_the_role_for_logs_is_set_and_taken_away(apigateway: Any, without_a_value: dict[str, str]) -> None:
    role = "arn:aws:iam::123456789012:role/logs"
    apigateway.update_account(patchOperations=[replace("/cloudwatchRoleArn", role)])
    assert apigateway.get_account()["cloudwatchRoleArn"] == role
    apigateway.update_account(patchOperations=[{"path": "/cloudwatchRoleArn", **without_a_value}])
    assert not apigateway.get_account().get("cloudwatchRoleArn")


def test_a_web_acl_is_seen_on_the_stage(apigateway: Any, api: str, client: Any) -> None:
    deploy(apigateway, api, "a")
    waf = client("wafv2")
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    acl = waf.create_web_acl(
        Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility, Rules=[]
    )["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/a")
    assert apigateway.get_stage(restApiId=api, stageName="a")["webAclArn"] == acl


def test_an_api_with_a_custom_domain_is_not_deleted(apigateway: Any, api: str) -> None:
    deploy(apigateway, api, "a")
    apigateway.create_domain_name(domainName="things.example.com")
    apigateway.create_base_path_mapping(domainName="things.example.com", restApiId=api, stage="a", basePath="a")
    with pytest.raises(ClientError, match="remove all base path mappings"):
        apigateway.delete_rest_api(restApiId=api)
    apigateway.delete_base_path_mapping(domainName="things.example.com", basePath="a")
    apigateway.delete_domain_name(domainName="things.example.com")
    apigateway.delete_rest_api(restApiId=api)
    with pytest.raises(ClientError, match="NotFoundException"):
        apigateway.get_rest_api(restApiId=api)


def test_an_operation_without_security_is_open_though_the_document_asks_for_a_key(apigateway: Any) -> None:
    text = document()
    text["security"] = [{"api_key": []}]
    text["paths"]["/things"]["post"]["security"] = []
    del text["paths"]["/{proxy+}"]["x-amazon-apigateway-any-method"]["security"]
    api = apigateway.import_rest_api(body=json.dumps(text))["id"]
    assert method(apigateway, api, "/things", "POST")["apiKeyRequired"] is False
    assert method(apigateway, api, "/{proxy+}", "ANY")["apiKeyRequired"] is True
