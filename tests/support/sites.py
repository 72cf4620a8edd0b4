"""Sites and terminals that log people in with libraries of others: the examples of this repository, run as they are.

Each is a program of its own that knows the server by its address. Node finds its packages beside the program, so an
example is copied to where those of ``tests/interop`` are linked.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bjidp.commands import registrar
from bjidp.commands.registrar import Given
from bjidp.config.loader import load
from bjidp.oidc.members import Json
from tests.support import backends
from tests.support.processes import Process

ROOT: Final = Path(__file__).resolve().parents[2]
PACKAGES: Final = ROOT / "tests" / "interop" / "node_modules"


async def register(config: Path, metadata: Json) -> Given:
    """Register a relying party at the server that runs by the file ``config``, as ``bjidp clients add`` does."""
    return await register_in(load(config, {}).storage.database_url, metadata)


async def register_in(database_url: str, metadata: Json) -> Given:
    """Register a relying party in a database that is up to date."""
    return await registrar.on(database_url, lambda them: them.add(metadata))


class Example:
    """A running program of ``examples/node``."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str]) -> None:
        """Start the program called ``name`` in ``folder``; raise :class:`backends.MissingBackend` without packages."""
        if not PACKAGES.is_dir():
            raise backends.MissingBackend(f"{PACKAGES.relative_to(ROOT)} is not there; run `make setup-test`.")
        folder.mkdir()
        shutil.copy(ROOT / "examples" / "node" / name, folder)
        (folder / "node_modules").symlink_to(PACKAGES)
        (folder / "package.json").write_text('{"type": "module"}')
        self.process = Process(
            [backends.node().path, folder / name], log=folder / "log", environment={"PATH": os.defpath, **environment}
        )

    @property
    def said(self) -> str:
        """What it has written so far."""
        return self.process.log.read_text("utf-8")

    def wait_until_it_says(self, words: str) -> None:
        """Return once it has written ``words``."""
        self.process.wait_until(lambda: words in self.said)

    def stop(self) -> None:
        """End it."""
        self.process.stop()
