"""What `make` runs is what its variables say."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def given(target: str, program: str, *variables: str) -> list[str]:
    """Return the arguments that the last command of a target gives to its program."""
    told = subprocess.run(
        ["make", "--dry-run", target, *variables],
        cwd=ROOT,
        env={"PATH": os.defpath},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return shlex.split(told.splitlines()[-1].partition(f"{program} ")[2])


def demo(*variables: str) -> list[str]:
    """Return the arguments that `make demo` gives to `bjidp`."""
    return given("demo", "/bjidp", *variables)


def test_the_demo_takes_port_and_folder_from_make() -> None:
    assert demo() == ["demo", "--port", "8080", "--data", "./data/demo"]
    assert demo("PORT=9000", "DATA=a folder") == ["demo", "--port", "9000", "--data", "a folder"]


@pytest.mark.req("OPS-1")
@pytest.mark.parametrize(("lan", "open_to_it"), [("LAN=1", True), ("LAN=0", False), ("LAN=", False)])
def test_the_demo_is_open_to_the_local_network_when_make_is_told_so(lan: str, open_to_it: bool) -> None:
    assert ("--lan" in demo(lan)) is open_to_it


def test_the_whole_is_tested_by_several_processes_and_a_part_by_one() -> None:
    assert given("test", "pytest") == ["--numprocesses", "3"]
    assert given("test", "pytest", "JOBS=4") == ["--numprocesses", "4"]
    assert given("test", "pytest", "T=tests/unit/qrlogin") == ["tests/unit/qrlogin"]
