"""Where the built binaries are."""

import os
from pathlib import Path

_ROOT = Path(__file__).parents[2]


def binary(name: str) -> str:
    """The path of a workspace binary: in `SWITCHYARD_BIN_DIR` if that is set, else cargo's debug build."""
    folder = Path(os.environ.get("SWITCHYARD_BIN_DIR") or _ROOT / "target" / "debug")
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError(
            f"{path} is not there: build it with `cargo build --bin {name}`, or set SWITCHYARD_BIN_DIR"
        )
    return str(path.resolve())
