"""What is said to fail without each defence can be read: the module the defence is in, and the test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOLD = ROOT / "tests" / "security" / "README.md"
LINES = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TOLD.read_text(encoding="utf-8").splitlines()
    if re.match(r"\| [A-Z][0-9]+ \|", line)
]


def test_there_is_a_line_for_each_of_many_defences() -> None:
    assert len(LINES) > 100
    assert {len(line) for line in LINES} == {4}


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]} {line[1]}")
def test_module_and_test_of_a_defence_are_there(line: list[str]) -> None:
    _, _, modules, tests = line
    for module in re.findall(r"`([^`]+)`", modules):
        assert (ROOT / "bjidp" / module).is_file(), module
    named = re.findall(r"`(test_\w+)`(?: in `([^`]+)`)?", tests)
    assert named
    for test, file in named:
        files = [ROOT / file] if file else sorted((ROOT / "tests" / "security").glob("test_*.py"))
        assert any(f"def {test}(" in path.read_text(encoding="utf-8") for path in files), test
