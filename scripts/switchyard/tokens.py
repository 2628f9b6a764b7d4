"""The table of tokens. Its layout is described in crates/aws/src/tokens.rs, which reads it."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from switchyard.aws import client, failures
from switchyard.failure import REFUSED, Failure

SCOPES = ("publish", "events", "private")
RANDOM_BYTES = 32


@dataclass(frozen=True)
class Grant:
    """What is kept of a token."""

    name: str
    scopes: tuple[str, ...]
    expires_at: int | None
    """Seconds since 1970; none, if it never does."""
    disabled: bool

    def state(self, now: float) -> str:
        if self.disabled:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "in force"


class TokenTable:
    def __init__(self, name: str, environment: Mapping[str, str]) -> None:
        self._name = name
        self._dynamodb = client("dynamodb", environment)

    def create(self, grant: Grant) -> str:
        """Keeps a new token's hash, and returns the token: nobody can ask for it again."""
        token = f"sy_{secrets.token_hex(RANDOM_BYTES)}"
        digest = hashlib.sha256(token.encode()).hexdigest()
        item: dict[str, Any] = {
            "pk": {"S": f"token#{digest}"},
            "name": {"S": grant.name},
            "scopes": {"SS": sorted(grant.scopes)},
            "disabled": {"BOOL": grant.disabled},
        }
        if grant.expires_at is not None:
            item["expires_at"] = {"N": str(grant.expires_at)}
        name = {"pk": {"S": f"name#{grant.name}"}, "digest": {"S": digest}}
        # Both or neither: two people who give the same name at the same time do not both get it.
        puts = [
            {"Put": {"TableName": self._name, "Item": each, "ConditionExpression": "attribute_not_exists(pk)"}}
            for each in (item, name)
        ]
        with failures(self._name):
            try:
                self._dynamodb.transact_write_items(TransactItems=puts)
            except self._dynamodb.exceptions.TransactionCanceledException as error:
                reasons = [reason["Code"] for reason in error.response["CancellationReasons"]]
                if "ConditionalCheckFailed" not in reasons:
                    raise
                raise Failure(
                    f"the name {grant.name!r} is taken, perhaps by a token that was revoked: take another", REFUSED
                ) from error
        return token

    def grants(self) -> list[Grant]:
        with failures(self._name):
            pages = self._dynamodb.get_paginator("scan").paginate(
                TableName=self._name,
                FilterExpression="begins_with(pk, :token)",
                ExpressionAttributeValues={":token": {"S": "token#"}},
                ConsistentRead=True,
            )
            return sorted(_grants(pages), key=lambda grant: grant.name)

    def revoke(self, name: str) -> None:
        with failures(self._name):
            found = self._dynamodb.get_item(
                TableName=self._name, Key={"pk": {"S": f"name#{name}"}}, ConsistentRead=True
            ).get("Item")
            if found is None:
                raise Failure(f"no token is called {name!r}: `token list` shows their names", REFUSED)
            self._dynamodb.update_item(
                TableName=self._name,
                Key={"pk": {"S": f"token#{found['digest']['S']}"}},
                ConditionExpression="attribute_exists(pk)",
                UpdateExpression="SET disabled = :yes",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )


def _grants(pages: Iterable[dict[str, Any]]) -> Iterable[Grant]:
    for page in pages:
        for item in page["Items"]:
            expires_at = item.get("expires_at")
            yield Grant(
                name=item["name"]["S"],
                scopes=tuple(sorted(item["scopes"]["SS"])),
                expires_at=None if expires_at is None else int(expires_at["N"]),
                disabled=item["disabled"]["BOOL"],
            )
