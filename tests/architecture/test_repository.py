"""Rules for the tree itself: what every file has, and what no file names."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Joined at run time, so that this file does not name what it looks for.
FOREIGN = {
    "the host of a package index": re.compile(
        "|".join([r"pypi\." + "org", r"python" + r"hosted\.org", r"registry\." + "npmjs"])
    ),
    "a path of one machine": re.compile(r"(?<![\w.~}-])/(?:" + "work|root|home/[a-z]+|tmp/[a-z]" + r")(?:/|\b)"),
}
# Texts that answer to somebody else.
EXEMPT = {"LICENSE"}


def tracked() -> list[Path]:
    """Return the files that git knows, those not yet committed among them."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


@cache
def texts() -> dict[str, str]:
    """Return every text file by its path; pictures and fonts are not text."""
    found: dict[str, str] = {}
    for path in tracked():
        try:
            found[str(path.relative_to(ROOT))] = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
    return found


@pytest.mark.parametrize("what", FOREIGN)
def test_no_file_names(what: str) -> None:
    named = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name, text in texts().items()
        if name not in EXEMPT
        for number, line in enumerate(text.splitlines(), 1)
        if FOREIGN[what].search(line)
    ]
    assert not named, "\n".join([f"{what} is named in", *named])


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("the host of a package index", "--index-url https://pypi." + "org/simple"),
        ("a path of one machine", 'open("/' + 'root/.cache")'),
        ("a path of one machine", "cd /" + "work/main"),
        ("a path of one machine", "see /" + "tmp/v/bin"),
    ],
)
def test_what_no_file_may_name_would_be_found(what: str, line: str) -> None:
    assert FOREIGN[what].search(line)


@pytest.mark.parametrize("line", ["https://example.com/work/1", "tmp_path / 'root'", "src/root/x", "/tmp", "~/work"])
def test_what_only_looks_like_it_is_left_alone(line: str) -> None:
    assert not any(pattern.search(line) for pattern in FOREIGN.values())


def test_every_module_says_what_it_owns() -> None:
    silent = [
        name
        for name, text in texts().items()
        if name.endswith(".py") and name.startswith(("bjidp/", "bench/", "scripts/", "tests/support/"))
        if text.strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert not silent, f"no docstring at the head of {', '.join(silent)}"


def test_no_module_is_called_by_a_word_that_says_nothing() -> None:
    empty_words = {"utils", "util", "helpers", "helper", "manager", "common", "misc", "core", "base"}
    named = [
        name
        for name in texts()
        if name.startswith("bjidp/") and name.endswith(".py") and Path(name).stem in empty_words
    ]
    assert not named


def test_locked_packages_are_locked_by_hash() -> None:
    for lock in ("build", "runtime", "dev"):
        text = (ROOT / "requirements" / f"{lock}.lock").read_text()
        pinned = re.findall(r"^(\S+==\S+)(?: ; [^\\]*)? ?(\\?)$", text, flags=re.MULTILINE)
        assert pinned
        assert all(continued for _, continued in pinned), [name for name, continued in pinned if not continued]
        assert "://" not in text


@pytest.mark.parametrize("lock", ["bench/peer", "tests/interop"])
def test_locked_node_packages_are_locked_by_hash_and_come_from_no_named_place(lock: str) -> None:
    text = (ROOT / lock / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert installed
    assert all(package.get("integrity", "").startswith("sha512-") for package in installed.values())
    assert "resolved" not in text


def test_test_tools_run_beside_the_packages_that_production_runs() -> None:
    """dev.lock holds every package of runtime.lock in the same version: what was tested is what runs."""
    runtime, dev = (
        dict(re.findall(r"^([^\s=]+)==([^\s\\]+)", (ROOT / "requirements" / f"{lock}.lock").read_text(), re.MULTILINE))
        for lock in ("runtime", "dev")
    )
    assert {name: dev.get(name) for name in runtime} == runtime
