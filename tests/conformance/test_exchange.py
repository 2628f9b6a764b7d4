"""What compares answers with cases, itself: each kind of difference is found."""

from typing import Any

import pytest

from conformance.case import Absent, Matches, filled, merge
from conformance.exchange import Answer, check_answer, check_forwarded, differences
from conformance.upstream import Forwarded


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        ("a", "a"),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": {"b": [1, {"c": None}]}}, {"a": {"b": [1, {"c": None, "d": 0}]}}),
        (Matches(r"\d+"), "12"),
        (Matches(r"\d+"), 12),
        ({"a": Absent()}, {"b": 1}),
        ([], []),
    ],
)
def test_what_is_the_same(expected: Any, actual: Any) -> None:
    assert differences(expected, actual, "it") == []


@pytest.mark.parametrize(
    ("expected", "actual", "found"),
    [
        ("a", "b", "it is 'b', not 'a'"),
        (1, True, "it is True, not 1"),
        (None, "", "it is '', not None"),
        ({"a": 1}, {}, "it.a is nothing, not 1"),
        ({"a": 1}, [], "it is [], not {'a': 1}"),
        ([1], [1, 2], "it is [1, 2], not [1]"),
        ([{"a": 1}], [{"a": 2}], "it[0].a is 2, not 1"),
        (Matches(r"\d"), "12", r"it is '12', not something that matches \d"),
        ({"a": Absent()}, {"a": None}, "it.a is None, but there should be none"),
    ],
)
def test_what_differs(expected: Any, actual: Any, found: str) -> None:
    assert differences(expected, actual, "it") == [found]


def test_an_exact_object_has_no_more_members() -> None:
    assert differences({"a": {}}, {"a": {"b": 1}}, "it", exact=True) == ["it.a.b is 1, but there should be none"]


@pytest.mark.parametrize(
    ("expected", "found"),
    [
        ({"status": 201}, "status 200, not 201"),
        ({"status": 200, "headers": {"x-one": "2"}}, "header x-one is '1', not '2'"),
        ({"status": 200, "headers": {"X-Two": "a"}}, "header X-Two is ['a', 'b'], not 'a'"),
        ({"status": 200, "headers": {"X-One": Absent()}}, "header X-One is '1', but there should be none"),
        ({"status": 200, "headers": {"X-Three": "a"}}, "header X-Three is nothing, not 'a'"),
        ({"status": 200, "body": "{}"}, "body is '{\"a\": 1}', not '{}'"),
        ({"status": 200, "json": {}}, "body.a is 1, but there should be none"),
        ({"status": 200, "body_base64": "AA=="}, "body is b'{\"a\": 1}', not b'\\x00'"),
    ],
)
def test_every_part_of_an_answer_is_looked_at(expected: dict[str, Any], found: str) -> None:
    answer = Answer(200, [("X-One", "1"), ("X-Two", "a"), ("X-Two", "b")], b'{"a": 1}')
    right = {"status": 200, "headers": {"x-one": "1", "x-two": ["a", "b"]}, "json_contains": {"a": 1}}
    assert check_answer(right, answer) == []
    assert check_answer(expected, answer)[0] == found


def test_what_the_endpoint_got_is_looked_at() -> None:
    got = [Forwarded("GET", "/a", [("X-One", "1")], b"text")]
    assert check_forwarded({"times": 1, "method": "GET", "path": "/a", "body": "text"}, got) == []
    assert check_forwarded({"method": "PUT"}, got)[0] == "the endpoint's method is 'GET', not 'PUT'"
    assert check_forwarded({"times": 0}, got) == ["the endpoint got 1 requests, not 0"]
    assert check_forwarded({"path": "/a"}, []) == ["the endpoint got no request"]


def test_a_base_is_merged_member_by_member() -> None:
    base = {"a": {"b": 1, "c": [1]}, "d": 1}
    assert merge(base, {"a": {"b": None, "c": [2]}, "e": None}) == {"a": {"c": [2]}, "d": 1, "e": None}


def test_a_name_that_is_not_known_is_refused() -> None:
    assert filled({"{{a}}": ["x{{a}}"]}, {"a": "1"}) == {"1": ["x1"]}
    with pytest.raises(ValueError, match=r"\{\{b\}\} is not known; there are a"):
        filled("{{b}}", {"a": "1"})
