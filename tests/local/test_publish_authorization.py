"""Who may publish, and for how long a decision counts. What is deployed keeps decisions and asks for a header; APIs of
the same definition beside it do not, in front of the same bucket and the same functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness import http
from harness.control_plane import ACCOUNT, REGION, ROOT, client
from harness.faults import fault
from harness.make_local import MakeLocal
from harness.publish import Publish
from harness.template import rendered
from harness.waiting import eventually

TEMPLATE = ROOT / "terraform" / "openapi" / "publish.yaml"
HEADER = "AuthDetails"
STAGE = "beta"
REVOKED = {"message": "Forbidden", "hint": "The token was revoked: ask for a new one"}

StartApi = Callable[[dict[str, Any] | None], str]


class Deployed:
    """The API as Terraform made it: what a second one of the same definition needs."""

    def __init__(self, control_plane: str, url: str) -> None:
        self.client = client(control_plane, "apigateway")
        self.functions = client(control_plane, "lambda")
        self.gateway, _, path = url.partition("/_aws/execute-api/")
        self.id = path.split("/")[0]
        self.resources = {item["path"]: item["id"] for item in self.client.get_resources(restApiId=self.id)["items"]}

    def integration(self, path: str, method: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get_integration(
            restApiId=self.id, resourceId=self.resources[path], httpMethod=method
        )
        return found

    def authorizer(self) -> dict[str, Any]:
        found: dict[str, Any]
        (found,) = self.client.get_authorizers(restApiId=self.id)["items"]
        return found

    def allow(self, api: str) -> Iterator[tuple[str, str]]:
        """Lets another API call the functions; which ones, with the permission's name."""
        for uri in (self.authorizer()["authorizerUri"], self.integration("/publish/{id}", "GET")["uri"]):
            name = re.search(r":function:([^:/]+):", uri)
            assert name, uri
            self.functions.add_permission(
                FunctionName=name[1],
                Qualifier=STAGE,
                StatementId=api,
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*",
            )
            yield name[1], api


@pytest.fixture(scope="module")
def another(deployed: MakeLocal, publish: Publish, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartApi]:
    """Starts an API of the same definition with another authorizer, or none; gives its address."""
    original = Deployed(publish.control_plane, publish.url)
    put = original.integration("/publish", "POST")
    started: list[str] = []
    permissions: list[tuple[str, str]] = []

    def start(authorizer: dict[str, Any] | None) -> str:
        values = {
            "title": "another",
            "put_uri": put["uri"],
            "put_role_arn": put["credentials"],
            "receipt": {"uri": original.integration("/publish/{id}", "GET")["uri"], "timeout_milliseconds": 29000},
            "authorizer": authorizer,
        }
        api = original.client.create_rest_api(name=f"another-{len(started)}", binaryMediaTypes=["*/*"])["id"]
        started.append(api)
        original.client.put_rest_api(
            restApiId=api, mode="overwrite", body=rendered(tmp_path_factory.mktemp("console"), TEMPLATE, values)
        )
        permissions.extend(original.allow(api))
        original.client.create_deployment(restApiId=api, stageName=STAGE, variables={"alias": STAGE})
        url = f"{original.gateway}/_aws/execute-api/{api}/{STAGE}"
        eventually("it is served", lambda: http.request(url, "GET", "/unknown").json() == {"message": "Not Found"})
        return url

    yield start
    for function, statement in permissions:
        original.functions.remove_permission(FunctionName=function, Qualifier=STAGE, StatementId=statement)
    for api in started:
        original.client.delete_rest_api(restApiId=api)
    # They are front doors, too, and who comes later counts those.
    eventually("they are gone", lambda: not any(api in deployed.endpoints.read_text() for api in started))


@pytest.fixture(scope="module")
def uncached(publish: Publish, another: StartApi) -> str:
    """The address of an API that keeps no decision."""
    uri = Deployed(publish.control_plane, publish.url).authorizer()["authorizerUri"]
    return another({"header": HEADER, "ttl_seconds": 0, "uri": uri})


def post(url: str, **headers: str) -> http.Response:
    return http.request(url, "POST", "/publish", {"Content-Type": "text/plain", **headers}, b"Rabo")


def test_a_revoked_token_comes_in_for_as_long_as_the_decision_is_kept(publish: Publish, uncached: str) -> None:
    headers = {HEADER: f"Bearer {publish.token('mallory', 'publish')}"}
    for url in (publish.url, uncached):
        assert post(url, **headers).status == 202
    publish.run("token", "revoke", "mallory")
    assert post(publish.url, **headers).status == 202
    refused = post(uncached, **headers)
    assert (refused.status, refused.json()) == (403, REVOKED)


def test_a_decision_is_kept_for_the_whole_stage(publish: Publish) -> None:
    """It is kept by the token alone: one for a single method would keep its caller out of the others."""
    headers = {HEADER: publish.token("trent", "publish")}
    published = post(publish.url, **headers).json()["id"]
    publish.run("token", "revoke", "trent")
    answer = http.request(publish.url, "GET", f"/publish/{published}", headers)
    assert answer.status == 200, answer.body


def test_nobody_comes_in_while_the_tokens_cannot_be_read(publish: Publish, uncached: str) -> None:
    headers = {HEADER: publish.token("oscar", "publish")}
    before = publish.objects("captured")
    # The authorizer reads; what the worker writes meanwhile is not to be tried again minutes later.
    with fault(publish.control_plane, "dynamodb", "refused", requests="GetItem"):
        answer = post(uncached, **headers)
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})
    assert publish.objects("captured") == before
    assert post(uncached, **headers).status == 202


@pytest.mark.parametrize(
    ("header", "status", "hint"),
    [
        ("", 401, "Send the header AuthDetails with Bearer and a token"),
        ("Bearer", 403, "The header is empty: send Bearer and a token"),
        ("Bearer ", 403, "The header is empty: send Bearer and a token"),
    ],
)
def test_a_header_without_a_token_is_told_so(publish: Publish, header: str, status: int, hint: str) -> None:
    answer = post(publish.url, **{HEADER: header})
    assert (answer.status, answer.json()["hint"]) == (status, hint)


def test_without_a_header_to_ask_for_everybody_may_publish(publish: Publish, another: StartApi) -> None:
    open_api = another(None)
    answer = post(open_api)
    assert answer.status == 202, answer.body
    published = answer.json()["id"]
    assert "principal" not in publish.kept("captured", published)["Metadata"]

    def done() -> bool:
        receipt = http.request(open_api, "GET", f"/publish/{published}")
        assert receipt.status == 200, receipt.body
        return bool(receipt.json()["status"] == "done")

    eventually("it is done", done)
    assert publish.kept("results", published)["Body"].read() == b"Rabobank"
    # What has no owner is not everybody's: a name is asked for at the other door, and it is another's.
    assert publish.receipt(published, publish.token("eve", "publish")).status == 404
