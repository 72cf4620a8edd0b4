"""The OpenID provider that ours is measured beside: oidc-provider, installed by the run itself."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final, NamedTuple

from bench.login import Place
from bench.processes import Measured

PEER: Final = Path(__file__).parent


class Peer(NamedTuple):
    """Its process, and where it is reached."""

    process: Measured
    place: Place


def install() -> None:
    """Install what ``package-lock.json`` names; raise :class:`RuntimeError` where there is no Node."""
    if shutil.which("npm") is None:
        raise RuntimeError("node and npm are needed to measure beside oidc-provider: install nodejs 20 or newer")
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=PEER, check=True, stdout=subprocess.DEVNULL)
