"""What is printed to be typed works where it is printed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bjidp.commands.invocation import own_command

pytestmark = pytest.mark.req("OPS-1")


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a clone with an environment of its own, which no PATH leads to."""
    program = tmp_path / ".venv" / "bin" / "bjidp"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    return program


def test_in_a_clone_it_is_called_by_the_path_to_it(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for started in (".venv/bin/bjidp", str(clone)):
        monkeypatch.setattr(sys, "argv", [started, "demo"])
        assert own_command("login", "http://127.0.0.1:8080") == ".venv/bin/bjidp login http://127.0.0.1:8080"
    monkeypatch.chdir("/")
    monkeypatch.setattr(sys, "argv", [str(clone), "demo"])
    assert own_command("login") == f"{str(clone)[1:]} login"


def test_what_a_path_leads_to_is_called_by_its_name(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(clone.parent))
    monkeypatch.setattr(sys, "argv", [str(clone), "demo"])
    assert own_command("login", "a b") == "bjidp login 'a b'"
    monkeypatch.setattr(sys, "argv", ["/elsewhere/bjidp", "demo"])
    assert own_command("login") == "/elsewhere/bjidp login", "another program of that name is found first"


def test_a_module_is_called_by_its_interpreter(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", [str(clone.parent / "__main__.py"), "demo"])
    monkeypatch.setattr(sys, "executable", str(clone.with_name("python")))
    assert own_command("login") == ".venv/bin/python -m bjidp login"
