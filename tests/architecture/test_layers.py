"""The layers that docs/architecture.md draws are those that are enforced, and no module stands outside of them."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = {
    "vendors.wechat",
    "vendors.alipay",
    "vendors.baidu",
    "vendors.authority",
    "vendors.bank",
    "vendors.business_register",
    "vendors.chuanglan",
    "vendors.national",
    "vendors.smtp",
    "vendors.relying_parties",
}


def contract(which: str) -> dict[str, Any]:
    """Return one of the import contracts."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [found] = [found for found in contracts if found["id"] == which]
    return dict(found)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Return every module of the package, and what is written in it."""
    for path in sorted((ROOT / "bjidp").rglob("*.py")):
        yield ".".join(path.relative_to(ROOT).with_suffix("").parts), ast.parse(path.read_text("utf-8"))


def stands_in(module: str, rooms: list[str]) -> bool:
    """Tell whether ``module`` is one of ``rooms`` or in one."""
    return any(module == room or module.startswith(f"{room}.") for room in rooms)


def waits(tree: ast.Module) -> bool:
    """Tell whether a module has an object that is made with its dependencies and awaits them: a use case."""
    made = any(
        isinstance(method, ast.FunctionDef) and method.name == "__init__"
        for one in tree.body
        if isinstance(one, ast.ClassDef)
        for method in one.body
    )
    return made and any(isinstance(node, ast.Await) for node in ast.walk(tree))


def enforced() -> list[set[str]]:
    """Return the layers of the import contract, highest first, without the package's own name."""
    layers = contract("layers")["layers"]
    return [{name.strip().removeprefix("bjidp.") for name in re.split("[|:]", layer)} for layer in layers]


def test_the_layers_that_are_drawn_are_the_layers_that_are_enforced() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    block = re.search(r"^## Who may import whom$.*?^```$(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    drawn = [{name.strip() for name in re.split("[|,]", line)} for line in block[1].strip().splitlines()]
    # One name stands for every client; that `python -m bjidp` is the command needs no drawing.
    assert drawn == [
        layer - CLIENTS | {"vendors.<client>"} if layer & CLIENTS else layer
        for layer in enforced()
        if layer != {"__main__"}
    ]


def test_every_room_has_a_place_in_the_layers() -> None:
    placed = {name.partition(".")[0] for layer in enforced() for name in layer}
    rooms = {
        path.stem for path in (ROOT / "bjidp").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert rooms - placed == {"__init__"}


def test_whatever_calls_itself_pure_is_held_to_it() -> None:
    held = contract("pure-modules-do-not-wait")["source_modules"]
    said = [name for name, tree in modules() if re.search(r"\bPure\b", ast.get_docstring(tree) or "")]
    assert len(said) > len(held) / 2
    assert [name for name in said if not stands_in(name, held)] == []


def test_every_use_case_is_kept_from_stores_and_clients() -> None:
    kept = contract("adapters-call-no-service")["forbidden_modules"]
    features = contract("features-know-no-driver")["source_modules"]
    found = [name for name, tree in modules() if stands_in(name, features) and waits(tree)]
    assert len(found) > len(kept) / 2
    assert [name for name in found if not any(fnmatchcase(name, one) for one in kept)] == []
