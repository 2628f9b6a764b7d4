"""Promotions of function versions: in the ledger only; `terraform apply` moves the alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from switchyard.failure import REFUSED, WRONG_USE, Failure

from .ledger import Ledger

STAGE = "prod"


class Functions:
    """The functions as Lambda has them, by the names that functions.tf gives them."""

    def __init__(self, names: Mapping[str, str], client: Any) -> None:
        self.names = names
        self.client = client

    def versions(self, function: str) -> list[int]:
        """The published versions, oldest first."""
        pages = self.client.get_paginator("list_versions_by_function").paginate(FunctionName=self.name(function))
        found = (version["Version"] for page in pages for version in page["Versions"])
        return sorted(int(version) for version in found if version != "$LATEST")

    def serving(self, function: str) -> str:
        """The version that prod serves now."""
        version: str = self.client.get_alias(FunctionName=self.name(function), Name=STAGE)["FunctionVersion"]
        return version

    def name(self, function: str) -> str:
        if function not in self.names:
            raise Failure(f"there is no deployed function '{function}'; there {_listed(list(self.names))}", WRONG_USE)
        return self.names[function]


def promote(ledger: Ledger, functions: Functions, function: str, version: int | None) -> str:
    entry = ledger.function(function)
    published = functions.versions(function)
    if not published:
        raise Failure(f"{function} has no published version: apply first", REFUSED)
    chosen = version if version is not None else published[-1]
    if chosen not in published:
        raise Failure(f"{function} has no version {chosen}; there {_listed(published)}", REFUSED)
    # Null in the file stands for the first version; whoever rolls back later wants to know which that was.
    before = entry["prod"] or functions.serving(function)
    if str(chosen) == before:
        entry["prod"] = before
        ledger.save()
        return f"prod of {function} serves version {chosen} already"
    entry.update(prod=str(chosen), previous=before)
    ledger.save()
    return f"prod of {function}: version {before} -> {chosen}"


def rollback(ledger: Ledger, functions: Functions, function: str) -> str:
    entry = ledger.function(function)
    if entry["previous"] is None:
        raise Failure(f"prod of {function} was never promoted, so there is nothing to go back to", REFUSED)
    if int(entry["previous"]) not in functions.versions(function):
        raise Failure(f"version {entry['previous']} of {function} is gone; promote one that exists", REFUSED)
    before, entry["prod"] = entry["prod"], entry["previous"]
    # Not swapped: rolling back twice must not bring the bad version back.
    entry["previous"] = None
    ledger.save()
    return f"prod of {function}: version {before} -> {entry['prod']}"


def _listed(names: Sequence[object]) -> str:
    """The end of a sentence that begins with "there": what could have been named."""
    return f"is {', '.join(str(name) for name in names)}" if names else "is none yet: apply first"
