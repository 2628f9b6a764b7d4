"""Mapping templates: what API Gateway's variables and functions give, and that rendering is airspeed's."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import airspeed
import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.control_plane import ControlPlane

Render = Callable[..., Any]

BODY = {
    "name": "Rex",
    "age": 3,
    "tags": ["a", "b"],
    "owner": {"first-name": "Ann", "home": None},
    "pets": [{"kind": "dog", "legs": 4}, {"kind": "bird", "legs": 2}],
    "is": True,
}


@pytest.fixture(scope="module")
def ask(control_plane: ControlPlane) -> Iterator[Render]:
    with requests.Session() as session:

        def send(template: str, **more: Any) -> requests.Response:
            body = {"template": template, **more}
            return session.post(f"{control_plane.url}/_control_plane/vtl", json=body, timeout=10)

        yield send


@pytest.fixture(scope="module")
def render(ask: Render) -> Render:
    def rendered(template: str, body: Any = BODY, **more: Any) -> str:
        response = ask(template, body=body if isinstance(body, str) else json.dumps(body), **more)
        assert response.status_code == 200, response.text
        return str(response.json()["rendered"])

    return rendered


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.json('$.name')", '"Rex"'),
        ("$input.json('$.tags')", '["a","b"]'),
        ("$input.json('$.pets[1].kind')", '"bird"'),
        ("$input.json('$.pets[*].legs')", "[4,2]"),
        ("$input.json('$..kind')", '["dog","bird"]'),
        ("$input.json('$.pets[?(@.legs>2)].kind')", '["dog"]'),
        ("$input.json('$.owner.first-name')", '"Ann"'),
        ("$input.json(\"$['owner']['first-name']\")", '"Ann"'),
        ("$input.json('$.owner.home')", "null"),
        ("$input.json('$.missing')", '""'),
        ("$input.json('$.missing.deeper')", '""'),
        ("$input.json('$')", json.dumps(BODY, separators=(",", ":"))),
        ("$input.path('$.name')", "Rex"),
        ("$input.path('$.age')", "3"),
        ("$input.path('$.is')", "true"),
        ("$input.path('$.missing')", ""),
        ("$input.path('$.tags')", '["a","b"]'),
        ("$input.path('$.pets[0]')", "{kind=dog, legs=4}"),
        ("$input.path('$').pets.size()", "2"),
        ("$input.path('$').pets[1].kind", "bird"),
        ("$input.path('$').pets.get(0).get('kind')", "dog"),
        ("$input.path('$').name.length()", "3"),
        ("$input.path('$').nothing", "$input.path('$').nothing"),
        ("$!input.path('$').nothing", ""),
        ("$input.path('$').keys", "$input.path('$').keys"),
        ("#set($root = $input.path('$'))${root.name}!", "Rex!"),
        ("#foreach($pet in $input.path('$.pets'))$pet.kind#if($foreach.hasNext),#end#end", "dog,bird"),
        ("#foreach($leg in $input.path('$.pets[0]'))$leg;#end", "dog;4;"),
        ("#foreach($e in $input.path('$.pets[0]').entrySet())$e.key=$e.value;#end", "kind=dog;legs=4;"),
        ("#if($input.path('$.is'))yes#{else}no#end", "yes"),
        ("#if($input.path('$.missing') == '')none#end", "none"),
        ("#set($l = [])#set($x = $l.add('a'))$x $l.size() $l", "true 1 [a]"),
        ("#set($m = {'a': 1})#set($m.b = true)$m.keySet() $m $m.containsKey('c')", "[a, b] {a=1, b=true} false"),
        ("#set($s = 'a.b')#foreach($p in $s.split('\\.'))[$p]#end", "[a][b]"),
        ("$input.path('$.name').toUpperCase().replaceAll('(R)', '$1$1').substring(1)", "REX"),
    ],
)
def test_the_body(render: Render, template: str, expected: str) -> None:
    assert render(template) == expected


def test_the_body_as_it_came(render: Render) -> None:
    assert render("$input.body", '{"a": 1 }') == '{"a": 1 }'
    assert render("$input.body|$input.json('$')", "") == "{}|{}"


PARAMETERS = {"path": {"id": "p"}, "querystring": {"id": "q", "page": "2"}, "header": {"X-Trace": "t", "page": "h"}}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$input.params('id')", "p"),
        ("$input.params('page')", "2"),
        ("$input.params('X-Trace')", "t"),
        ("$input.params('x-trace')", "t"),
        ("$input.params('missing')", ""),
        ("$input.params().querystring.page", "2"),
        ("$input.params().header.get('X-Trace')", "t"),
        ("#foreach($k in $input.params().querystring.keySet())$k;#end", "id;page;"),
        (
            "#foreach($t in $input.params().keySet())$t:#set($p = $input.params().get($t))$p.size() #end",
            "path:1 querystring:2 header:2 ",
        ),
    ],
)
def test_the_parameters(render: Render, template: str, expected: str) -> None:
    assert render(template, params=PARAMETERS) == expected


TEXT = 'it\'s "x" / \\ \n é 😀'


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$util.escapeJavaScript($input.path('$'))", 'it\\\'s \\"x\\" \\/ \\\\ \\n \\u00E9 \\uD83D\\uDE00'),
        # The guide's own way to make JSON of it: in double quotes a backslash stands for itself.
        (
            "$util.escapeJavaScript($input.path('$')).replaceAll(\"\\\\'\", \"'\")",
            'it\'s \\"x\\" \\/ \\\\ \\n \\u00E9 \\uD83D\\uDE00',
        ),
        ("$util.urlEncode('a b&c=d/e*~')", "a+b%26c%3Dd%2Fe*~"),
        ("$util.urlDecode('a+b%26c')", "a b&c"),
        ("$util.base64Encode('é')", "w6k="),
        ("$util.base64Decode('w6k=')", "é"),
        ("$util.parseJson('{\"a\": [1, 2]}').a[1]", "2"),
    ],
)
def test_the_functions(render: Render, template: str, expected: str) -> None:
    assert render(template, json.dumps(TEXT)) == expected


def test_half_a_surrogate_pair_is_a_question_mark(render: Render) -> None:
    """JSON can escape one, UTF-8 cannot hold it; Java's encoder puts a question mark in its place."""
    assert render("$input.path('$.v')|$util.base64Encode($input.path('$.v'))", '{"v": "a\\ud83e"}') == "a?|YT8="


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(max_examples=60, deadline=None)
def test_what_is_encoded_can_be_decoded(render: Render, value: str) -> None:
    functions = (("base64Encode", "base64Decode"), ("urlEncode", "urlDecode"))
    template = "|".join(f"$util.{decode}($util.{encode}($input.path('$.v')))" for encode, decode in functions)
    assert render(template, {"v": value}) == f"{value}|{value}"


@given(st.text(st.characters(exclude_characters="'", exclude_categories=["Cs"])))
@settings(max_examples=60, deadline=None)
def test_what_is_escaped_is_a_string_of_json(render: Render, value: str) -> None:
    assert json.loads(render("\"$util.escapeJavaScript($input.path('$.v'))\"", {"v": value})) == value


CONTEXT = {
    "requestId": "r-1",
    "identity": {"sourceIp": "127.0.0.1"},
    "authorizer": {"principalId": "me", "admin": "true"},
}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$context.requestId $context.identity.sourceIp", "r-1 127.0.0.1"),
        ("$context.authorizer.principalId/$context.authorizer.admin", "me/true"),
        ('"$context.identity.apiKey"', '""'),
        ('"$context.error.message"', '""'),
        ('"$context.nothing"', '""'),
        ("$stageVariables.alias", "prod"),
        ("$stageVariables.get('alias')", "prod"),
        ("${stageVariables.alias}-", "prod-"),
        ('"$stageVariables.nothing"', '""'),
    ],
)
def test_context_and_stage_variables(render: Render, template: str, expected: str) -> None:
    assert render(template, context=CONTEXT, stageVariables={"alias": "prod"}) == expected


def test_overrides(ask: Render) -> None:
    template = """
#set($context.requestOverride.header.accept = "text/plain")
#set($context.requestOverride.header['X-Request'] = $context.requestId)
#set($context.requestOverride.path.id = $input.path('$.age'))
#set($context.requestOverride.querystring.page = "2")
#set($context.responseOverride.status = 418)
#set($context.responseOverride.header.x-tea = "pot")
done"""
    answer = ask(template, body=json.dumps(BODY), context=CONTEXT).json()
    assert answer["rendered"].strip() == "done"
    assert answer["context"] == {
        "requestOverride": {
            "header": {"accept": "text/plain", "X-Request": "r-1"},
            "path": {"id": 3},
            "querystring": {"page": "2"},
        },
        "responseOverride": {"header": {"x-tea": "pot"}, "status": 418},
    }


def test_nothing_is_overridden_unless_it_is_said(ask: Render) -> None:
    assert ask("x").json()["context"] == {
        "requestOverride": {"header": {}, "path": {}, "querystring": {}},
        "responseOverride": {"header": {}},
    }
    # Nor does one template leave anything to the next.
    ask("#set($context.responseOverride.status = 418)#macro(m)x#end")
    assert ask("#macro(m)y#end#m()").json()["rendered"] == "y"
    assert "status" not in ask("x").json()["context"]["responseOverride"]


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("#if($x)", "#else, #elseif or #end"),
        ("#foreach($x in )#end", "expected block element"),
        ("$input.path('$[')", ""),
        ("#set($a.b = 1)", "'a'"),
        ("$input.path('$.n').nothing()", "int has no method nothing"),
        ("$util.parseJson('{')", "Expecting property name"),
        ("#nothing()", "no such macro: nothing"),
    ],
)
def test_a_template_that_fails(ask: Render, template: str, message: str) -> None:
    response = ask(template, body='{"n": 1}')
    assert response.status_code == 400, response.text
    assert response.json()["reason"] == "template"
    assert response.json()["message"]
    assert message in response.json()["message"]


def test_a_body_that_is_read_as_json_and_is_none(ask: Render) -> None:
    response = ask("$input.json('$')", body='{"a":')
    assert response.status_code == 400
    assert response.json()["reason"] == "body"
    assert response.json()["message"].startswith("Could not parse request body into json: ")
    assert ask("$input.body", body='{"a":').json()["rendered"] == '{"a":'


@pytest.mark.parametrize(
    ("request_body", "message"),
    [
        ({}, "Give the template"),
        ({"template": 1}, "Give the template"),
        ({"template": "", "body": {}}, "body is a dict: it should be a str"),
        ({"template": "", "params": []}, "params is a list: it should be a dict"),
    ],
)
def test_a_request_that_is_none(control_plane: ControlPlane, request_body: Any, message: str) -> None:
    response = requests.post(f"{control_plane.url}/_control_plane/vtl", json=request_body, timeout=5)
    assert response.status_code == 400
    assert message in response.json()["message"]


def test_many_at_once_do_not_meet(ask: Render) -> None:
    template = "#set($x = $input.path('$.n'))#foreach($i in [1..50])#set($x = $x + 1)#end$x"
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: ask(template, body=json.dumps({"n": n})).json()["rendered"], range(64)))
    assert answers == [str(n + 50) for n in range(64)]


NAMES = st.sampled_from(["a", "b", "longer"])
PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="$#\\", exclude_categories=["Cs"]), max_size=12)
QUOTED = st.from_regex(r"[a-zA-Z0-9 ,.{}]{0,8}", fullmatch=True).map(lambda text: f"'{text}'")
VALUES = QUOTED | st.integers(0, 999).map(str) | NAMES.map(lambda name: f"$stageVariables.{name}")


def blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.tuples(VALUES, VALUES, inner, inner).map(lambda t: f"#if({t[0]} == {t[1]}){t[2]}#{{else}}{t[3]}#end")
        | st.tuples(NAMES, st.lists(VALUES, max_size=3), inner).map(
            lambda t: f"#foreach(${t[0]} in [{', '.join(t[1])}]){t[2]}${t[0]}#if($foreach.hasNext),#end#end"
        )
        | st.tuples(NAMES, VALUES, inner).map(lambda t: f"#set(${t[0]} = {t[1]}){t[2]}${{{t[0]}}}")
        | st.tuples(inner, inner).map("".join)
    )


REFERENCES = NAMES.map(lambda name: f"${{stageVariables.{name}}}") | NAMES.map(lambda name: f"$!{{{name}}}")
TEMPLATES = st.recursive(PLAIN | REFERENCES | st.just("## a comment\n"), blocks, max_leaves=12)
STAGE_VARIABLES = st.fixed_dictionaries({name: PLAIN for name in ("a", "b", "longer")})


@given(template=TEMPLATES, variables=STAGE_VARIABLES)
@settings(max_examples=400, deadline=None)
def test_rendering_is_that_of_airspeed_called_directly(ask: Render, template: str, variables: dict[str, str]) -> None:
    """airspeed as it is installed, in this process, which the control plane's changes to its own copy do not reach."""
    try:
        expected = airspeed.Template(template).merge({"stageVariables": dict(variables)})
    except Exception:
        assert ask(template, stageVariables=variables).status_code == 400
    else:
        response = ask(template, stageVariables=variables)
        assert response.status_code == 200, response.text
        assert response.json()["rendered"] == expected
