"""``bjidp appeals``: what staff see of appeals, and decide."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from bjidp.appeals.appeal import Verdict
from bjidp.commands import staff
from bjidp.commands.arguments import Commands, add_staff
from bjidp.commands.faults import silence_in_words
from bjidp.config.loader import load
from bjidp.config.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    appeals = commands.add_parser("appeals", help="look at appeals for an identity, and decide them")
    doing = appeals.add_subparsers(dest="doing", required=True)
    listing = doing.add_parser("list", help="those that wait, the oldest first")
    showing = doing.add_parser("show", help="everything about one, and its pictures")
    showing.add_argument("--to", type=Path, metavar="DIR", help="the folder to write its pictures to")
    deciding = doing.add_parser("decide", help="grant or refuse one; the reason is read from standard input")
    for one in (showing, deciding):
        one.add_argument("appeal", metavar="ID")
    deciding.add_argument("verdict", type=Verdict, choices=list(Verdict))
    deciding.add_argument("--seen", required=True, metavar="WORD", help="what show told of the case as you saw it")
    for one in (listing, showing, deciding):
        add_staff(one)
    appeals.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load(chosen.config, environment)
    with silence_in_words(settings):
        _attend(settings, chosen)


def _attend(settings: Settings, chosen: argparse.Namespace) -> None:
    match chosen.doing:
        case "list":
            staff.run(settings, chosen.staff, lambda desk: desk.list_waiting())
        case "show":
            staff.run(settings, chosen.staff, lambda desk: desk.show(chosen.appeal, chosen.to))
        case "decide":
            # Read, since what stands in a command line is seen by everybody on the machine.
            if sys.stdin.isatty():
                print("Why? The person reads it:", file=sys.stderr)
            why = sys.stdin.readline()
            staff.run(settings, chosen.staff, lambda desk: desk.decide(chosen.appeal, chosen.verdict, chosen.seen, why))
