#!/usr/bin/env python3
"""Releases: which version of a function prod serves, and which release of its definition each stage of each API.

release.py promote FUNCTION [--version N]             prod of FUNCTION serves version N; without it, the newest one
release.py rollback FUNCTION                          prod of FUNCTION serves what it served before the last promotion
release.py api-release API STAGE VERSION [--breaking] STAGE serves the newest definition, as release VERSION
release.py api-rollback API STAGE [VERSION]           STAGE serves an earlier release; without VERSION, the one before
release.py api-restore FILE [--variable NAME=VALUE]   a new API from the export of a release alone
release.py api-status [API]                           what every stage serves, and whether that is its release

The releases file (terraform/releases.json) is committed and read by Terraform. Promotions change only it, and
`terraform apply` makes it so; API releases move the stage themselves, and a plan says "no changes" afterwards.
Account and endpoint are those of the environment, as for the AWS CLI. Each can be killed anywhere and run again.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from switchyard.failure import REFUSED, WRONG_USE, Failure

try:
    from botocore.exceptions import BotoCoreError, ClientError

    from switchyard.releases import apis, functions
    from switchyard.releases.account import Account
    from switchyard.releases.archive import Archive
    from switchyard.releases.desk import Desk
    from switchyard.releases.ledger import Ledger
    from switchyard.releases.release import release
    from switchyard.releases.restore import restore
    from switchyard.releases.rollback import rollback
    from switchyard.releases.status import status
    from switchyard.releases.steps import Steps
except ModuleNotFoundError as missing:
    packages = "\n  python3 -m pip install -r requirements.txt"
    sys.exit(f"release.py: the Python package '{missing.name}' is missing. Get it with:{packages}")


def run(options: argparse.Namespace) -> None:
    account, steps = Account(options.region), Steps(options.command)
    if options.command == "api-restore":
        restore(account, steps, options.path, dict(variable(text) for text in options.variable))
        return
    ledger = Ledger(options.file)
    if options.command in ("promote", "rollback"):
        names = {function: deployed["name"] for function, deployed in options.functions.items()}
        known = functions.Functions(names, account.client("lambda"))
        if options.command == "rollback":
            print(functions.rollback(ledger, known, options.function))
        else:
            print(functions.promote(ledger, known, options.function, options.version))
        return
    desk = Desk(account, ledger, Archive(options.folder), steps)
    deployed = apis.read(options.apis)
    if options.command == "api-status":
        chosen = [apis.find(deployed, options.api)] if options.api else list(deployed.values())
        print("\n".join(status(desk, chosen)))
    elif options.command == "api-release":
        release(desk, apis.find(deployed, options.api), options.stage, options.version, options.breaking)
    else:
        rollback(desk, apis.find(deployed, options.api), options.stage, options.version)


def variable(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise Failure(f"'{text}' is no stage variable: give NAME=VALUE, such as alias=prod", WRONG_USE)
    return name, value


def arguments_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="release.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--file", type=Path, default=Path("terraform/releases.json"), help="the releases file")
    parser.add_argument("--folder", type=Path, default=Path("releases"), help="where exports are kept")
    parser.add_argument("--functions", type=json.loads, default={}, help="`terraform output -json functions`")
    parser.add_argument("--apis", type=json.loads, default={}, help="`terraform output -json apis`")
    parser.add_argument("--region")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    promotion = commands.add_parser("promote", help="prod of a function serves another published version")
    promotion.add_argument("function", metavar="FUNCTION")
    promotion.add_argument("--version", type=int, help="a published version's number; the newest by default")
    commands.add_parser("rollback", help="undo the last promotion").add_argument("function", metavar="FUNCTION")

    for name, text in (("api-release", "a stage serves the newest definition"), ("api-rollback", "... an earlier one")):
        command = commands.add_parser(name, help=text)
        command.add_argument("api", metavar="API")
        command.add_argument("stage", metavar="STAGE")
        command.add_argument("version", metavar="VERSION", nargs="?" if name == "api-rollback" else None)
        if name == "api-release":
            command.add_argument("--breaking", action="store_true", help="also if it breaks callers")
    restoration = commands.add_parser("api-restore", help="a new API from an export")
    restoration.add_argument("path", metavar="FILE", type=Path)
    restoration.add_argument("--variable", action="append", default=[], metavar="NAME=VALUE", help="a stage variable")
    commands.add_parser("api-status", help="what every stage serves").add_argument("api", metavar="API", nargs="?")
    return parser


def main(arguments: Sequence[str]) -> int:
    try:
        run(arguments_parser().parse_args(arguments))
    except Failure as failure:
        print(f"release.py: {failure}", file=sys.stderr)
        return failure.exit_code
    except (BotoCoreError, ClientError) as error:
        print(f"release.py: {error}", file=sys.stderr)
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
