"""``bjidp serve``: the server."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from bjidp.commands.arguments import Commands
from bjidp.commands.faults import silence_in_words
from bjidp.config.loader import load
from bjidp.serving.server import serve


def add(commands: Commands) -> None:
    """Add the command."""
    server = commands.add_parser("serve", help="run the server")
    server.add_argument("--config", type=Path, required=True, metavar="FILE", help="the TOML file")
    server.add_argument("--worker", type=int, metavar="FD", help=argparse.SUPPRESS)
    server.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load(chosen.config, environment)
    with silence_in_words(settings):
        serve(settings, chosen.config, worker=chosen.worker)
