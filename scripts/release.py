"""Moves what serves prod, through the one committed file that says so (terraform/releases.json).

release.py promote FUNCTION [--version N]    prod of FUNCTION serves version N; without it, the newest published one
release.py rollback FUNCTION                 prod of FUNCTION serves again what it served before the last promotion
release.py api API VERSION                   prod of API gets a deployment of its definition as it is now

Only the file is changed; `terraform apply` makes it so. Promotions read AWS, to refuse a version that does not exist.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

STAGE = "prod"


class Failure(Exception):
    """Ends the script. The message says what was wrong and what would be right."""


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
            raise Failure(f"there is no deployed function '{function}'; there {listed(self.names)}")
        return self.names[function]


def listed(names: Mapping[str, object] | Sequence[object]) -> str:
    """The end of a sentence that begins with "there": what could have been named."""
    return f"is {', '.join(str(name) for name in names)}" if names else "is none yet: apply first"


def promote(releases: dict[str, Any], functions: Functions, function: str, version: int | None) -> str:
    entry = function_entry(releases, function)
    published = functions.versions(function)
    if not published:
        raise Failure(f"{function} has no published version: apply first")
    chosen = version if version is not None else published[-1]
    if chosen not in published:
        raise Failure(f"{function} has no version {chosen}; there {listed(published)}")
    # Null in the file stands for the first version; whoever rolls back later wants to know which that was.
    before = entry["prod"] or functions.serving(function)
    if str(chosen) == before:
        entry["prod"] = before
        return f"prod of {function} serves version {chosen} already"
    entry.update(prod=str(chosen), previous=before)
    return f"prod of {function}: version {before} -> {chosen}"


def rollback(releases: dict[str, Any], functions: Functions, function: str) -> str:
    entry = function_entry(releases, function)
    if entry["previous"] is None:
        raise Failure(f"prod of {function} was never promoted, so there is nothing to go back to")
    if int(entry["previous"]) not in functions.versions(function):
        raise Failure(f"version {entry['previous']} of {function} is gone; promote one that exists")
    before, entry["prod"] = entry["prod"], entry["previous"]
    # Not swapped: rolling back twice must not bring the bad version back.
    entry["previous"] = None
    return f"prod of {function}: version {before} -> {entry['prod']}"


def release_api(releases: dict[str, Any], api: str, version: str) -> str:
    if api not in releases["apis"]:
        raise Failure(f"there is no API '{api}'; there {listed(releases['apis'])}")
    if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version):
        raise Failure(f"'{version}' is not a release: give three numbers, such as 1.4.0")
    before = releases["apis"][api]["release"]
    if version == before:
        raise Failure(f"prod of {api} is at release {version} already: a release is made once, give it a new number")
    releases["apis"][api]["release"] = version
    return f"prod of the API {api}: release {before} -> {version}"


def function_entry(releases: dict[str, Any], function: str) -> dict[str, Any]:
    functions: dict[str, dict[str, Any]] = releases["functions"]
    if function not in functions:
        raise Failure(f"there is no function '{function}' in the releases file; there {listed(functions)}")
    return functions[function]


def edit(path: Path, change: Callable[[dict[str, Any]], str]) -> str:
    """Rewrites the file as a whole, or not at all."""
    try:
        releases = json.loads(path.read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise Failure(f"{path} cannot be read as JSON: {error}") from error
    said = change(releases)
    beside = path.with_suffix(".new")
    beside.write_text(json.dumps(releases, indent=2, sort_keys=True) + "\n")
    beside.replace(path)
    return said


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="release.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, required=True, help="the releases file")
    parser.add_argument("--functions", type=json.loads, default="{}", help="`terraform output -json functions`")
    parser.add_argument("--region")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    promotion = commands.add_parser("promote", help="prod of a function serves another published version")
    promotion.add_argument("function", metavar="FUNCTION")
    promotion.add_argument("--version", type=int, help="a published version's number; the newest by default")
    commands.add_parser("rollback", help="undo the last promotion").add_argument("function", metavar="FUNCTION")
    api = commands.add_parser("api", help="prod of an API gets a new deployment")
    api.add_argument("api", metavar="API")
    api.add_argument("version", metavar="VERSION")
    options = parser.parse_args(arguments)

    def change(releases: dict[str, Any]) -> str:
        if options.command == "api":
            return release_api(releases, options.api, options.version)
        names = {function: deployed["name"] for function, deployed in options.functions.items()}
        functions = Functions(names, boto3.client("lambda", region_name=options.region))
        if options.command == "rollback":
            return rollback(releases, functions, options.function)
        return promote(releases, functions, options.function, options.version)

    try:
        print(edit(options.file, change))
    except (Failure, BotoCoreError, ClientError) as error:
        print(f"release.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
