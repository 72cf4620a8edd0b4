"""What people do with an account was done in a browser on a computer, and in one as small as a phone."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

JOURNEYS = Path(__file__).resolve().parents[1] / "browser"

ROWS: Final = (
    *("REG-1", "REG-2", "REG-3", "REG-6", "REG-8"),
    *("LOG-1", "LOG-3", "LOG-5", "LOG-6"),
    *("REC-1", "REC-2", "REC-3", "REC-4"),
    *("ACC-1", "ACC-2", "ACC-3", "ACC-4", "ACC-5", "ACC-6", "ACC-7", "ACC-8"),
    *("FAQ-1", "FAQ-2", "SES-1", "SES-2", "SES-3", "UX-5"),
)

SCREENS: Final = {"computer": "a computer", "handheld": "a phone"}
"""Fixtures that put a screen in front of somebody, by what each is."""


def seen(source: str) -> Iterator[tuple[str, str]]:
    """Find which requirements the tests in ``source`` name, and on which screen each is seen.

    A test with both kinds of screen does not say which requirement is on which: it counts for neither.
    """
    module = ast.parse(source)
    of_all = [line.value for line in module.body if isinstance(line, ast.Assign)]
    for test in module.body:
        if isinstance(test, ast.AsyncFunctionDef) and test.name.startswith("test_"):
            fixtures = {argument.arg.removesuffix("_at") for argument in test.args.args} & SCREENS.keys()
            rows = [row for mark in (*of_all, *test.decorator_list) for row in _named(mark)]
            yield from ((row, SCREENS[screen]) for screen in fixtures for row in rows if len(fixtures) == 1)


def _named(mark: ast.expr) -> list[str]:
    """Return what a marker names, nothing for any other expression."""
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.req":
        return [str(ast.literal_eval(row)) for row in mark.args]
    return []


@pytest.mark.parametrize("screen", SCREENS.values())
def test_there_is_a_journey_for_each_requirement_of_accounts_on(screen: str) -> None:
    found = {pair for path in JOURNEYS.glob("test_*.py") for pair in seen(path.read_text(encoding="utf-8"))}
    assert [row for row in ROWS if (row, screen) not in found] == []


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("demo, computer", {("A-1", "a computer"), ("A-2", "a computer"), ("A-3", "a computer")}),
        ("handheld_at, phone", {("A-1", "a phone"), ("A-2", "a phone"), ("A-3", "a phone")}),
        ("computer, handheld", set()),
        ("demo", set()),
    ],
)
def test_a_journey_counts_for_the_screen_it_is_seen_on(parameters: str, expected: set[tuple[str, str]]) -> None:
    source = f"""
pytestmark = pytest.mark.req("A-1")

@pytest.mark.req("A-2", "A-3")
@pytest.mark.attack("B-1")
async def test_something({parameters}): ...
"""
    assert set(seen(source)) == expected
