"""``bjidp clients``: relying parties."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bjidp.bootstrap import read_keyring
from bjidp.commands import registrar
from bjidp.commands.arguments import Commands, add_place, settings_at
from bjidp.commands.ending import fail
from bjidp.commands.faults import silence_in_words
from bjidp.config.settings import Settings
from bjidp.oidc.members import MetadataRefused


def add(commands: Commands) -> None:
    """Add the command."""
    clients = commands.add_parser("clients", help="register relying parties, list, show and remove them")
    doing = clients.add_subparsers(dest="doing", required=True)
    adding = doing.add_parser("add", help="register one from its metadata; its secret is told this once")
    adding.add_argument("file", type=Path, metavar="FILE", help="RFC 7591 metadata in JSON; - is standard input")
    adding.add_argument("--id", metavar="ID", help="the id it gets; by default one is drawn")
    listing = doing.add_parser("list", help="all of them, the oldest first")
    showing = doing.add_parser("show", help="the metadata of one")
    removing = doing.add_parser("remove", help="remove one, with what people have agreed to for it; ends its grants")
    for one in (showing, removing):
        one.add_argument("client", metavar="ID")
    telling = doing.add_parser("logouts", help="whether they were told of those who are logged in no more")
    for one in (adding, listing, showing, removing, telling):
        add_place(one)
    clients.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = settings_at(chosen, environment)
    with silence_in_words(settings):
        _register(settings, chosen)


def _register(settings: Settings, chosen: argparse.Namespace) -> None:
    database = settings.storage.database_url
    try:
        match chosen.doing:
            case "add":
                metadata = registrar.parse(_read(chosen.file, registrar.SIZE_MAX + 1))
                if settings.server.environment == "production":
                    registrar.require_https(metadata)
                given = registrar.run(database, lambda them: them.add(metadata, chosen.id), read_keyring(settings))
                print(msgspec.json.encode(given).decode())
                for doubt in registrar.run(database, lambda them: them.doubts(given.client_id)):
                    print(f"look twice: {doubt}", file=sys.stderr)
            case "list":
                print(*registrar.run(database, lambda them: them.list_all()), sep="\n")
            case "logouts":
                print(*registrar.run(database, lambda them: them.list_logouts()), sep="\n")
            case "show":
                shown = registrar.run(database, lambda them: them.show(chosen.client))
                print(json.dumps(shown, ensure_ascii=False, indent=2))
            case "remove":
                ended = registrar.run(database, lambda them: them.remove(chosen.client))
                print(f"{chosen.client} is removed, and {ended} of its grants ended with it")
    except OSError as fault:
        fail(f"{chosen.file} cannot be read: {fault.strerror}")
    except registrar.NoMetadata as fault:
        fail(f"{chosen.file} cannot be registered: {fault}")
    except MetadataRefused as refused:
        fail(
            f"{chosen.file} cannot be registered:",
            # A name that nobody knows may hold whatever a terminal obeys.
            *(f"{json.dumps(fault.member)[1:-1]}: {fault.words}" for fault in refused.faults),
        )


def _read(file: Path, size: int) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read(size)
    with file.open("rb") as opened:
        return opened.read(size)
