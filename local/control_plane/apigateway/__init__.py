"""API Gateway, REST APIs: ours. API keys, usage plans, custom domains and VPC links stay moto's.

moto's REST APIs forget most of an OpenAPI import and cannot be changed afterwards; there was more to put right than to
keep. What an API is: `model`. How PATCH changes it: `patch`. From and to OpenAPI: `openapi_import`, `openapi_export`.
The AWS operations: `responses`, and the modules that it names.
"""

from __future__ import annotations

from moto.apigateway import models
from moto.apigateway.models import apigateway_backends
from moto.core.models import DEFAULT_ACCOUNT_ID
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as PageResponse

from .. import registry
from .account import Account
from .model import RestApi
from .request import Backend
from .responses import Response
from .usage_plan import UsagePlan

PATHS = (
    "/restapis/(?P<restapi_id>[^/]+)/documentation/parts$",
    "/restapis/(?P<restapi_id>[^/]+)/documentation/parts/(?P<part_id>[^/]+)/?$",
    "/restapis/(?P<restapi_id>[^/]+)/documentation/versions$",
    "/restapis/(?P<restapi_id>[^/]+)/documentation/versions/(?P<doc_version>[^/]+)/?$",
    "/tags/(?P<resource_arn>.+)$",
)
"""What moto has no URL for."""


def install() -> None:
    registry.replace("apigateway", Response, backend=Backend, paths=PATHS)
    registry.substitute(models, UsagePlan)
    registry.substitute(models, Account)
    registry.add_page(
        "GET", "apigateway/(?P<region>[^/]+)/(?P<api>[^/]+)/deployments/(?P<deployment>[^/]+)", deployed_definition
    )


def deployed_definition(_: Request, region: str, api: str, deployment: str) -> PageResponse:
    """What a deployment holds, as OpenAPI 3."""
    regions = apigateway_backends[DEFAULT_ACCOUNT_ID]
    found = regions[region].apis.get(api) if region in regions else None
    if not isinstance(found, RestApi) or deployment not in found.deployments:
        raise registry.PageError(404, f"Not found: deployment {deployment} of the REST API {api} in {region}")
    return PageResponse(found.deployments[deployment].definition, mimetype="application/json")
