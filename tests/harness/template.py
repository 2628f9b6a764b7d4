"""Terraform's templates, rendered without a deployment: `terraform console` knows the template language."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

SECONDS = 60


def rendered(folder: Path, template: Path, values: Mapping[str, Any]) -> str:
    """What `templatefile` makes of `template`. `folder` is an empty one, for Terraform to run in."""
    # HCL writes a text as JSON does, but for `${` and `%{`, which it takes for the beginning of a template.
    literal = json.dumps(values, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")
    done = subprocess.run(
        ["terraform", "console"],
        input=f"jsonencode(templatefile({json.dumps(str(template))}, {literal}))\n",
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    text: str = json.loads(json.loads(done.stdout))
    return text
