"""This control plane's own pages, under `/_control_plane/`: what AWS has no call for. Modules add theirs by
`registry.add_page`."""

from __future__ import annotations

import traceback
from contextlib import nullcontext
from typing import Any

from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Request, Response

from . import registry
from .registry import PageError, json_response
from .turns import TURN

PREFIX = "/_control_plane/"


def answer(request: Request) -> Response:
    """Find the request's page and ask it. Every refusal is JSON with a `message`."""
    path = request.path.removeprefix(PREFIX)
    methods = set()
    for page in registry.PAGES:
        match = page.pattern.fullmatch(path)
        if match is None:
            continue
        if page.method == request.method:
            return _call(page, request, match.groupdict())
        methods.add(page.method)
    if methods:
        return refusal(405, f"{request.path} takes {' or '.join(sorted(methods))}, not {request.method}")
    return refusal(404, f"Not found: {request.path}")


def _call(page: registry.Page, request: Request, named: dict[str, str]) -> Response:
    try:
        with nullcontext() if page.waits else TURN:
            value = page.handler(request, **named)
    except PageError as error:
        return refusal(error.status, error.message)
    except HTTPException as error:
        # werkzeug's own, such as that of a body that is not JSON.
        return refusal(error.code or 500, error.description or str(error))
    except Exception as error:
        traceback.print_exception(error)
        return refusal(500, f"{request.path} failed: {type(error).__name__}: {error}")
    return value if isinstance(value, Response) else json_response(value)


def refusal(status: int, message: str) -> Response:
    return json_response({"message": message}, status)


def health(_: Request) -> Any:
    return {"status": "ready"}


def install() -> None:
    registry.add_page("GET", "health", health)
