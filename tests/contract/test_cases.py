"""Every row of the table, behind every front door that has what the row needs."""

import json

import pytest

from contract.cases import CASES, Case, Key
from contract.front_door import Capability, FrontDoor
from harness import http

JSON_TYPES = ("application/json", "application/json; charset=utf-8")
TEXT_TYPES = ("text/plain; charset=utf-8",)


def key_headers(front_door: FrontDoor, key: Key) -> dict[str, str]:
    others = {name: value for name, value in front_door.headers.items() if name.lower() != "x-api-key"}
    right = next((value for name, value in front_door.headers.items() if name.lower() == "x-api-key"), "")
    given = {
        Key.RIGHT: right or None,
        Key.NONE: None,
        Key.WRONG: "wrong",
        Key.EMPTY: "",
        Key.PREFIX: right[:-1],
        Key.LONGER: right + "x",
    }[key]
    return others if given is None else {**others, "x-api-key": given}


def marks(case: Case) -> list[pytest.MarkDecorator]:
    return [pytest.mark.needs(case.needs)] if case.needs else []


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name, marks=marks(case)) for case in CASES])
def test_case(front_door: FrontDoor, case: Case) -> None:
    headers = key_headers(front_door, case.key) | case.headers
    if case.content_type is not None:
        headers["Content-Type"] = case.content_type
    body = case.body if case.method not in ("GET", "HEAD", "OPTIONS") else None

    response = http.request(front_door.url, case.method, case.path, headers, body)

    assert response.status == case.answer.status, response.body[:500]
    if not case.answer.json:
        assert response.headers["content-type"].lower() in TEXT_TYPES
        assert case.answer.body is not None
        assert response.body == case.answer.body.encode()
        return
    assert response.headers["content-type"].lower() in JSON_TYPES
    if case.answer.body is None:
        assert set(response.json()) == {"message"}
        assert isinstance(response.json()["message"], str)
    elif response.status == 200:
        assert response.json() == {"message": case.answer.body}
    elif Capability.EXACT in front_door.capabilities:
        assert response.body == json.dumps({"message": case.answer.body}, separators=(",", ":")).encode()
    else:
        assert response.json()["message"] == case.answer.body


def test_names_are_unique() -> None:
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
