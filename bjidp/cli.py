"""The command line: ``bjidp`` and its commands.

Owns which there are. Each adds itself, and says what it did to whoever runs it.
"""

from __future__ import annotations

import argparse

from bjidp.commands import accounts, appeals, clients, keys, national, serve, terminal
from bjidp.commands.faults import faults_in_words
from bjidp.commands.log import log_to_stderr
from bjidp.config.loader import system_environment
from bjidp.demo import command as demo

COMMANDS = (serve, demo, accounts, appeals, clients, national, keys, terminal)


def main(arguments: list[str] | None = None) -> None:
    """Run the command that ``arguments``, by default those of the process, name."""
    parser = argparse.ArgumentParser(prog="bjidp", description="An identity server whose login is a QR code.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command in COMMANDS:
        command.add(commands)
    chosen = parser.parse_args(arguments)
    log_to_stderr()
    with faults_in_words():
        chosen.run(chosen, system_environment())
