"""CodeConnections, also under its old name CodeStar connections. moto has neither.

A connection starts PENDING and stays so until a person completes the handshake with the provider in the console;
nothing in the API can do that.
https://docs.aws.amazon.com/codeconnections/latest/APIReference/API_Connection.html
"""

from __future__ import annotations

import uuid
from typing import Any

from moto.core.base_backend import BackendDict, BaseBackend
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult

from . import registry


class ResourceNotFoundException(ServiceException):
    code = "ResourceNotFoundException"


class ConnectionsBackend(BaseBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.connections: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}


class _ConnectionsResponse(BaseResponse):
    backends: BackendDict[ConnectionsBackend]

    def __init__(self, service_name: str) -> None:
        super().__init__(service_name=service_name)
        self.automated_parameter_parsing = True

    @property
    def backend(self) -> ConnectionsBackend:
        return self.backends[self.current_account][self.region]

    def create_connection(self) -> ActionResult:
        service = self.service_name
        arn = f"arn:{self.partition}:{service}:{self.region}:{self.current_account}:connection/{uuid.uuid4()}"
        connection = {
            "ConnectionName": self._get_param("ConnectionName"),
            "ConnectionArn": arn,
            "ProviderType": self._get_param("ProviderType"),
            "HostArn": self._get_param("HostArn"),
            "OwnerAccountId": self.current_account,
            "ConnectionStatus": "PENDING",
        }
        self.backend.connections[arn] = {key: value for key, value in connection.items() if value is not None}
        tags = self._get_param("Tags") or []
        self.backend.tags[arn] = {tag["Key"]: tag["Value"] for tag in tags}
        return ActionResult({"ConnectionArn": arn, "Tags": tags})

    def get_connection(self) -> ActionResult:
        return ActionResult({"Connection": self._connection(self._get_param("ConnectionArn"))})

    def list_connections(self) -> ActionResult:
        return ActionResult({"Connections": list(self.backend.connections.values())})

    def delete_connection(self) -> ActionResult:
        arn = self._get_param("ConnectionArn")
        self._connection(arn)
        del self.backend.connections[arn], self.backend.tags[arn]
        return EmptyResult()

    def list_tags_for_resource(self) -> ActionResult:
        tags = self._tags()
        return ActionResult({"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]})

    def tag_resource(self) -> ActionResult:
        self._tags().update({tag["Key"]: tag["Value"] for tag in self._get_param("Tags")})
        return EmptyResult()

    def untag_resource(self) -> ActionResult:
        for key in self._get_param("TagKeys"):
            self._tags().pop(key, None)
        return EmptyResult()

    def _connection(self, arn: str) -> dict[str, Any]:
        if arn not in self.backend.connections:
            raise ResourceNotFoundException(f"Connection {arn} not found")
        return self.backend.connections[arn]

    def _tags(self) -> dict[str, str]:
        arn = self._get_param("ResourceArn")
        self._connection(arn)
        return self.backend.tags[arn]


class CodeConnectionsResponse(_ConnectionsResponse):
    backends = registry.regional(ConnectionsBackend, "codeconnections")

    def __init__(self) -> None:
        super().__init__("codeconnections")


class CodeStarConnectionsResponse(_ConnectionsResponse):
    backends = registry.regional(ConnectionsBackend, "codestar-connections")

    def __init__(self) -> None:
        super().__init__("codestar-connections")


def install() -> None:
    registry.add("codeconnections", CodeConnectionsResponse)
    registry.add("codestar-connections", CodeStarConnectionsResponse)
