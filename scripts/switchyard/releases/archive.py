"""The folder `releases/`: of each release of each API the export, `<api>/<version>.yaml`, and its manifest,
`<version>.json`."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from switchyard.failure import REFUSED, WRONG_USE, Failure

from . import export
from .json_types import Json

VERSION = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class Release:
    api: str
    version: str
    document: Json
    sha256: str
    """Of the file with the export."""

    @property
    def description(self) -> str:
        """What its deployment is called, so that it is found again."""
        return f"release {self.version} {self.sha256[:12]}"

    @property
    def documentation_version(self) -> str:
        return f"release-{self.version}"


class Archive:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, api: str, version: str) -> Path:
        return self.folder / api / f"{version}.yaml"

    def versions(self, api: str) -> list[str]:
        """Oldest number first."""
        names = (path.stem for path in (self.folder / api).glob("*.yaml"))
        return sorted((name for name in names if VERSION.fullmatch(name)), key=numbers)

    def find(self, api: str, version: str) -> Release | None:
        path = self.path(api, version)
        return read(path, api, version) if path.exists() else None

    def get(self, api: str, version: str) -> Release:
        release = self.find(api, version)
        if release is None:
            known = ", ".join(self.versions(api)) or "none"
            raise Failure(f"{self.path(api, version)} is not there; {api} has the releases: {known}", WRONG_USE)
        return release

    def manifest(self, api: str, version: str) -> Json:
        return read_manifest(self.path(api, version))

    def add(self, api: str, version: str, document: Json, manifest: Json) -> Release:
        """The manifest first: the release is there when its export is."""
        content = export.text(document)
        self.describe(api, version, {**manifest, "sha256": digest(content)})
        _write(self.path(api, version), content)
        return Release(api, version, document, digest(content))

    def describe(self, api: str, version: str, manifest: Json) -> None:
        _write(manifest_path(self.path(api, version)), json.dumps(manifest, indent=2, sort_keys=True) + "\n")


def numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def require_version(version: str) -> None:
    if not VERSION.fullmatch(version):
        raise Failure(f"'{version}' is not a release: give three numbers, such as 1.4.0", WRONG_USE)


def digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def manifest_path(path: Path) -> Path:
    return path.with_suffix(".json")


def read(path: Path, api: str, version: str) -> Release:
    """The export at `path`; refused when it is not what its manifest was written for."""
    try:
        content = path.read_text(encoding="utf-8")
        document = export.parse(content)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise Failure(f"{path} cannot be read as an export: {error}", WRONG_USE) from error
    written = read_manifest(path).get("sha256", digest(content))
    if written != digest(content):
        raise Failure(
            f"{path} is not what was released (SHA-256 {digest(content)[:12]}, and its manifest says {written[:12]}): "
            "take it from version control, or delete both and release again",
            REFUSED,
        )
    return Release(api, version, document, digest(content))


def read_manifest(path: Path) -> Json:
    """The manifest beside an export; empty when there is none."""
    beside = manifest_path(path)
    if not beside.exists():
        return {}
    try:
        manifest: Json = json.loads(beside.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failure(f"{beside} cannot be read as JSON: {error}", WRONG_USE) from error
    return manifest


def _write(path: Path, content: str) -> None:
    """As a whole, or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(path.suffix + ".new")
    beside.write_text(content, encoding="utf-8")
    beside.replace(path)
