"""The layers that docs/architecture.md draws are those that are enforced, and no module stands outside of them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CLIENTS = {
    "vendors.wechat",
    "vendors.alipay",
    "vendors.baidu",
    "vendors.authority",
    "vendors.bank",
    "vendors.business_register",
    "vendors.chuanglan",
    "vendors.smtp",
}


def enforced() -> list[set[str]]:
    """Return the layers of the import contract, highest first, without the package's own name."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    [layers] = [contract["layers"] for contract in contracts if contract["id"] == "layers"]
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
