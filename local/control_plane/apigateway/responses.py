"""All operations of API Gateway; each method is the AWS operation of that name.

Those of a REST API are ours, in the modules of its parts. API keys, usage plans, custom domain names, base path
mappings, VPC links and the account are moto's; what those lack follows here.
https://docs.aws.amazon.com/apigateway/latest/api/API_Operations.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from moto.apigateway.exceptions import NotFoundException
from moto.core.common_types import TYPE_RESPONSE
from moto.core.utils import camelcase_to_underscores

from .deployments import Deployments
from .documentation import Documentation
from .methods import Methods
from .model import Json
from .parts import Parts
from .patch import Operation, patch
from .request import answer
from .rest_apis import RestApis


class Response(RestApis, Methods, Parts, Documentation, Deployments):
    def update_vpc_link(self) -> TYPE_RESPONSE:
        link = self.backend.get_vpc_link(self.path_value("vpclink_id"))
        return answer(patched(link, link.to_json(), self.operations, "VpcLink"))

    def update_domain_name(self) -> TYPE_RESPONSE:
        domain = self.backend.get_domain_name(self.path_value("domain_name"))
        return answer(patched(domain, domain.to_json(), self.operations, "DomainName"))

    # Tags, of everything that has them; moto knows those of a stage.

    @property
    def the_tags(self) -> dict[str, str]:
        """`arn:aws:apigateway:eu-west-1::/restapis/{id}/stages/{name}`."""
        kind, identifier, *rest = unquote(self.path.split("/tags/", 1)[1]).split("::/", 1)[1].split("/")
        if kind == "restapis" and rest:
            return self.backend.get_stage(identifier, rest[1]).tags
        if kind == "restapis":
            tags: dict[str, str] = self.backend.get_rest_api(identifier).attributes["tags"]
            return tags
        holder: Any
        if kind == "apikeys":
            holder = self.backend.get_api_key(identifier)
        elif kind == "usageplans":
            holder = self.backend.get_usage_plan(identifier)
        elif kind == "vpclinks":
            holder = self.backend.get_vpc_link(identifier)
        elif kind == "domainnames":
            holder = self.backend.get_domain_name(identifier)
        else:
            raise NotFoundException(f"Nothing of kind {kind} has tags")
        holder.tags = dict(holder.tags or {})
        return holder.tags  # type: ignore[no-any-return]

    def get_tags(self) -> TYPE_RESPONSE:  # type: ignore[override]
        return answer({"tags": self.the_tags})

    def tag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        self.the_tags.update(self.given["tags"])
        return answer(None, 204)

    def untag_resource(self) -> TYPE_RESPONSE:  # type: ignore[override]
        tags = self.the_tags
        for key in self.querystring.get("tagKeys", []):
            tags.pop(key, None)
        return answer(None, 204)


def patched(holder: Any, document: Json, operations: list[Operation], shape: str) -> Json:
    """Change one of moto's objects through the document that it writes of itself."""
    patch(document, operations, shape)
    for operation in operations:
        member = operation["path"].strip("/").split("/")[0]
        setattr(holder, camelcase_to_underscores(member), document.get(member))
    return document
