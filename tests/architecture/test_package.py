"""What is built from the tree is whole: an installed server finds its pages, words, pictures and migrations."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).resolve().parents[2]
NO_CARGO = {"__pycache__", ".DS_Store"}


def cargo(folder: str, inside: str) -> set[str]:
    """Return every file of a folder by the name it should have in the wheel."""
    base = ROOT / folder
    return {
        f"{inside}/{path.relative_to(base)}"
        for path in base.rglob("*")
        if path.is_file() and not NO_CARGO & set(path.parts)
    }


def test_a_wheel_carries_every_module_page_word_and_picture(tmp_path: Path) -> None:
    built = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stderr
    [wheel] = tmp_path.glob("*.whl")
    with ZipFile(wheel) as archive:
        carried = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert carried == cargo("bjidp", "bjidp") | cargo("templates", "bjidp/web/templates")
