"""CloudWatch Logs: saved Logs Insights queries, which moto lacks.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html
"""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

from moto.logs.models import LogsBackend
from moto.logs.responses import LogsResponse

from . import registry


class Backend(LogsBackend):
    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.query_definitions: dict[str, dict[str, Any]] = {}


class Response(LogsResponse):
    @property
    def query_definitions(self) -> dict[str, dict[str, Any]]:
        backend = self.logs_backend
        assert isinstance(backend, Backend)
        return backend.query_definitions

    def put_query_definition(self) -> str:
        query = {key: value for key, value in json.loads(self.body).items() if key != "clientToken"}
        query.setdefault("queryDefinitionId", str(uuid.uuid4()))
        query["lastModified"] = int(time.time() * 1000)
        self.query_definitions[query["queryDefinitionId"]] = query
        return json.dumps({"queryDefinitionId": query["queryDefinitionId"]})

    def describe_query_definitions(self) -> str:
        prefix = self._get_param("queryDefinitionNamePrefix") or ""
        found = [query for query in self.query_definitions.values() if query["name"].startswith(prefix)]
        return json.dumps({"queryDefinitions": found})

    def delete_query_definition(self) -> str:
        deleted = self.query_definitions.pop(self._get_param("queryDefinitionId"), None)
        return json.dumps({"success": deleted is not None})


def install() -> None:
    registry.replace("logs", Response, backend=Backend)
