"""The command line: ``bjidp`` and its commands.

Owns which there are. Each adds itself, and says what it did to whoever runs it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final

from bjidp.commands import accounts, appeals, clients, keys, national, serve, terminal
from bjidp.commands.faults import faults_in_words
from bjidp.commands.log import log_to_stderr
from bjidp.config.loader import system_environment
from bjidp.demo import command as demo

COMMANDS = (serve, demo, accounts, appeals, clients, national, keys, terminal)

_ID: Final = re.compile(r" ?(-[A-Za-z0-9_-]{21})")
"""An id of ours that looks like an option, as one in sixty-four does. No option has as many letters."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command that ``arguments``, by default those of the process, name."""
    parser = argparse.ArgumentParser(prog="bjidp", description="An identity server whose login is a QR code.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    chosen = _parsed(parser, sys.argv[1:] if arguments is None else arguments)
    log_to_stderr()
    with faults_in_words():
        chosen.run(chosen, system_environment())


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was chosen; an id is no option, whatever it begins with."""
    chosen = parser.parse_args([f" {one}" if _ID.fullmatch(one) else one for one in arguments])
    for name, value in vars(chosen).items():
        shielded = _ID.fullmatch(value) if isinstance(value, str) else None
        if shielded is not None:
            setattr(chosen, name, shielded[1])
    return chosen
