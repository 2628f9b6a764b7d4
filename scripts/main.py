"""The client: one subcommand per file in `switchyard/commands/`; this file only dispatches.

export API_ENDPOINT=http://127.0.0.1:8080 API_KEY=...
python3 scripts/main.py query -x POST -path string/replace -body '{"content": "ABN and ing"}'
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from switchyard.commands import publish, query, redrive, token
from switchyard.failure import EXIT_CODES, Failure

# Each has NAME, HELP, `add_arguments(parser)` and `run(arguments, environment)`, which returns the exit code.
COMMANDS = (query, publish, token, redrive)


def main(arguments: Sequence[str], environment: Mapping[str, str]) -> int:
    parser = argparse.ArgumentParser(
        prog="main.py",
        description="Talks to a Switchyard API.",
        epilog="Every command has its own --help.\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        subparser = subparsers.add_parser(
            command.NAME,
            help=command.HELP,
            description=command.HELP,
            epilog=EXIT_CODES,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(subparser)
        subparser.set_defaults(run=command.run)
    parsed = parser.parse_args(arguments)
    try:
        code: int = parsed.run(parsed, environment)
    except Failure as failure:
        print(f"main.py: {failure}", file=sys.stderr)
        return failure.exit_code
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
