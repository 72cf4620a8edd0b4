"""``bjidp accounts``: what staff see of an account, and that they lock it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Awaitable, Callable, Mapping

from bjidp.commands import staff
from bjidp.commands.arguments import Commands, add_staff
from bjidp.commands.faults import silence_in_words
from bjidp.commands.locksmith import Locksmith
from bjidp.config.loader import load
from bjidp.config.settings import Settings


def add(commands: Commands) -> None:
    """Add the command."""
    accounts = commands.add_parser("accounts", help="look an account up, lock it, unlock it")
    doing = accounts.add_subparsers(dest="doing", required=True)
    finding = doing.add_parser(
        "find", help="whose it is, masked; a username, phone or document number is read from standard input"
    )
    locking = doing.add_parser("lock", help="let nobody use it, and put out whoever is logged in")
    unlocking = doing.add_parser("unlock", help="let its owner use it again")
    for one in (locking, unlocking):
        one.add_argument("account", metavar="REF", help="what find told as its account")
    for one in (finding, locking, unlocking):
        add_staff(one)
    accounts.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = load(chosen.config, environment)
    with silence_in_words(settings):
        _attend(settings, chosen)


def _attend(settings: Settings, chosen: argparse.Namespace) -> None:
    match chosen.doing:
        case "find":
            # Read, since what stands in a command line is seen by everybody on the machine.
            if sys.stdin.isatty():
                print("Username, phone or document number:", file=sys.stderr)
            typed = sys.stdin.readline()
            _work(settings, chosen.staff, lambda locksmith: locksmith.find(typed))
        case "lock":
            _work(settings, chosen.staff, lambda locksmith: locksmith.lock(chosen.account))
        case "unlock":
            _work(settings, chosen.staff, lambda locksmith: locksmith.unlock(chosen.account))


def _work(settings: Settings, who: str, act: Callable[[Locksmith], Awaitable[None]]) -> None:
    staff.attend(settings, who, lambda stores, clock: act(Locksmith(stores.locks, clock, who)))
