"""The steps of `make local`, in their order, and their end."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import boto3

from . import functions, terraform, tokens
from .account import bare, environment, forget_accounts
from .endpoints import Endpoints
from .failure import Failure
from .interruption import Interrupted, Interruption
from .options import Options, parse
from .processes import POLL_SECONDS, Child, Children
from .progress import Progress
from .run_folder import ROOT, RunFolder
from .tools import CONTAINER, DATA_PLANE, check_binaries, check_tools

STATE_BUCKET_PARAMETER = "/terraform/statefiles/bucket"

# Seconds between the polite signal and the other one. Terraform cancels what it waits for, the data plane ends its
# functions and containers, which may finish a request.
TERRAFORM_PATIENCE = 15
DATA_PLANE_PATIENCE = 20
OTHERS_PATIENCE = 5

LOOPBACK = "127.0.0.1/32"

ENDED_BY_SIGNAL = 128
"""What a shell adds to the number of the signal that ended a program."""


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    forget_accounts()
    progress = Progress()
    interruption = Interruption()
    code = 1
    run = None
    try:
        run = Run(options, progress, interruption)
        run.start()
        run.serve()
    except Interrupted as interrupted:
        code = 0 if run and run.is_ready else ENDED_BY_SIGNAL + interrupted.number
        progress.line(f"local: {interrupted}: ending")
    except Failure as failure:
        print(f"local: {failure}", file=sys.stderr, flush=True)
    finally:
        interruption.disarm()
        if run:
            run.end()
    return code


class Run:
    """One `make local`: what it has started and made, which `end` ends and removes."""

    def __init__(self, options: Options, progress: Progress, interruption: Interruption) -> None:
        self._options = options
        self._progress = progress
        self._children = Children(interruption)
        with interruption.held():
            self._folder = RunFolder()
        self._endpoints = Endpoints(self._folder.path / "endpoints.json", options.endpoints)
        self._control_plane = ""
        self.is_ready = False

    def start(self) -> None:
        step, options = self._progress.step, self._options
        with step("check", "looking for what is needed"):
            self._progress.say(check_tools(build=options.build))
        # It takes another processor than what follows waits for.
        build = self._start_build() if options.build else None
        with step("control plane", "starting an AWS account on this machine"):
            self._start_control_plane()
        with step("init", "the bucket of the state, and Terraform's provider"):
            root = self._init_terraform()
        if build is not None:
            with step("build", "waiting for the build, which began before"):
                self._wait(build)
        with step("pack", "the functions' zips"):
            packages = self._pack()
        with step("apply", "planning"):
            self._apply(root, packages)
        headers = self._make_tokens()
        with step("data plane", "serving what was deployed"):
            self._start_data_plane(headers)
        self.is_ready = True
        self._progress.line(f"local: {self._progress.summary()}")
        self._progress.line(f"local: {self._endpoints.published} holds all of this for programs. Ctrl-C ends it.")

    def serve(self) -> None:
        """Until it is interrupted, or a part of it ends."""
        self._children.wait_for(lambda: False, self._endpoints.follow)

    def end(self) -> None:
        self._children.end_all()
        self._endpoints.withdraw()
        self._folder.remove()

    def _start_build(self) -> Child:
        # Of everything at once: cargo chooses dependencies' features for what it builds together.
        command = ["cargo", "build", "--locked", "--workspace"]
        return self._children.start(
            "build", command, os.environ, ROOT, self._prefixed("build"), patience=OTHERS_PATIENCE
        )

    def _start_control_plane(self) -> None:
        def line(text: str) -> None:
            if not self._control_plane and text.startswith('{"control_plane"'):
                self._control_plane = json.loads(text)["control_plane"]
            else:
                self._progress.line(f"control plane | {text}")

        self._children.start(
            "the control plane",
            [sys.executable, "-m", "local.control_plane", "--port", "0"],
            {**bare(), "PYTHONPATH": str(ROOT)},
            ROOT,
            line,
            patience=OTHERS_PATIENCE,
            is_service=True,
        )
        self._children.wait_for(lambda: bool(self._control_plane), self._progress.tick)
        self._progress.say(self._control_plane)

    def _init_terraform(self) -> Path:
        if self._options.root_domain:
            self._make_zone(self._options.root_domain)
        self._bootstrap()
        bucket = self._client("ssm").get_parameter(Name=STATE_BUCKET_PARAMETER)["Parameter"]["Value"]
        root = terraform.link_root(self._folder.path)
        with terraform.plugins(self._children_may_wait):
            self._run_terraform("terraform init", terraform.init_command(root, bucket, self._options.region), _ignore)
        return root

    def _children_may_wait(self) -> None:
        self._progress.tick()
        time.sleep(POLL_SECONDS)

    def _make_zone(self, domain: str) -> None:
        """The public zone that the root looks up."""
        self._client("route53").create_hosted_zone(Name=domain, CallerReference="local")
        self._progress.say(f"made the zone {domain}")

    def _client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self._control_plane,
            region_name=self._options.region,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def _bootstrap(self) -> None:
        """`make terraform/bootstrap`."""
        arguments = ["--parameter", STATE_BUCKET_PARAMETER, "--region", self._options.region]
        child = self._children.start(
            "state_bucket.py bootstrap",
            [sys.executable, "scripts/state_bucket.py", "bootstrap", *arguments],
            self._environment(),
            ROOT,
            _ignore,
            patience=OTHERS_PATIENCE,
        )
        self._wait(child)

    def _pack(self) -> Path:
        names = functions.names() if functions.NEEDED_BY & set(self._options.architectures) else []
        check_binaries(self._options.binaries, [*names, CONTAINER, DATA_PLANE])
        packages = self._folder.make("packages")
        for name in names:
            command = functions.pack_command(self._options.binaries, name, packages)
            child = self._children.start(
                f"packing {name}", command, os.environ, ROOT, self._progress.say, patience=OTHERS_PATIENCE
            )
            self._wait(child)
        return packages

    def _apply(self, root: Path, packages: Path) -> None:
        apply = terraform.Apply(self._progress.say)
        variables: dict[str, Any] = {
            "region": self._options.region,
            "architectures": list(self._options.architectures),
            "lambda_architecture": functions.architecture(),
            "lambda_packages": str(packages),
            # Nobody else is in this account.
            "api_gateway": {"manage_account": True},
            # Whoever is on this machine may use all stages.
            "private": {"allowed_cidr_blocks": [LOOPBACK]},
        }
        if self._options.root_domain:
            variables["root_domain"] = self._options.root_domain
        variables.update(self._options.variables)

        def tick() -> None:
            self._progress.waiting_for = apply.waiting_for
            self._progress.tick()

        try:
            self._run_terraform("terraform apply", terraform.apply_command(root, variables), apply.line, tick)
        except Failure as failure:
            if not apply.errors:
                raise
            raise Failure("terraform apply failed:" + "".join(f"\n  {error}" for error in apply.errors)) from failure

    def _run_terraform(
        self,
        name: str,
        command: list[str | Path],
        on_line: Callable[[str], None],
        tick: Callable[[], None] | None = None,
    ) -> None:
        child = self._children.start(
            name,
            command,
            terraform.settings(self._folder.path, self._environment()),
            ROOT,
            on_line,
            stop_signal=signal.SIGINT,
            patience=TERRAFORM_PATIENCE,
        )
        self._wait(child, tick)

    def _make_tokens(self) -> Path:
        """A token for each architecture that asks for one, in a file that only this user reads."""
        headers: dict[str, dict[str, str]] = {}
        for asked in tokens.asked(self._client):
            lines: list[str] = []
            command = [
                "token",
                "create",
                tokens.HOLDER.format(scope=asked.scope),
                "--scope",
                asked.scope,
                "--table",
                asked.table,
            ]
            child = self._children.start(
                f"a token for {asked.architecture}",
                [sys.executable, "scripts/main.py", *command],
                self._environment(),
                ROOT,
                lines.append,
                patience=OTHERS_PATIENCE,
            )
            self._wait(child)
            headers.setdefault(asked.architecture, {})[asked.header] = f"Bearer {lines[-1]}"
        file = self._folder.path / "headers.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(headers))
        return file

    def _start_data_plane(self, headers: Path) -> None:
        options = self._options
        arguments: dict[str, str | Path] = {
            "--control-plane": self._control_plane,
            "--region": options.region,
            "--port": str(options.port),
            "--work-directory": self._folder.make("data-plane"),
            "--container-binary": options.binaries / CONTAINER,
            "--endpoints": self._endpoints.own,
            "--headers": headers,
        }
        # Its lines say themselves which part they are of.
        self._children.start(
            "the data plane",
            [options.binaries / DATA_PLANE, *(word for pair in arguments.items() for word in pair)],
            self._environment(),
            ROOT,
            self._progress.line,
            patience=DATA_PLANE_PATIENCE,
            is_service=True,
        )
        self._children.wait_for(self._endpoints.is_ready, self._progress.tick)
        self._endpoints.publish()

    def _environment(self) -> dict[str, str]:
        return environment(self._control_plane, self._options.region)

    def _prefixed(self, name: str) -> Callable[[str], None]:
        return lambda line: self._progress.line(f"{name} | {line}")

    def _wait(self, child: Child, tick: Callable[[], None] | None = None) -> None:
        self._children.wait(child, tick or self._progress.tick)


def _ignore(_: str) -> None:
    """Kept for the message of a failure; not worth a line otherwise."""
