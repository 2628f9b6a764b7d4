#!/usr/bin/env python3
"""Writes the tables of inputs and outputs into the README of each Terraform module, from the module's own descriptions.

terraform_docs.py               write them
terraform_docs.py --check       say which README is not what would be written, and fail

A README takes its tables between two marker lines, BEGIN_TF_DOCS and END_TF_DOCS in HTML comments. The root's README is
terraform/README.md; each folder below terraform/modules must have one.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hcl2

ROOT = Path(__file__).resolve().parent.parent / "terraform"
BEGIN = "<!-- BEGIN_TF_DOCS -->"
END = "<!-- END_TF_DOCS -->"
NOTE = "<!-- written by `make terraform/docs` -->"

# Expressions as text, the way they are written: a default of any type goes into a table's cell.
AS_TEXT = hcl2.SerializationOptions(with_comments=False, wrap_objects=True, wrap_tuples=True, preserve_heredocs=False)


class Failure(Exception):
    """Ends the script. The message says what was wrong and what would be right."""


@dataclass(frozen=True)
class Row:
    name: str
    type: str
    default: str | None
    description: str


def modules(root: Path) -> list[Path]:
    """The root and its modules."""
    return [root, *sorted(path for path in (root / "modules").iterdir() if path.is_dir())]


def documented(module: Path) -> str:
    """The tables of a module, markers included."""
    inputs, outputs = rows(module, "variable"), rows(module, "output")
    lines = [BEGIN, NOTE, "", "### Inputs", ""]
    if inputs:
        lines += ["| name | what it is | type | default |", "|---|---|---|---|"]
        lines += [f"| `{row.name}` | {row.description} | {code(row.type)} | {default_of(row)} |" for row in inputs]
    else:
        lines += ["None."]
    lines += ["", "### Outputs", ""]
    if outputs:
        lines += ["| name | what it is |", "|---|---|"]
        lines += [f"| `{row.name}` | {row.description} |" for row in outputs]
    else:
        lines += ["None."]
    return "\n".join([*lines, END])


def rows(module: Path, kind: str) -> list[Row]:
    """The variables or outputs of a module, as they follow each other in its files; outputs by name."""
    found = [row for file in sorted(module.glob("*.tf")) for row in rows_of_file(file, kind)]
    return found if kind == "variable" else sorted(found, key=lambda row: row.name)


def rows_of_file(file: Path, kind: str) -> Iterator[Row]:
    try:
        blocks = hcl2.loads(file.read_text(encoding="utf-8"), serialization_options=AS_TEXT).get(kind, [])
    except Exception as error:  # the parser's errors have no common base
        raise Failure(f"{file}: cannot be read as HCL: {error}") from error
    for block in blocks:
        ((quoted, body),) = block.items()
        name = quoted.strip('"')
        if "description" not in body:
            raise Failure(f"{file}: {kind} '{name}' has no description: say what it is and in which unit")
        yield Row(
            name,
            type=expression(body["type"]) if "type" in body else "any",
            default=expression(body["default"]) if "default" in body else None,
            description=cell(unquoted(body["description"])),
        )


def expression(value: Any) -> str:
    """An expression as HCL writes it; the parser wraps what is no literal into `${...}`."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    if text.startswith('"'):
        return text
    if text.startswith("${") and text.endswith("}"):
        text = text[2:-1]
    return text.replace("{", "{ ").replace("}", " }").replace("{  }", "{}")


def unquoted(literal: str) -> str:
    """The text of a quoted HCL string."""
    characters = {"n": "\n", "t": "\t", "r": "\r"}
    text = re.sub(r"\\(.)", lambda escape: characters.get(escape[1], escape[1]), literal[1:-1])
    return text.replace("$${", "${")


def default_of(row: Row) -> str:
    return "**required**" if row.default is None else code(row.default)


def code(text: str) -> str:
    return f"`{cell(text)}`"


def cell(text: str) -> str:
    """Text that neither ends a table's cell nor its row."""
    return " ".join(text.split()).replace("|", "\\|")


def merged(readme: Path, tables: str) -> str:
    """The README with the tables between its markers."""
    if not readme.is_file():
        raise Failure(f"{readme}: is missing: say what the module is for, and put the lines {BEGIN} and {END} into it")
    text = readme.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or BEGIN in rest:
        raise Failure(f"{readme}: must have the lines {BEGIN} and {END} once, in this order")
    return before + tables + after


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a README is not up to date")
    parser.add_argument("--root", type=Path, default=ROOT, help="folder of the Terraform root (default: terraform/)")
    options = parser.parse_args(arguments)
    failures = []
    for module in modules(options.root):
        readme = module / "README.md"
        try:
            text = merged(readme, documented(module))
            if text == readme.read_text(encoding="utf-8"):
                continue
            if options.check:
                raise Failure(f"{readme}: the tables are not those of the module: run `make terraform/docs`")
            readme.write_text(text, encoding="utf-8")
            print(f"terraform_docs: wrote {readme}")
        except Failure as failure:
            failures.append(str(failure))
    for message in failures:
        print(f"terraform_docs: {message}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
