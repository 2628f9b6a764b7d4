"""`POST vtl`: renders a mapping template of API Gateway.

airspeed, a kept implementation of the Velocity Template Language, does the rendering; here is what it renders with.
Values that behave as in Java: `values`. `$input` and `$util`: `variables`. What airspeed is taught: `engine`.
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-override-request-response-parameters.html

Request: `{"template", "body", "context": {}, "stageVariables": {}, "params": {"path", "querystring", "header"}}`.
Answer: `{"rendered", "context": {"requestOverride", "responseOverride"}}`, what the template set of the latter two.
Refusal: 400 `{"message", "reason"}`, where the reason is `body` for a body that the template reads and that is no JSON,
`template` for everything else.
"""

from __future__ import annotations

from typing import Any

from werkzeug.wrappers import Request, Response

from .. import registry
from ..registry import PageError, json_response
from . import engine
from .values import Map, Variables, plain
from .variables import NotJson, Util, Variable

OVERRIDES: dict[str, Any] = {
    "requestOverride": {"header": {}, "path": {}, "querystring": {}},
    "responseOverride": {"header": {}},
}
"""What a template may set, empty. `responseOverride.status` is not there until it is set."""

ALWAYS_THERE = ("authorizer", "error", "identity")
"""Members of `$context` that have members; each of those is empty text where it does not apply."""

MEMBERS: dict[str, type] = {"template": str, "body": str, "context": dict, "stageVariables": dict, "params": dict}


def page(request: Request) -> Any:
    given = request.get_json()
    if not isinstance(given, dict) or not isinstance(given.get("template"), str):
        raise PageError(400, 'Give the template: {"template": "...", ...}')
    for name, kind in MEMBERS.items():
        if not isinstance(given.get(name, kind()), kind):
            raise PageError(400, f"{name} is a {type(given[name]).__name__}: it should be a {kind.__name__}")
    try:
        rendered, context = render(**{name: given.get(name, kind()) for name, kind in MEMBERS.items()})
    except engine.TemplateFailed as error:
        reason = "body" if isinstance(error.cause, NotJson) else "template"
        return refused(str(error), reason)
    return {"rendered": rendered, "context": context}


def refused(message: str, reason: str) -> Response:
    return json_response({"message": message, "reason": reason}, 400)


def render(
    template: str, body: str, context: dict[str, Any], stageVariables: dict[str, Any], params: dict[str, Any]
) -> tuple[str, dict[str, Any]]:
    """The text, and the overrides."""
    variables = Variables({**{name: {} for name in ALWAYS_THERE}, **context, **OVERRIDES})
    namespace = {
        "input": Variable(body, Map({kind: params.get(kind, {}) for kind in ("path", "querystring", "header")})),
        "util": Util(),
        "context": variables,
        "stageVariables": Variables(stageVariables),
    }
    # As it will be sent: half of a surrogate pair has no UTF-8, and Java writes a question mark for it.
    rendered = engine.render(template, namespace).encode("utf-8", "replace").decode()
    return rendered, {name: plain(variables[name]) for name in OVERRIDES}


def install() -> None:
    engine.install()
    registry.add_page("POST", "vtl", page)
