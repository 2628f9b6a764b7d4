"""`python -m local.control_plane --port N`: prints one JSON line when ready, and ends with its parent."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import threading

from . import ACCOUNT

SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",  # roles attach some by ARN
    "MOTO_ACM_VALIDATION_WAIT": "0",  # otherwise a certificate is validated a minute after it was asked for
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",  # nobody starts a machine of an image
    # Otherwise the key of each request is looked for in every partition, China's too, each with its own copy of the
    # managed policies.
    "MOTO_ACCOUNT_ID": ACCOUNT,
}
"""Of moto."""


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.control_plane", description="A local AWS control plane.")
    parser.add_argument("--port", type=port, default=0, help="port on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument("--log-requests", action="store_true", help="write a line per request to standard error")
    return parser.parse_args(arguments)


def port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port: give a number from 0 to 65535")
    return int(text)


def main(arguments: list[str]) -> int:
    parent = os.getppid()
    options = parse_arguments(arguments)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())

    # moto reads its settings when it is imported.
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    # Half a million objects are imported, and stay. Looking for garbage among them again and again is two fifths of the
    # start, and a part of every request.
    gc.disable()
    from . import services
    from .server import PortInUse, Server

    services.install()
    gc.freeze()
    gc.enable()
    try:
        server = Server(options.port, log_requests=options.log_requests)
    except PortInUse as error:
        print(f"control plane: {error}", file=sys.stderr)
        return 1
    # moto sends a few requests to itself.
    os.environ["MOTO_PORT"] = str(server.port)
    server.start()
    print(json.dumps({"control_plane": server.url}), flush=True)

    # A parent that is killed cannot tell its children; a child whose parent is gone gets a new one.
    while not stop.wait(timeout=1) and os.getppid() == parent:
        pass
    server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
