"""One deployment in a control plane of its own: what it starts from, and what it is allowed to leave behind."""

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from harness.control_plane import ROOT, ControlPlane
from harness.inventory import inventory
from harness.terraform import Terraform

DOMAIN = "example.com"


class Cycle:
    """A fresh account with the state's bucket, one Route 53 zone, and a scratch copy of the root."""

    def __init__(self, name: str, **variables: Any) -> None:
        scratch = ROOT / "target" / "terraform-cycle"
        scratch.mkdir(parents=True, exist_ok=True)
        # A folder of its own: two runs beside each other do not meet.
        self._folder = TemporaryDirectory(prefix=f"{name}-", dir=scratch)
        self.control_plane = ControlPlane()
        try:
            self.terraform = Terraform(Path(self._folder.name), self.control_plane.url)
            self.client("route53").create_hosted_zone(Name=DOMAIN, CallerReference=name)
            self.packages = self.terraform.folder / "lambda"
            self.packages.mkdir()
            for folder in sorted((ROOT / "lambdas").iterdir()):
                self.write_package(folder.name, "first")
            self.terraform.variables = {"lambda_packages": str(self.packages), **variables}
            self.terraform.bootstrap()
            self.terraform.init()
            self.before = self.inventory()
        except BaseException:
            self.end()
            raise

    def client(self, service: str) -> Any:
        return self.control_plane.client(service)

    def inventory(self) -> set[str]:
        return inventory(self.client)

    def leftovers(self) -> list[str]:
        return sorted(self.inventory() - self.before)

    def write_package(self, function: str, content: str) -> Path:
        """A function's zip. The control plane runs no function, so nothing but its hash matters here."""
        file = self.packages / f"{function}.zip"
        with zipfile.ZipFile(file, "w") as package:
            package.writestr(zipfile.ZipInfo("bootstrap"), f"#!/bin/sh\necho {content}\n")
        return file

    def end(self) -> None:
        self.control_plane.stop()
        self._folder.cleanup()
