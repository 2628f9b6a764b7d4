"""Zips of the Lambda binaries: reproducible, executable, for the right CPU, and without too new a glibc."""

import os
import re
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lambda_package

ROOT = Path(__file__).parents[2]

# ELF files that are on the machine anyway; which glibc they need differs from system to system.
BINARIES = [path for path in map(Path, (sys.executable, "/bin/ls", "/bin/bash")) if path.exists()]


@pytest.mark.parametrize("binary", BINARIES, ids=lambda path: path.name)
def test_the_glibc_that_is_needed_is_the_one_that_objdump_shows(binary: Path) -> None:
    objdump = shutil.which("objdump")
    if objdump is None:
        pytest.skip("objdump (binutils) is missing, and with it what to compare with")
    shown = subprocess.run([objdump, "-p", str(binary)], capture_output=True, text=True, check=True).stdout
    versions = [tuple(map(int, found.split("."))) for found in re.findall(r"GLIBC_([0-9.]+)", shown)]
    assert versions, "the comparison would compare nothing"
    assert lambda_package.glibc_needed(binary.read_bytes()) == max(versions)


def test_what_is_no_elf_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    assert lambda_package.main(["pack", str(script), str(tmp_path / "out.zip")]) == 1
    assert "not a 64-bit little-endian ELF executable" in capsys.readouterr().err
    assert not (tmp_path / "out.zip").exists()


def test_a_binary_that_needs_a_newer_glibc_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lambda_package, "LAMBDA_GLIBC", (2, 1))
    assert lambda_package.main(["pack", str(BINARIES[0]), str(tmp_path / "out.zip")]) == 1
    assert re.search(r"needs glibc 2\.\d+, and Lambda's provided\.al2023 has 2\.1", capsys.readouterr().err)
    assert not (tmp_path / "out.zip").exists()


def test_the_same_binary_gives_the_same_bytes_whatever_the_time(tmp_path: Path) -> None:
    binary = tmp_path / "binary"
    shutil.copyfile(BINARIES[0], binary)
    lambda_package.pack(binary, tmp_path / "first.zip")
    os.utime(binary, (1_000_000_000, 1_000_000_000))
    binary.chmod(0o600)
    lambda_package.pack(binary, tmp_path / "second.zip")
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_the_zip_holds_an_executable_bootstrap_and_nothing_else(tmp_path: Path) -> None:
    lambda_package.pack(BINARIES[0], tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        (entry,) = archive.infolist()
        assert entry.filename == "bootstrap"
        assert entry.external_attr >> 16 == 0o100755
        assert archive.read(entry) == BINARIES[0].read_bytes()


@pytest.mark.parametrize(("cpu", "other"), [("arm64", "x86_64"), ("x86_64", "arm64")])
def test_a_zip_for_the_other_cpu_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], cpu: str, other: str
) -> None:
    package = tmp_path / "function.zip"
    content = bytearray(BINARIES[0].read_bytes())
    struct.pack_into("<H", content, 0x12, lambda_package.CPUS[cpu])
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("bootstrap", bytes(content))
    assert lambda_package.main(["check", cpu, str(package)]) in (0, 1)  # the machine's own binary may need too much
    capsys.readouterr()
    assert lambda_package.main(["check", other, str(package)]) == 1
    assert f"{package} is built for {cpu}, not {other}" in capsys.readouterr().err


def test_a_missing_zip_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert lambda_package.main(["check", "arm64", str(tmp_path / "none.zip")]) == 1
    assert f"{tmp_path / 'none.zip'} is missing: `make lambdas` builds it" in capsys.readouterr().err
