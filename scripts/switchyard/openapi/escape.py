"""Text that Terraform's templatefile must give back unchanged."""

from __future__ import annotations

from typing import Any


def escaped(value: Any) -> Any:
    """`value`, with `${` and `%{` in every text of it written as templatefile takes them literally.

    https://developer.hashicorp.com/terraform/language/expressions/strings#escape-sequences-1
    """
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, dict):
        return {escaped(name): escaped(member) for name, member in value.items()}
    if isinstance(value, list):
        return [escaped(member) for member in value]
    return value
