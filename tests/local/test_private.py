"""private, end to end: who is let in, from where, to what; and what everybody else is told."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import pytest

from harness import http
from harness.make_local import MakeLocal
from harness.private import CONTACT, ORIGINS
from harness.publish import Publish
from harness.waiting import eventually

STAGES = ("dev", "test", "stage", "prod")
CLOSED = ("dev", "test", "stage")
# All of 127.0.0.0/8 is this machine. 127.0.0.1 is on the list of known addresses, and this is not.
STRANGER = "127.0.0.2"

Door = dict[str, Any]


@pytest.fixture(scope="module")
def doors(deployed: MakeLocal) -> dict[str, Door]:
    document = json.loads(deployed.endpoints.read_text())
    return {door["name"]: door for door in document["endpoints"] if door["architecture"] == "private"}


@pytest.fixture(scope="module")
def prod(doors: dict[str, Door]) -> Door:
    return doors["private-prod"]


def call(door: Door, method: str = "POST", path: str = "/string/replace", **headers: str) -> http.Response:
    """As its caller, but for the headers that are given; an empty one is left out."""
    names = {name.lower() for name in headers}
    usual = {name: value for name, value in door["headers"].items() if name.lower() not in names}
    given = {name: value for name, value in headers.items() if value}
    sent = {"Content-Type": "application/json", **usual, **given}
    return http.request(door["url"], method, path, sent, b'{"content": "abn"}' if method == "POST" else None)


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_leads_to_the_containers(doors: dict[str, Door], stage: str) -> None:
    for name in (f"private-{stage}", f"private-{stage}-domain"):
        answer = call(doors[name])
        assert (answer.status, answer.json()) == (200, {"message": "ABN AMRO"}), name


def test_without_a_token_one_is_asked_for(prod: Door) -> None:
    answer = call(prod, Authorization="")
    assert answer.status == 401
    assert answer.json() == {
        "message": "Unauthorized",
        "hint": "Send the header Authorization with Bearer and a token",
        "http_method": "POST",
    }


def test_a_token_that_is_not_good_is_told_why(prod: Door, publish: Publish) -> None:
    revoked = publish.token("private-bob", "private")
    publish.run("token", "revoke", "private-bob")
    expired = "sy_private_expired"
    publish.dynamodb.put_item(
        TableName=publish.tokens,
        Item={
            "pk": {"S": f"token#{hashlib.sha256(expired.encode()).hexdigest()}"},
            "name": {"S": "private-carol"},
            "scopes": {"SS": ["private"]},
            "disabled": {"BOOL": False},
            "expires_at": {"N": str(int(time.time()) - 1)},
        },
    )
    good = publish.token("private-dave", "private", "publish")
    other = publish.token("private-erin", "publish")
    hints = {
        f"Bearer {revoked}": "The token was revoked: ask for a new one",
        f"Bearer {expired}": "The token has expired: ask for a new one",
        "Bearer sy_unknown": "The token is not known: check it, or ask for a new one",
        "Bearer": "The header is empty: send Bearer and a token",
        "Basic eA==": "The scheme is missing or wrong: send Bearer and a token",
        good: "The scheme is missing or wrong: send Bearer and a token",
        f"Bearer {other}": "The token lacks the scope private: ask for one that has it",
    }
    for header, hint in hints.items():
        answer = call(prod, Authorization=header)
        expected = {"message": "Forbidden", "hint": hint, "http_method": "POST"}
        assert (answer.status, answer.json()) == (403, expected), header
    assert call(prod, Authorization=f"Bearer {good}").status == 200


def test_a_token_lets_nobody_past_the_service_s_own_key(prod: Door) -> None:
    for key in ("", "wrong-key-of-some-length"):
        answer = call(prod, **{"x-api-key": key})
        assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("POST", "/"),
        ("GET", "/unknown"),
        ("POST", "/string/replace/more"),
        ("GET", "/string/replace"),
        ("DELETE", "/string/replace"),
        ("POST", "/status/health"),
    ],
)
def test_what_is_not_there_is_404(doors: dict[str, Door], method: str, path: str) -> None:
    for name in ("private-prod", "private-prod-domain"):
        answer = call(doors[name], method, path)
        expected = (404, {"message": "Unable to find the requested resource"})
        assert (answer.status, answer.json()) == expected, name


def test_health_needs_no_token(prod: Door) -> None:
    answer = call(prod, "GET", "/status/health", Authorization="", **{"x-api-key": ""})
    assert (answer.status, answer.json()) == (200, {"message": "UP"})


@pytest.mark.parametrize("stage", CLOSED)
def test_a_closed_stage_tells_a_stranger_whom_to_ask(doors: dict[str, Door], stage: str) -> None:
    for name in (f"private-{stage}", f"private-{stage}-domain"):
        door = doors[name]
        answer = http.request(door["url"], "POST", "/string/replace", door["headers"], b"{}", source=STRANGER)
        assert (answer.status, answer.media_type) == (403, "application/json"), name
        said = answer.json()
        assert said["message"] == "Forbidden"
        assert f"ask {CONTACT}" in said["hint"]


def test_prod_is_open_to_everybody_with_a_token(doors: dict[str, Door]) -> None:
    for name in ("private-prod", "private-prod-domain"):
        door = doors[name]
        body = b'{"content": "abn"}'
        answer = http.request(door["url"], "POST", "/string/replace", door["headers"], body, source=STRANGER)
        assert (answer.status, answer.json()) == (200, {"message": "ABN AMRO"}), name


@pytest.mark.parametrize("forged", ["203.0.113.9", "127.0.0.1", "10.0.0.5, 127.0.0.1", "nonsense", ""])
def test_the_service_knows_the_caller_whatever_that_one_says(deployed: MakeLocal, prod: Door, forged: str) -> None:
    trace = f"1-5759e988-{hashlib.sha256(forged.encode()).hexdigest()[:24]}"
    headers = {**prod["headers"], "X-Forwarded-For": forged, "X-Amzn-Trace-Id": f"Root={trace}"}
    answer = http.request(prod["url"], "POST", "/string/replace", headers, b'{"content": ""}', source=STRANGER)
    assert answer.status == 200

    def of_container() -> str | None:
        """The gateway's own line has the trace too."""
        return next((line for line in deployed.stdout if trace in line and '"client_ip"' in line), None)

    assert f'"client_ip":"{STRANGER}"' in eventually("the container's line", of_container)


def preflight(door: Door, origin: str, path: str = "/string/replace") -> http.Response:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    host = {name: value for name, value in door["headers"].items() if name.lower() == "host"}
    return http.request(door["url"], "OPTIONS", path, {**host, "Origin": origin, **asked})


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_page_of_an_allowed_origin_may_call(doors: dict[str, Door], origin: str) -> None:
    for name in ("private-prod", "private-prod-domain"):
        answer = preflight(doors[name], origin)
        assert (answer.status, answer.body) == (204, b""), name
        assert answer.headers["access-control-allow-origin"] == origin
        assert "POST" in answer.headers["access-control-allow-methods"]
        allowed = answer.headers["access-control-allow-headers"].lower().split(",")
        assert {"authorization", "content-type", "x-api-key"} <= set(allowed)
        assert answer.headers["vary"] == "Origin"


def test_a_page_of_another_origin_is_not_named(prod: Door) -> None:
    answer = preflight(prod, "https://evil.example.com")
    assert answer.headers["access-control-allow-origin"] == ORIGINS[0]


def test_a_page_can_read_what_the_service_answers(prod: Door) -> None:
    for origin in ORIGINS:
        answer = call(prod, Origin=origin)
        assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, origin)
    assert "access-control-allow-origin" not in call(prod, Origin="https://evil.example.com").headers


def test_a_page_can_read_why_it_was_refused(prod: Door) -> None:
    answer = call(prod, Authorization="", Origin=ORIGINS[0])
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (401, ORIGINS[0])
