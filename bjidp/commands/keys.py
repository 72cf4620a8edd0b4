"""``bjidp keys``: what a rotation of root keys needs besides the configuration (OPS-6).

Owns what is said of it. It runs beside the servers, which write to the same rows meanwhile, and may be ended and begun
again at any time.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping

from bjidp.bootstrap import read_keyring
from bjidp.clock import SystemClock
from bjidp.commands.arguments import Commands, add_place, settings_at
from bjidp.commands.databases import require_this_release
from bjidp.commands.ending import Refused
from bjidp.commands.faults import silence_in_words
from bjidp.config.settings import Settings
from bjidp.entropy import SystemEntropy
from bjidp.privacy.fields import FieldUnreadable
from bjidp.storage.sql.catalog import open_sql
from bjidp.storage.sql.rotation import Incomplete


def add(commands: Commands) -> None:
    """Add the command."""
    keys = commands.add_parser("keys", help="rotate the root keys of personal data")
    doing = keys.add_subparsers(dest="doing", required=True)
    filling = doing.add_parser("fill", help="index everybody under every version, seal everything with the current one")
    add_place(filling)
    keys.set_defaults(run=_run)


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    settings = settings_at(chosen, environment)
    with silence_in_words(settings):
        require_this_release(settings.storage.database_url)
        filled = asyncio.run(_fill(settings))
    keyring = read_keyring(settings)
    versions = ", ".join(map(str, sorted(keyring.versions)))
    print(f"filled: {filled} accounts, found under {versions}, sealed under {keyring.current}")


async def _fill(settings: Settings) -> int:
    stores = open_sql(settings.storage.database_url, read_keyring(settings), SystemEntropy(), SystemClock(), threads=1)
    try:
        return await stores.rotation.fill(lambda done: print(f"{done} accounts"))
    except Incomplete as kind:
        raise Refused(f"a {kind} is two accounts' under the new version: leave keys.current as it is") from None
    except FieldUnreadable as place:
        raise Refused(f"{place} has something sealed with a version that keys.roots does not name") from None
    finally:
        await stores.close()
