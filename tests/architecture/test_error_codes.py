"""Public error codes are a promise: clients decide by them, so none is renamed or taken away."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FROZEN = Path(__file__).with_name("error_codes.txt")


@cache
def codes_in_use() -> dict[str, list[str]]:
    """Return every code with the errors that carry it.

    Read from the source, not from what happens to be imported. The sandbox is another program with codes of its own.
    """
    classes: dict[str, list[tuple[str, ast.ClassDef]]] = {}
    for path in sorted((ROOT / "bjidp").rglob("*.py")):
        if "sandbox" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ClassDef):
                    classes.setdefault(node.name, []).append((str(path.relative_to(ROOT)), node))

    found: dict[str, list[str]] = {}
    for name, places in classes.items():
        for where, node in places:
            code = _own_code(node)
            if code is not None and _is_error(name, classes):
                found.setdefault(code, []).append(f"{where}: {name}")
    return found


def _is_error(name: str, classes: dict[str, list[tuple[str, ast.ClassDef]]]) -> bool:
    if name == "BjidpError":
        return True
    bases = {
        base.attr if isinstance(base, ast.Attribute) else base.id
        for _, node in classes.get(name, ())
        for base in node.bases
        if isinstance(base, ast.Attribute | ast.Name)
    }
    return any(_is_error(base, classes) for base in bases - {name})


def _own_code(node: ast.ClassDef) -> str | None:
    for statement in node.body:
        match statement:
            case (
                ast.Assign(targets=[ast.Name(id="code")], value=ast.Constant(value=str(code)))
                | ast.AnnAssign(target=ast.Name(id="code"), value=ast.Constant(value=str(code)))
            ):
                return code
            case _:
                continue
    return None


def frozen_codes() -> list[str]:
    """Return the list that is kept in git."""
    return [line for line in FROZEN.read_text().splitlines() if line and not line.startswith("#")]


def test_no_public_code_is_renamed_or_taken_away() -> None:
    gone = set(frozen_codes()) - set(codes_in_use())
    assert not gone, f"clients rely on {sorted(gone)}: no error carries these codes any more"


def test_every_new_code_is_put_on_the_list() -> None:
    new = set(codes_in_use()) - set(frozen_codes())
    assert not new, f"add to {FROZEN.name}: {sorted(new)}"


def test_the_list_is_in_order_and_says_nothing_twice() -> None:
    assert frozen_codes() == sorted(set(frozen_codes()))


def test_one_code_has_one_name() -> None:
    """Two rooms that do not know each other may fail in the same way; then they call it by the same name."""
    names = {code: {error.rpartition(" ")[2] for error in errors} for code, errors in codes_in_use().items()}
    assert {code: kinds for code, kinds in names.items() if len(kinds) > 1} == {}


def test_a_code_is_words_in_lower_case() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in codes_in_use())
