"""``bjidp national``: who waits to be handed on to the national platform."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from bjidp.commands import backlog
from bjidp.commands.arguments import Commands, add_place, settings_at
from bjidp.commands.faults import silence_in_words


def add(commands: Commands) -> None:
    """Add the command."""
    national = commands.add_parser("national", help="see who waits to be handed on to the national platform")
    doing = national.add_subparsers(dest="doing", required=True)
    listing = doing.add_parser("list", help="our reference of each, since when, how often tried, when next")
    add_place(listing)
    national.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = settings_at(chosen, environment)
    with silence_in_words(settings):
        print(*backlog.run(settings.storage.database_url), sep="\n")
