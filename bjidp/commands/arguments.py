"""How a command joins the command line, and the arguments that several have in common.

Owns the names of these arguments. Called by the other modules of the room, and by ``cli``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeAlias

from bjidp.config.loader import ConfigFaults, load
from bjidp.config.settings import Settings

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no public name for it
"""What a command is added to. Its ``run`` is set to a function of what was chosen and of the environment."""

DEMO: Final = Path("data/demo")
"""Where the demo keeps its data, unless it is told otherwise."""


def add_place(command: argparse.ArgumentParser) -> None:
    """Let a command be told whose database it is about: a server's, or by default the demo's."""
    where = command.add_mutually_exclusive_group()
    where.add_argument("--config", type=Path, metavar="FILE", help="the server's TOML file")
    where.add_argument("--data", type=Path, default=DEMO, metavar="DIR", help="the demo's folder")


def add_staff(command: argparse.ArgumentParser) -> None:
    """Have a command of staff told which server it is about, and who looks, which is written down."""
    command.add_argument("--config", type=Path, required=True, metavar="FILE", help="the server's TOML file")
    command.add_argument("--staff", required=True, metavar="NAME", help="your own name, which is written down")


def settings_at(chosen: argparse.Namespace, environment: Mapping[str, str]) -> Settings:
    """Return the settings at the place that :func:`add_place` was told; raise ``ConfigFaults``."""
    place: Path = chosen.config or chosen.data / "server.toml"
    if chosen.config is None and not place.exists():
        # Whoever named nothing does not know that a place was looked at.
        raise ConfigFaults([f"there is no {place}: name the server's file by --config, or a demo's folder by --data"])
    return load(place, environment)
