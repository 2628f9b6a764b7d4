#!/usr/bin/env python3
"""Writes the definition of the private API from the contracts of the services behind it.

openapi.py contract BINARY FILE     FILE becomes what the service BINARY says about itself, its /openapi.json
openapi.py template                 terraform/openapi/private.yaml, from services.json beside it and the contracts

With --check nothing is written: a file that is not what would be written is named, and the script fails.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from switchyard.openapi import container, contract, service, template
from switchyard.openapi.contract import BadContract

FOLDER = Path(__file__).resolve().parent.parent / "terraform" / "openapi"


def brought_up_to_date(file: Path, text: str, check: bool) -> None:
    """Writes `text`, or checks that it is what is there."""
    if file.exists() and file.read_text("utf-8") == text:
        return
    if check:
        raise BadContract(f"{file} is not what its sources say: run `make openapi`, and commit what it writes")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    print(f"openapi: wrote {file}")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="openapi.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    asking = commands.add_parser("contract", help="a service's contract, from its binary")
    asking.add_argument("binary", type=Path, metavar="BINARY")
    asking.add_argument("file", type=Path, metavar="FILE")
    writing = commands.add_parser("template", help="the API's definition, from the contracts")
    writing.add_argument("--services", type=Path, default=FOLDER / "services.json", help="which services there are")
    writing.add_argument("--file", type=Path, default=FOLDER / "private.yaml", help="what is written")
    for command in (asking, writing):
        command.add_argument("--check", action="store_true", help="write nothing, fail when the file is not up to date")
    options = parser.parse_args(arguments)
    try:
        if options.command == "contract":
            text = contract.written(container.contract(options.binary))
        else:
            services = [(each, contract.read(each.contract)) for each in service.read(options.services)]
            text = template.of(services)
        brought_up_to_date(options.file, text, options.check)
    except (BadContract, OSError) as error:
        print(f"openapi.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
