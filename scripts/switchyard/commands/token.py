"""`token`: who may call the APIs that ask for a token."""

import argparse
import re
import time
from collections.abc import Mapping

from switchyard.aws import setting
from switchyard.tokens import SCOPES, Grant, TokenTable

NAME = "token"
HELP = "Create, list and revoke tokens. They are kept in DynamoDB as hashes, so a token is shown once."

DAY_SECONDS = 24 * 3600
LONGEST_DAYS = 36_500


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    creating = actions.add_parser(
        "create", help="make a token, and show it once", description="Make a token, and show it once."
    )
    creating.add_argument("name", type=_name, metavar="NAME", help="whom it is for; published bodies carry this name")
    creating.add_argument(
        "--scope",
        action="append",
        required=True,
        choices=SCOPES,
        help="what it is good for; can be given more than once",
    )
    creating.add_argument(
        "--expires-in-days", type=_days, metavar="DAYS", help="until when (default: until it is revoked)"
    )
    creating.set_defaults(action=_create)

    listing = actions.add_parser(
        "list", help="show all tokens' names", description="Show all tokens' names, never a token."
    )
    listing.set_defaults(action=_list)

    revoking = actions.add_parser("revoke", help="take a token back", description="Take a token back, for good.")
    revoking.add_argument("name", type=_name, metavar="NAME", help="the name that it was created with")
    revoking.set_defaults(action=_revoke)

    for action in (creating, listing, revoking):
        action.add_argument("--table", help="the DynamoDB table of tokens (default: the variable TOKEN_TABLE)")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    table = TokenTable(setting(arguments.table, "TOKEN_TABLE", "--table", "token_table", environment), environment)
    arguments.action(table, arguments)
    return 0


def _create(table: TokenTable, arguments: argparse.Namespace) -> None:
    days = arguments.expires_in_days
    expires_at = None if days is None else int(time.time() + days * DAY_SECONDS)
    token = table.create(Grant(arguments.name, tuple(set(arguments.scope)), expires_at, disabled=False))
    print(token)


def _list(table: TokenTable, _: argparse.Namespace) -> None:
    now = time.time()
    rows = [("NAME", "SCOPES", "EXPIRES", "STATE")]
    rows += [(each.name, ",".join(each.scopes), _date(each.expires_at), each.state(now)) for each in table.grants()]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _revoke(table: TokenTable, arguments: argparse.Namespace) -> None:
    table.revoke(arguments.name)
    print(
        f"{arguments.name} is revoked. API Gateway may keep its last decision for as long as it is told to cache one."
    )


def _date(seconds: int | None) -> str:
    return "never" if seconds is None else time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def _name(text: str) -> str:
    # It travels in an HTTP header, as metadata of what is published.
    if not re.fullmatch(r"[A-Za-z0-9._@-]{1,64}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a name: use 1 to 64 letters, digits and . _ @ -")
    return text


def _days(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) <= LONGEST_DAYS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of days from 1 to {LONGEST_DAYS}")
    return int(text)
