"""Lambda: members of a function's configuration that moto drops, code that can be fetched, and event source mappings
to an alias.

AWS returns DeadLetterConfig and LoggingConfig as they were given, and UpdateFunctionConfiguration changes every member
that it is given; moto forgets the former two and changes nine members. A mapping made for an alias keeps the alias in
its FunctionArn; moto cuts it off, so that Terraform would make the mapping again on every apply.
https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html

GetFunction's Code.Location is where the deployment package can be fetched, of `$LATEST` and of every version: for AWS a
pre-signed URL, here a page of this control plane. moto gives an address that leads nowhere, and takes the newest
version of an S3 object whichever S3ObjectVersion is asked for.
https://docs.aws.amazon.com/lambda/latest/api/API_FunctionCodeLocation.html
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from moto.awslambda import models
from moto.awslambda.exceptions import InvalidParameterValueException, UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.awslambda.responses import LambdaResponse
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends
from werkzeug.wrappers import Request
from werkzeug.wrappers import Response as PageResponse

from . import registry

PASSED_THROUGH = ("DeadLetterConfig", "LoggingConfig")


class LambdaFunction(models.LambdaFunction):
    def __init__(self, account_id: str, spec: dict[str, Any], region: str, version: str | int = 1) -> None:
        super().__init__(account_id, spec, region, version)
        self.passed_through = {name: spec[name] for name in PASSED_THROUGH if spec.get(name)}
        self.passed_through.setdefault("LoggingConfig", {"LogFormat": "Text", "LogGroup": self.logs_group_name})

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        return {**super().get_configuration(on_create), **self.passed_through}

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        # A new dict, not a changed one: published versions are shallow copies and keep theirs.
        self.passed_through = {
            **self.passed_through,
            **{name: config_updates[name] for name in PASSED_THROUGH if name in config_updates},
        }
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "KMSKeyArn" in config_updates:
            self.kms_key_arn = config_updates["KMSKeyArn"]
        super().update_configuration(config_updates)
        return self.get_configuration()

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        super()._set_function_code(updated_spec)
        version = updated_spec.get("S3ObjectVersion")
        if version is None or updated_spec.get("DryRun"):
            return
        package = s3_backends[self.account_id][self.partition].get_object(
            updated_spec["S3Bucket"], updated_spec["S3Key"], version_id=version
        )
        if package is None:
            raise InvalidParameterValueException(
                "Error occurred while GetObject. S3 Error Code: NoSuchVersion. "
                "S3 Error Message: The specified version does not exist."
            )
        self.code_bytes, self.code_size, self.code_sha_256, self.code_digest = models._s3_content(package)


class EventSourceMapping(models.EventSourceMapping):
    def get_configuration(self) -> dict[str, Any]:
        configuration = super().get_configuration()
        if self.function_name.startswith("arn:"):
            configuration["FunctionArn"] = self.function_name
        return configuration


class Response(LambdaResponse):
    def get_function(self) -> str:
        document = json.loads(super().get_function())
        if document["Configuration"]["PackageType"] == "Zip":
            name, version = (document["Configuration"][member] for member in ("FunctionName", "Version"))
            page = f"/_control_plane/lambda/{self.region}/functions/{name}/versions/{quote(version)}/code"
            document["Code"] = {"RepositoryType": "S3", "Location": f"http://{self.headers['Host']}{page}"}
        return json.dumps(document)


def code(_: Request, region: str, name: str, version: str) -> PageResponse:
    """The zip of a function's version."""
    backends = lambda_backends[DEFAULT_ACCOUNT_ID]
    try:
        function = backends[region].get_function(name, version) if region in backends else None
    except UnknownFunctionException:
        function = None
    if function is None or function.package_type != "Zip":
        raise registry.PageError(404, f"Not found: code of version {version} of the function {name} in {region}")
    return PageResponse(function.code_bytes, mimetype="application/zip")


def install() -> None:
    registry.replace("awslambda", Response)
    registry.add_page(
        "GET", r"lambda/(?P<region>[^/]+)/functions/(?P<name>[^/]+)/versions/(?P<version>[^/]+)/code", code
    )
    registry.substitute(models, LambdaFunction)
    registry.substitute(models, EventSourceMapping)
