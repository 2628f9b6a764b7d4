"""What `make local` is asked for."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .run_folder import LOCAL, ROOT

ARCHITECTURES = ("lambda", "fargate", "events", "publish", "private")
DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}")


@dataclass(frozen=True)
class Options:
    architectures: tuple[str, ...]
    port: int
    """Of the gateway; 0 takes a free one."""
    root_domain: str | None
    region: str
    build: bool
    binaries: Path
    endpoints: Path
    variables: tuple[tuple[str, str], ...]
    """Of the root, beside those that are known here: name and value, as Terraform takes them."""


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m local", description="The deployed system, running on this machine, without AWS or Docker."
    )
    parser.add_argument(
        "--architectures",
        type=_architectures,
        default=ARCHITECTURES,
        metavar="A,B",
        help=f"what to deploy, of {', '.join(ARCHITECTURES)} (default: all)",
    )
    parser.add_argument("--port", type=_port, default=0, help="port of the gateway (default: a free one)")
    parser.add_argument(
        "--root-domain", type=_domain, metavar="DOMAIN", help="deploy custom domain names below this one"
    )
    parser.add_argument(
        "--region", default="eu-west-1", help="the AWS region it believes to be in (default: %(default)s)"
    )
    parser.add_argument("--no-build", dest="build", action="store_false", help="take the binaries as they are")
    parser.add_argument(
        "--binaries",
        type=Path,
        default=ROOT / "target" / "debug",
        metavar="FOLDER",
        help="where the built binaries are (default: target/debug)",
    )
    parser.add_argument(
        "--endpoints",
        type=Path,
        default=LOCAL / "endpoints.json",
        metavar="FILE",
        help="where the front doors are written when all is ready (default: target/local/endpoints.json)",
    )
    parser.add_argument(
        "--var",
        type=_variable,
        dest="variables",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable of the Terraform root, as `terraform apply -var` takes it; may be given several times",
    )
    given = parser.parse_args(arguments)
    return Options(
        architectures=tuple(given.architectures),
        port=given.port,
        root_domain=given.root_domain,
        region=given.region,
        build=given.build,
        binaries=given.binaries.resolve(),
        endpoints=given.endpoints.resolve(),
        variables=tuple(given.variables),
    )


def _architectures(text: str) -> tuple[str, ...]:
    names = tuple(name for name in re.split(r"[,\s]+", text) if name)
    unknown = [name for name in names if name not in ARCHITECTURES]
    if unknown or not names:
        raise argparse.ArgumentTypeError(f"'{text}' should be one or more of {', '.join(ARCHITECTURES)}, with commas")
    if "private" in names and "fargate" not in names:
        raise argparse.ArgumentTypeError(f"'{text}' should have fargate as well: private leads to its containers")
    return names


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: give a number from 0 to 65535")
    return int(text)


def _domain(text: str) -> str:
    if not DOMAIN.fullmatch(text):
        raise argparse.ArgumentTypeError(f"'{text}' is not a domain name, such as example.com")
    return text


def _variable(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is not a variable: give NAME=VALUE")
    return name, value
