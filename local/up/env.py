"""`make local/env`: lines for a shell, with which the AWS CLI and SDKs talk to the control plane that runs.

eval "$(make local/env)"
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence

from . import running
from .account import credentials
from .failure import Failure


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m local.up.env", description=(__doc__ or "").partition("\n")[0])
    running.add_arguments(parser)
    options = parser.parse_args(arguments)
    try:
        found = running.find(options.endpoints, options.region)
    except Failure as failure:
        print(f"local/env: {failure}", file=sys.stderr)
        return 1
    for name, value in credentials(found.control_plane, found.region).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
