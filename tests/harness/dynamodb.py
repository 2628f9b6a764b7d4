"""A DynamoDB in this process (moto's server), with a table for a map."""

from types import TracebackType
from typing import Any, Self

import boto3
from moto.server import ThreadedMotoServer

TABLE = "switchyard-map"
_ACCESS = {"AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class DynamoDb:
    """Listens on a free port of 127.0.0.1 while the context lasts. `environment`: what finds the table here."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self.environment: dict[str, str] = {}

    def __enter__(self) -> Self:
        self._server.start()
        _, port = self._server.get_host_and_port()
        self.environment = {
            **_ACCESS,
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "STRINGS_MAPPING_TABLE": TABLE,
            "STRINGS_MAPPING_REFRESH_SECONDS": "1",
        }
        self.client.create_table(
            TableName=TABLE,
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            BillingMode="PAY_PER_REQUEST",
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.delete_table(TableName=TABLE)  # moto's state is the process's, not the server's
        self._server.stop()

    @property
    def client(self) -> Any:
        return boto3.client(
            "dynamodb",
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=_ACCESS["AWS_REGION"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
