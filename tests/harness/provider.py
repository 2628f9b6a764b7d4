"""One provider process for Terraform commands that would start very many.

    python -m harness.provider terraform -chdir=terraform test

Terraform starts the provider anew for each of its walks over the configuration: `terraform test` two or three times per
run block. Each time the provider says all of its schemas, of more than a thousand resource types: two thirds of the CPU
time of a small plan. By TF_REATTACH_PROVIDERS, Terraform talks to one that runs already:
https://developer.hashicorp.com/terraform/plugin/debugging#starting-a-provider-in-debug-mode
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness.process import Process
from harness.waiting import eventually

GARBAGE_COLLECTION = {"GOGC": "400", "GOMEMLIMIT": "1GiB"}
"""Of Terraform and its provider, both in Go, which by default looks for garbage each time that the heap has doubled:
here most of it is schemas, which stay. That is a sixth of a plan's CPU time.
https://pkg.go.dev/runtime#hdr-Environment_Variables"""

START_SECONDS = 120
"""A program of 700 MB, on a machine that is busy."""

REATTACH = "TF_REATTACH_PROVIDERS"

# A provider that is configured a second time refuses the first time's certificates. Nothing here uses TLS.
UNWANTED = "AWS_CA_BUNDLE"


@contextmanager
def running(data_directory: Path, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Runs the provider that `terraform init` has installed, in `environment`. What to add to the environment of a
    Terraform command, so that it uses this one."""
    kept = {name: value for name, value in environment.items() if name != UNWANTED}
    provider = Process([str(installed(data_directory)), "-debug"], kept | GARBAGE_COLLECTION)
    try:
        line = eventually(
            "the provider's line that says where it listens",
            lambda: (
                provider.exit_code is not None or next((line for line in provider.stdout if REATTACH in line), None)
            ),
            START_SECONDS,
        )
        assert isinstance(line, str), f"the provider ended at once:\n{provider.output}"
        yield GARBAGE_COLLECTION | {REATTACH: line.strip().partition("=")[2].strip("'")}
    finally:
        provider.stop()


def installed(data_directory: Path) -> Path:
    found = sorted((data_directory / "providers").glob("*/*/*/*/*/terraform-provider-*"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        sys.exit(
            f"provider: {data_directory} must have one provider, and has {names}: run `terraform init` there first"
        )
    return found[0]


def main(command: Sequence[str]) -> int:
    with running(Path(os.environ["TF_DATA_DIR"]), os.environ) as more:
        return subprocess.run(command, env={**os.environ, **more}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
