"""API Gateway, REST APIs: ours. API keys, usage plans, custom domains and VPC links stay moto's.

moto's REST APIs forget most of an OpenAPI import and cannot be changed afterwards; there was more to put right than to
keep. What an API is: `model`. How PATCH changes it: `patch`. From and to OpenAPI: `openapi_import`, `openapi_export`.
The AWS operations: `responses`, and the modules that it names.
"""

from __future__ import annotations

from moto.apigateway import models
from moto.apigateway.models import apigateway_backends
from moto.core.models import DEFAULT_ACCOUNT_ID

from .. import registry
from .account import Account
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


def deployed_definition(region: str, api_id: str, deployment_id: str) -> str | None:
    """What a deployment holds, as JSON text; None where there is no such deployment."""
    if region not in apigateway_backends[DEFAULT_ACCOUNT_ID]:
        return None
    backend = apigateway_backends[DEFAULT_ACCOUNT_ID][region]
    assert isinstance(backend, Backend)
    api = backend.apis.get(api_id)
    deployment = api.deployments.get(deployment_id) if api else None
    return deployment.definition if deployment else None
