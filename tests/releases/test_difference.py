"""Definitions: what is said of each kind of change, and which breaks callers."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.definition import answer, document, orders
from switchyard.releases import export
from switchyard.releases.difference import Change, compare, operations, summary

Document = dict[str, Any]
Edit = Callable[[Document], object]


def changed(edit: Edit) -> list[str]:
    new = document()
    edit(new)
    return [str(change) for change in compare(document(), new)]


def order(paths: Document) -> Any:
    return paths["paths"]["/orders"]["post"]


def one(paths: Document) -> Any:
    return paths["paths"]["/orders/{id}"]["get"]


def rename_parameter(new: Document) -> None:
    new["paths"]["/orders/{number}"] = new["paths"].pop("/orders/{id}")
    one_of = new["paths"]["/orders/{number}"]["get"]
    one_of["parameters"][0]["name"] = "number"


def rename_scheme(new: Document) -> None:
    schemes = new["components"]["securitySchemes"]
    schemes["caller"] = schemes.pop("token")
    order(new)["security"] = one(new)["security"] = [{"caller": []}]


def share_parameters(new: Document) -> None:
    item = new["paths"]["/orders/{id}"]
    item["parameters"] = [item["get"]["parameters"].pop(0)]


ANY = "x-amazon-apigateway-any-method"
AUTHORIZER = "x-amazon-apigateway-authorizer"
INTEGRATION = "x-amazon-apigateway-integration"
RESPONSES = "x-amazon-apigateway-gateway-responses"
OPEN_KEY = {"type": "apiKey", "name": "x-api-key", "in": "header"}

CHANGES: dict[str, tuple[Edit, list[str]]] = {
    "operation removed": (
        lambda new: new["paths"].pop("/orders"),
        ["BREAKING POST /orders: the operation is removed"],
    ),
    "operation added": (
        lambda new: new["paths"].update({"/stock": {"get": {"responses": {}}}}),
        ["GET /stock: the operation is new"],
    ),
    "any method removed": (
        lambda new: new["paths"].pop("/{proxy+}"),
        ["BREAKING ANY /{proxy+}: the operation is removed"],
    ),
    "path parameter renamed": (rename_parameter, ["GET /orders/{number}: the path was written /orders/{id}"]),
    "parameter shared by the path": (
        share_parameters,
        ["the API: it is defined otherwise at /paths/~1orders~1{id}/get/parameters, /paths/~1orders~1{id}/parameters"],
    ),
    "parameter removed": (
        lambda new: one(new)["parameters"].pop(1),
        ["BREAKING GET /orders/{id}: the query parameter `full` is removed"],
    ),
    "optional parameter added": (
        lambda new: one(new)["parameters"].append({"name": "page", "in": "query"}),
        ["GET /orders/{id}: the optional query parameter `page` is new"],
    ),
    "required parameter added": (
        lambda new: one(new)["parameters"].append({"name": "X-Shop", "in": "header", "required": True}),
        ["BREAKING GET /orders/{id}: the required header `X-Shop` is new"],
    ),
    "parameter required": (
        lambda new: one(new)["parameters"][1].update(required=True),
        ["BREAKING GET /orders/{id}: the query parameter `full` is required"],
    ),
    "parameter no longer required": (
        lambda new: one(new)["parameters"][0].update(required=False),
        ["GET /orders/{id}: the path parameter `id` is no longer required"],
    ),
    "header in other letters": (
        lambda new: one(new)["parameters"][2].update(name="x-trace"),
        ["the API: it is defined otherwise at /paths/~1orders~1{id}/get/parameters"],
    ),
    "parameter narrowed": (
        lambda new: one(new)["parameters"][0]["schema"].update(maxLength=8),
        ["BREAKING GET /orders/{id}: the path parameter `id` has the maxLength 8"],
    ),
    "request narrowed": (
        lambda new: new["components"]["schemas"]["Order"]["properties"]["count"].update(maximum=5),
        ["BREAKING POST /orders: `count` in the request body has the maximum 5, not 10"],
    ),
    "request widened": (
        lambda new: new["components"]["schemas"]["Order"]["properties"]["count"].update(maximum=50),
        ["POST /orders: `count` in the request body has the maximum 50, not 10"],
    ),
    "response widened": (
        lambda new: new["components"]["schemas"]["Receipt"]["properties"]["state"]["enum"].append("lost"),
        [
            "BREAKING POST /orders: `state` in the response 201 may also be `lost`",
            "BREAKING GET /orders/{id}: `state` in the response 200 may also be `lost`",
        ],
    ),
    "response narrowed": (
        lambda new: new["components"]["schemas"]["Receipt"]["properties"]["state"].update(enum=["placed"]),
        [
            "POST /orders: `state` in the response 201 may no longer be `sent`",
            "GET /orders/{id}: `state` in the response 200 may no longer be `sent`",
        ],
    ),
    "request body removed": (
        lambda new: order(new).pop("requestBody"),
        [
            "BREAKING POST /orders: the request body is removed",
            "POST /orders: API Gateway no longer checks the request body",
        ],
    ),
    "optional request body added": (
        lambda new: one(new).update(requestBody={"content": {}}),
        ["GET /orders/{id}: an optional request body is new"],
    ),
    "required request body added": (
        lambda new: one(new).update(requestBody={"required": True, "content": {}}),
        ["BREAKING GET /orders/{id}: a required request body is new"],
    ),
    "request body optional": (
        lambda new: order(new)["requestBody"].update(required=False),
        ["POST /orders: the request body is no longer required"],
    ),
    "media type removed": (
        lambda new: order(new)["requestBody"].update(content={"text/csv": {}}),
        [
            "BREAKING POST /orders: the request body is no longer application/json",
            "POST /orders: the request body may be text/csv",
        ],
    ),
    "success removed": (
        lambda new: order(new)["responses"].pop("201"),
        ["BREAKING POST /orders: the response 201 is removed"],
    ),
    "error removed": (
        lambda new: one(new)["responses"].pop("404"),
        ["GET /orders/{id}: the response 404 is removed"],
    ),
    "error added": (
        lambda new: one(new)["responses"].update({"410": answer("Message")}),
        ["GET /orders/{id}: the response 410 is new"],
    ),
    "header added": (
        lambda new: one(new)["responses"]["200"].update(headers={"ETag": {"schema": {"type": "string"}}}),
        ["GET /orders/{id}: the header `ETag` of the response 200 is new"],
    ),
    "security demanded": (
        lambda new: new["paths"]["/{proxy+}"][ANY].update(security=[{"token": []}]),
        ["BREAKING ANY /{proxy+}: it asks for the header `Authorization`, not nothing"],
    ),
    "security dropped": (
        lambda new: one(new).pop("security"),
        ["GET /orders/{id}: it asks for nothing, not the header `Authorization`"],
    ),
    "another way in": (
        lambda new: [
            new["components"]["securitySchemes"].update(key=OPEN_KEY),
            one(new).update(security=[{"token": []}, {"key": []}]),
        ],
        [
            "GET /orders/{id}: it asks for the header `Authorization`, or the header `x-api-key`, "
            "not the header `Authorization`"
        ],
    ),
    "a key besides": (
        lambda new: [
            new["components"]["securitySchemes"].update(key=OPEN_KEY),
            one(new).update(security=[{"token": [], "key": []}]),
        ],
        [
            "BREAKING GET /orders/{id}: it asks for the header `Authorization` and the header `x-api-key`, "
            "not the header `Authorization`"
        ],
    ),
    "a scope besides": (
        lambda new: one(new).update(security=[{"token": ["read"]}]),
        [
            "BREAKING GET /orders/{id}: it asks for the header `Authorization` and the scope read, "
            "not the header `Authorization`"
        ],
    ),
    "scheme renamed": (rename_scheme, ["the authorizer caller: it is new", "the authorizer token: it is removed"]),
    "token in another header": (
        lambda new: new["components"]["securitySchemes"]["token"].update(name="AuthDetails"),
        [
            "BREAKING POST /orders: it asks for the header `AuthDetails`, not the header `Authorization`",
            "BREAKING GET /orders/{id}: it asks for the header `AuthDetails`, not the header `Authorization`",
        ],
    ),
    "authorizer kept for longer": (
        lambda new: new["components"]["securitySchemes"]["token"][AUTHORIZER].update(authorizerResultTtlInSeconds=600),
        ["the authorizer token: its authorizerResultTtlInSeconds is `600`, not `300`"],
    ),
    "token in another form": (
        lambda new: new["components"]["securitySchemes"]["token"][AUTHORIZER].update(identityValidationExpression="^B"),
        ["BREAKING the authorizer token: its identityValidationExpression is `^B`, not nothing"],
    ),
    "validation begins": (
        lambda new: one(new).update({"x-amazon-apigateway-request-validator": "all"}),
        ["BREAKING GET /orders/{id}: API Gateway checks that required parameters are there"],
    ),
    "validation ends": (
        lambda new: order(new).pop("x-amazon-apigateway-request-validator"),
        ["POST /orders: API Gateway no longer checks the request body"],
    ),
    "another backend": (
        lambda new: one(new)[INTEGRATION].update(uri="arn:other", timeoutInMillis=5000),
        [
            "GET /orders/{id}: it waits for its backend, in milliseconds: `5000`, not `29000`",
            f"GET /orders/{{id}}: it calls `arn:other`, not `{orders()['uri']}`",
        ],
    ),
    "mock answers otherwise": (
        lambda new: new["paths"]["/{proxy+}"][ANY][INTEGRATION]["responses"]["default"].update(statusCode="410"),
        ["ANY /{proxy+}: its integration has other responses: `default`"],
    ),
    "operationId": (
        lambda new: one(new).update(operationId="readOrder"),
        ["GET /orders/{id}: its operationId is `readOrder`, not `getOrder`"],
    ),
    "gateway response's status": (
        lambda new: new[RESPONSES]["THROTTLED"].update(statusCode=503),
        ["BREAKING the gateway response THROTTLED: its status is `503`, not `429`"],
    ),
    "gateway response's text": (
        lambda new: new[RESPONSES]["THROTTLED"].update(responseTemplates={"application/json": "{}"}),
        ["the gateway response THROTTLED: other responseTemplates: `application/json`"],
    ),
    "gateway response added": (
        lambda new: new[RESPONSES].update({"DEFAULT_4XX": {}}),
        ["the gateway response DEFAULT_4XX: it is API Gateway's own no longer"],
    ),
    "unused model": (
        lambda new: new["components"]["schemas"].update({"Stock": {"type": "object"}}),
        ["the model Stock: it is new, and no operation uses it"],
    ),
    "keys from elsewhere": (
        lambda new: new.update({"x-amazon-apigateway-api-key-source": "AUTHORIZER"}),
        ["BREAKING the API: API keys are read from `AUTHORIZER`, not `HEADER`"],
    ),
    "media types": (
        lambda new: new.update({"x-amazon-apigateway-binary-media-types": ["image/png"]}),
        ['the API: bodies are bytes if they are `["image/png"]`, not `["application/pdf", "image/png"]`'],
    ),
    "policy": (
        lambda new: new.update({"x-amazon-apigateway-policy": {"Statement": []}}),
        ["the API: its resource policy is another: look whom it lets in"],
    ),
    "AWS's own host name": (
        lambda new: new.update(
            {"servers": [{"url": "https://a", export.ENDPOINT: {"disableExecuteApiEndpoint": True}}]}
        ),
        ["BREAKING the API: it is no longer served on AWS's own host name"],
    ),
    "title": (lambda new: new["info"].update(title="store"), ["the API: it is called `store`, not `shop`"]),
    "description": (
        lambda new: one(new).update(summary="An order"),
        ["the API: it is described otherwise at /paths/~1orders~1{id}/get/summary"],
    ),
    "what nothing here knows": (
        lambda new: new.update({"x-amazon-apigateway-importexport-version": "1.0"}),
        ["the API: it is defined otherwise at /x-amazon-apigateway-importexport-version"],
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change(name: str) -> None:
    edit, said = CHANGES[name]
    assert changed(edit) == said


def test_where_an_api_is_deployed_is_no_difference() -> None:
    def server(host: str, stage: str) -> Document:
        return {"url": f"https://{host}/{{basePath}}", "variables": {"basePath": {"default": stage}}}

    old, new = document(), document()
    old["servers"] = [server("abc.execute-api.eu-west-1.amazonaws.com", "test")]
    new["servers"] = [server("def.execute-api.eu-west-1.amazonaws.com", "prod")]
    for each, api in ((old, "abc"), (new, "def")):
        each["x-amazon-apigateway-policy"] = {"Resource": f"arn:aws:execute-api:eu-west-1:123456789012:{api}/*"}
    assert compare(old, new) == []
    assert export.is_same(old, new)


def test_breaking_changes_come_first_and_are_counted() -> None:
    new = document()
    del new["paths"]["/orders"]
    new["paths"]["/stock"] = {"get": {"responses": {}}}
    said = compare(document(), new)
    assert [change.breaking for change in said] == [True, False]
    assert summary("1.0.0", "2.0.0", said) == "1.0.0 -> 2.0.0: 2 changes, 1 of them breaking"
    assert summary("1.0.0", "1.0.1", []) == "1.0.0 -> 1.0.1: no difference"
    assert summary("1.0.0", "1.0.1", [Change("a", "b", False)]) == "1.0.0 -> 1.0.1: 1 change, none of them breaking"


def test_operations_have_their_paths_parameters() -> None:
    shared = document()
    share_parameters(shared)
    found = operations(shared)[("/orders/{id}", "GET")]["parameters"]
    assert {(parameter["in"], parameter["name"]) for parameter in found} == {
        ("path", "id"),
        ("query", "full"),
        ("header", "X-Trace"),
    }


# Anything that is changed is told.


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each text, number and truth value of a document."""
    if isinstance(value, dict):
        return [place for key, item in value.items() for place in places(item, (*at, key))]
    if isinstance(value, list):
        return [place for index, item in enumerate(value) for place in places(item, (*at, index))]
    return [at]


# Which API it is is told by other means; a description that is no part of a deployment changes nothing else.
EDITABLE: list[tuple[Any, ...]] = [place for place in places(document()) if place[-1] not in ("in", "required", "$ref")]


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(EDITABLE))
def test_no_change_of_a_value_goes_unsaid(place: tuple[Any, ...]) -> None:
    new = document()
    parent: Any = new
    for key in place[:-1]:
        parent = parent[key]
    before = parent[place[-1]]
    parent[place[-1]] = (
        not before if isinstance(before, bool) else before + 1 if isinstance(before, int) else before + "x"
    )
    assert compare(document(), new), place
    assert compare(new, document()), place


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([place for place in EDITABLE if place[-1] not in ("name", "openapi", "title")]))
def test_what_is_said_does_not_depend_on_the_order_of_members(place: tuple[Any, ...]) -> None:
    new = document()
    parent: Any = new
    for key in place[:-1]:
        parent = parent[key]
    if isinstance(parent, dict):
        del parent[place[-1]]
    shuffled = json.loads(json.dumps(new, sort_keys=True))
    assert set(compare(document(), new)) == set(compare(document(), shuffled))


def test_an_export_survives_yaml() -> None:
    kept = export.normalised(document())
    text = export.text(kept)
    assert export.parse(text) == kept
    assert export.text(export.parse(text)) == text
    assert "|-\n" in text, "texts of several lines are written as such"
    assert list(yaml.safe_load(text))[:4] == ["openapi", "info", "paths", "components"]


def test_normalising_twice_changes_nothing_and_order_is_no_difference() -> None:
    once = export.normalised(document())
    assert export.normalised(copy.deepcopy(once)) == once
    turned = document()
    turned["paths"] = dict(reversed(turned["paths"].items()))
    one(turned)["parameters"].reverse()
    turned["x-amazon-apigateway-binary-media-types"].reverse()
    assert export.is_same(turned, document())
    assert compare(document(), turned) == []


def test_a_property_called_like_a_keyword_is_kept() -> None:
    properties = export.comparable(document())["components"]["schemas"]["Receipt"]["properties"]
    assert set(properties) == {"id", "state", "description"}
    without = export.comparable(document())["components"]["schemas"]["Order"]["properties"]["article"]
    assert without == {"type": "string"}


def test_the_caches_namespace_is_kept_only_where_something_is_cached() -> None:
    cached = document()
    one(cached)[INTEGRATION].update(cacheNamespace="abc123", cacheKeyParameters=[])
    assert export.is_same(cached, document())
    one(cached)[INTEGRATION].update(cacheKeyParameters=["method.request.path.id"])
    assert not export.is_same(cached, document())
