"""Packs a Lambda binary: a zip with `bootstrap` in it, the same bytes for the same binary.

lambda_package.py pack BINARY ZIP
lambda_package.py check arm64|x86_64 [ZIP...]     are they for that CPU?

Terraform publishes a new version when the zip's hash changes, so time stamps and the machine must not be in it.
A binary that needs a newer glibc than Lambda's is refused: there, it would fail to start with `GLIBC_2.38 not found`.
"""

from __future__ import annotations

import argparse
import struct
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

# Amazon Linux 2023, and with it the runtime provided.al2023: https://docs.aws.amazon.com/linux/al2023/ug/glibc.html
LAMBDA_GLIBC = (2, 34)

# ELF-64, as in <elf.h>.
SHT_GNU_VERNEED = 0x6FFFFFFE
EXECUTABLE_FILE = 0o100755

# Lambda's name of a CPU, and e_machine.
CPUS = {"arm64": 183, "x86_64": 62}


class Failure(Exception):
    """Ends the script. The message says what was wrong and what would be right."""


def glibc_needed(binary: bytes) -> tuple[int, ...]:
    """The newest glibc version whose symbols the ELF file needs; (0,) when it needs none, as a static one does."""
    newest: tuple[int, ...] = (0,)
    for version in needed_versions(binary):
        prefix, _, number = version.partition("_")
        if prefix == "GLIBC" and number[:1].isdigit():
            newest = max(newest, tuple(int(part) for part in number.split(".")))
    return newest


def needed_versions(binary: bytes) -> Iterator[str]:
    """The names in the file's section of needed versions, such as GLIBC_2.34."""
    require_elf(binary)
    table, size, count = (
        struct.unpack_from("<Q", binary, 0x28)[0],
        *struct.unpack_from("<HH", binary, 0x3A),
    )
    sections = [struct.unpack_from("<IIQQQQIIQQ", binary, table + index * size) for index in range(count)]
    for _, kind, _, _, offset, _, link, entries, _, _ in sections:
        if kind != SHT_GNU_VERNEED:
            continue
        strings = sections[link][4]
        for _ in range(entries):  # one per library
            _, names, _, first, following = struct.unpack_from("<HHIII", binary, offset)
            name = offset + first
            for _ in range(names):
                _, _, _, text, step = struct.unpack_from("<IHHII", binary, name)
                yield binary[strings + text : binary.index(b"\0", strings + text)].decode()
                name += step
            offset += following


def require_elf(binary: bytes) -> None:
    if binary[:4] != b"\x7fELF" or binary[4:6] != b"\x02\x01":
        raise Failure("not a 64-bit little-endian ELF executable: build it for Linux on arm64 or x86_64")


def pack(binary: Path, package: Path, *, is_for_lambda: bool = True) -> None:
    content = binary.read_bytes()
    needed = glibc_needed(content)
    if is_for_lambda and needed > LAMBDA_GLIBC:
        raise Failure(
            f"{binary} needs glibc {dotted(needed)}, and Lambda's provided.al2023 has {dotted(LAMBDA_GLIBC)}: "
            "build it with `make lambdas` (cargo-lambda), or on a system that is no newer"
        )
    package.parent.mkdir(parents=True, exist_ok=True)
    entry = zipfile.ZipInfo("bootstrap", date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, whatever this machine is, so that the mode counts
    entry.external_attr = EXECUTABLE_FILE << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr(entry, content, compresslevel=9 if is_for_lambda else 1)


def check(package: Path, cpu: str) -> None:
    """Refuses a zip that Lambda would take and then fail to start."""
    if not package.exists():
        raise Failure(f"{package} is missing: `make lambdas` builds it")
    with zipfile.ZipFile(package) as archive:
        content = archive.read("bootstrap")
    require_elf(content)
    (machine,) = struct.unpack_from("<H", content, 0x12)
    if machine != CPUS[cpu]:
        built = next((name for name, number in CPUS.items() if number == machine), f"machine {machine}")
        raise Failure(
            f"{package} is built for {built}, not {cpu}: run `make lambdas` and Terraform with the same ARCH="
        )
    if glibc_needed(content) > LAMBDA_GLIBC:
        raise Failure(f"{package} needs glibc {dotted(glibc_needed(content))}: run `make lambdas`")


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="lambda_package.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    packing = commands.add_parser("pack")
    packing.add_argument("--this-machine", action="store_true", help="to run here: any glibc, and packed quickly")
    packing.add_argument("binary", type=Path)
    packing.add_argument("package", type=Path, metavar="zip")
    checking = commands.add_parser("check")
    checking.add_argument("cpu", choices=sorted(CPUS))
    checking.add_argument("packages", type=Path, metavar="zip", nargs="*")
    options = parser.parse_args(arguments)
    try:
        if options.command == "pack":
            pack(options.binary, options.package, is_for_lambda=not options.this_machine)
            print(f"{options.package}: {options.package.stat().st_size / 1_000_000:.1f} MB")
        else:
            for package in options.packages:
                check(package, options.cpu)
    except (Failure, OSError, zipfile.BadZipFile) as error:
        print(f"lambda_package.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
