"""The command line: ``bjidp`` and its commands.

Owns which there are. Each adds itself, and says what it did to whoever runs it.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from typing import Final

from bjidp.commands import terminal
from bjidp.commands.log import log_to_stderr
from bjidp.config.environment import system_environment

_ID: Final = re.compile(r" ?(-[A-Za-z0-9_-]{21})")
"""An id of ours that looks like an option, as one in sixty-four does. No option has as many letters."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command that ``arguments``, by default those of the process, name."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="bjidp", description="An identity server whose login is a QR code.")
    commands = parser.add_subparsers(dest="command", required=True)
    if given[:1] and given[0] in terminal.NAMES:
        # Whoever logs a terminal in waits for nothing that a server has, which takes a second of CPU to load.
        terminal.add(commands)
        _run(parser, given)
        return
    from bjidp.commands import accounts, appeals, clients, keys, national, serve
    from bjidp.commands.faults import faults_in_words
    from bjidp.demo import command as demo

    for command in (serve, demo, accounts, appeals, clients, national, keys, terminal):
        command.add(commands)
    with faults_in_words():
        _run(parser, given)


def _run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> None:
    chosen = _parsed(parser, arguments)
    log_to_stderr()
    chosen.run(chosen, system_environment())


def _parsed(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    """Return what was chosen; an id is no option, whatever it begins with."""
    chosen = parser.parse_args([f" {one}" if _ID.fullmatch(one) else one for one in arguments])
    for name, value in vars(chosen).items():
        shielded = _ID.fullmatch(value) if isinstance(value, str) else None
        if shielded is not None:
            setattr(chosen, name, shielded[1])
    return chosen
