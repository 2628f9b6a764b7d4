"""How this package changes moto: four operations, and no others; and pages of this control plane's own.

- `replace`: a service of moto answers through our subclass of its response (and backend) class.
- `substitute`: a model class inside moto is exchanged for our subclass of it.
- `add`: a service that moto does not have at all.
- `remember`: a function of moto that always gives the same is asked once.
- `add_page`: something under `/_control_plane/` that AWS does not have.

moto looks its classes up by name in its own modules, so exchanging a name for a subclass reaches every place that makes
one. Each of these checks what it finds, so that a newer moto that moved something fails at start, by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.responses import BaseResponse
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from werkzeug.wrappers import Response

Backend = TypeVar("Backend", bound=BaseBackend)

ADDED: dict[str, type[BaseResponse]] = {}
"""Signing name → the response class of a service that moto does not have."""


class MotoChanged(RuntimeError):
    """moto is not laid out as this package expects it."""


def replace(
    package: str,
    response: type[BaseResponse],
    *,
    backend: type[BaseBackend] | None = None,
    paths: Iterable[str] = (),
) -> None:
    """Let `moto.<package>` answer through `response`, keep its state in `backend`, and answer `paths` as well."""
    urls = import_module(f"moto.{package}.urls")
    replaced = 0
    for path, handler in urls.url_paths.items():
        owner = getattr(handler, "__self__", None)
        owner_class = owner if isinstance(owner, type) else type(owner)
        if owner is not None and issubclass(response, owner_class) and handler.__name__ == "dispatch":
            urls.url_paths[path] = response.dispatch
            replaced += 1
    if not replaced:
        raise MotoChanged(f"moto.{package}.urls sends nothing to a parent of {response.__qualname__}")
    for path in paths:
        urls.url_paths["{0}" + path] = response.dispatch
    if backend is not None:
        _replace_backend(package, backend, urls)


def _replace_backend(package: str, backend: type[BaseBackend], urls: ModuleType) -> None:
    backends = getattr(import_module(f"moto.{package}.models"), f"{package}_backends")
    if not isinstance(backends, BackendDict) or not issubclass(backend, backends.backend):
        raise MotoChanged(f"moto.{package}.models keeps no backends that {backend.__qualname__} could stand in for")
    # moto finds a service's URLs beside the module of its backend class, which for ours would be this package.
    setattr(backend, "_url_module", urls)  # noqa: B010 (a property in the parent class; a plain value here)
    backends.backend = backend


def substitute(module: ModuleType, ours: type[Any]) -> None:
    """Exchange the class in `module` that `ours` derives from for `ours`."""
    for name, value in vars(module).items():
        if value is ours.__mro__[1]:
            setattr(module, name, ours)
            return
    raise MotoChanged(f"{module.__name__} has no {ours.__mro__[1].__qualname__}")


def remember(module: ModuleType, name: str) -> None:
    """Let the function `name` in `module` be asked once for each of its arguments. Nobody may change what it gives."""
    function = getattr(module, name, None)
    if not callable(function):
        raise MotoChanged(f"{module.__name__} has no function {name}")
    setattr(module, name, cache(function))


def regional(backend: type[Backend], service: str) -> BackendDict[Backend]:
    """State per account and region for a service of ours, in every region that has EC2 (moto asks boto3 which regions a
    service is in, and boto3 does not know that of the newer ones). moto's own list of those: boto3 reads all of EC2's
    API for it, each time."""
    regions = [region.name for region in RegionsAndZonesBackend.regions]
    return BackendDict(backend, service, use_boto3_regions=False, additional_regions=regions)


def add(signing_name: str, response: type[BaseResponse]) -> None:
    """Answer requests that are signed for `signing_name`, a service that moto does not have."""
    ADDED[signing_name] = response


PageHandler = Callable[..., Any]
"""Takes the request, and the pattern's named groups as keywords. Returns a `Response`, or a value to send as JSON."""


class PageError(Exception):
    """A page's own answer to a request that it cannot take: `{"message": ...}` with this status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


@dataclass(frozen=True)
class Page:
    method: str
    pattern: re.Pattern[str]
    handler: PageHandler
    waits: bool


PAGES: list[Page] = []


def add_page(method: str, pattern: str, handler: PageHandler, *, waits: bool = False) -> None:
    """Answer `method` of `/_control_plane/` + `pattern`, a regular expression that the whole rest of the path must fit.

    The path is matched after percent-decoding, so that an ARN in it may hold slashes: `target_health/(?P<arn>.+)`.
    A page that `waits` is answered without a turn (`turns`), and so must not touch moto's state.
    """
    PAGES.append(Page(method, re.compile(pattern), handler, waits))


def json_response(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, mimetype="application/json")
