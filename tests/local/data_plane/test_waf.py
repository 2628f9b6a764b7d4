"""A web ACL before a stage, from the account to the answer."""

import json
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.control_plane import REGION, ControlPlane
from harness.data_plane import DataPlane
from harness.greetings import deploy
from harness.waiting import eventually

NO_CONTAINER = "/bin/false"
LIMIT = 10
"""AWS's own least."""
METRICS = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


@pytest.fixture
def plane(tmp_path: Path) -> Iterator[tuple[ControlPlane, str, str]]:
    """The control plane, the API's id, and the URL of its stage prod."""
    control_plane = ControlPlane()
    try:
        api, _ = deploy(control_plane.client("apigateway"))
        data_plane = DataPlane(control_plane.url, tmp_path, NO_CONTAINER)
        try:
            yield control_plane, api, f"{data_plane.url}/_aws/execute-api/{api}/prod/hello"
        finally:
            assert data_plane.stop() == 0, data_plane.process.output
    finally:
        control_plane.stop()


def ask(url: str) -> tuple[int, dict[str, str], bytes]:
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def protect(wafv2: Any, api: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    summary: dict[str, Any] = wafv2.create_web_acl(
        Name="site",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=METRICS,
        CustomResponseBodies={"slow": {"ContentType": "APPLICATION_JSON", "Content": '{"message": "Slow down"}'}},
        Rules=rules,
    )["Summary"]
    stage = f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/prod"
    wafv2.associate_web_acl(WebACLArn=summary["ARN"], ResourceArn=stage)
    return summary


def rule(name: str, statement: dict[str, Any], block: dict[str, Any]) -> dict[str, Any]:
    return {
        **{"Name": name, "Priority": 0, "Statement": statement, "Action": {"Block": block}},
        "VisibilityConfig": METRICS,
    }


def test_a_rate_is_limited_also_over_an_update(plane: tuple[ControlPlane, str, str]) -> None:
    control_plane, api, url = plane
    wafv2 = control_plane.client("wafv2")
    custom = {"CustomResponse": {"ResponseCode": 429, "CustomResponseBodyKey": "slow"}}
    rate = rule("rate", {"RateBasedStatement": {"Limit": LIMIT, "AggregateKeyType": "IP"}}, custom)
    web_acl = protect(wafv2, api, [rate])
    # It is in effect a moment later, and the requests until then are not counted.
    eventually("the limit", lambda: ask(url)[0] == 429)
    status, headers, body = ask(url)
    assert (status, headers["content-type"], json.loads(body)) == (429, "application/json", {"message": "Slow down"})

    # Another default action, the same rule: whoever was blocked still is.
    lock = wafv2.get_web_acl(Name="site", Scope="REGIONAL", Id=web_acl["Id"])["LockToken"]
    wafv2.update_web_acl(
        **{"Name": "site", "Scope": "REGIONAL", "Id": web_acl["Id"], "LockToken": lock, "Rules": [rate]},
        **{"DefaultAction": {"Allow": {}}, "VisibilityConfig": METRICS, "Description": "the same, said better"},
        CustomResponseBodies={"slow": {"ContentType": "TEXT_PLAIN", "Content": "Slow down"}},
    )
    eventually("the new body", lambda: ask(url)[2] == b"Slow down")
    assert Counter(ask(url)[0] for _ in range(5)) == {429: 5}


def test_a_blocked_request_gets_api_gateways_own_answer(plane: tuple[ControlPlane, str, str]) -> None:
    control_plane, api, url = plane
    wafv2 = control_plane.client("wafv2")
    addresses = wafv2.create_ip_set(Name="here", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["127.0.0.0/8"])[
        "Summary"
    ]
    protect(wafv2, api, [rule("here", {"IPSetReferenceStatement": {"ARN": addresses["ARN"]}}, {})])
    eventually("the web ACL", lambda: ask(url)[0] == 403)
    assert json.loads(ask(url)[2]) == {"message": "Forbidden"}
    # The other stage is not protected.
    assert ask(url.replace("/prod/", "/test/"))[0] == 200

    # The set alone changes: the web ACL that refers to it is another from then on.
    lock = wafv2.get_ip_set(Name="here", Scope="REGIONAL", Id=addresses["Id"])["LockToken"]
    wafv2.update_ip_set(Name="here", Scope="REGIONAL", Id=addresses["Id"], Addresses=["192.0.2.0/24"], LockToken=lock)
    eventually("the new set", lambda: ask(url)[0] == 200)
