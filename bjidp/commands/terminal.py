"""``bjidp login`` and ``bjidp logout``: this terminal, at some server."""

from __future__ import annotations

import argparse
import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bjidp.clock import SystemClock
from bjidp.commands.ending import REFUSED, fail
from bjidp.commands.invocation import own_command
from bjidp.entropy import SystemEntropy

if TYPE_CHECKING:
    # Whoever logs a terminal in waits for nothing that a server has.
    from bjidp.commands.arguments import Commands


NAMES: Final = ("login", "logout")


def add(commands: Commands) -> None:
    """Add both commands."""
    enter, leave = NAMES
    entering = commands.add_parser(enter, help="log this terminal in by a QR code drawn in it")
    leaving = commands.add_parser(leave, help="log this terminal out, and forget its tokens")
    for one in (entering, leaving):
        one.add_argument("url", metavar="URL", help="of the server, such as https://id.example")
        one.add_argument("--client-id", metavar="ID", help="the client to log in as (bjidp-login)")
        one.add_argument("--ca", type=Path, metavar="FILE", help="a certificate to trust besides, made on the spot")
        one.set_defaults(run=_run)
    entering.add_argument("--scope", metavar="WORDS", help="what it may read (openid profile offline_access)")
    entering.add_argument("--json", action="store_true", help="print the tokens on standard output and keep none")


def _run(chosen: argparse.Namespace, environment: Mapping[str, str]) -> None:
    from bjidp.terminal import login as terminal
    from bjidp.terminal.keeping import open_keeper, system_ring
    from bjidp.terminal.screen import Screen
    from bjidp.terminal.words import Said, Words, language

    folder = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    client = chosen.client_id or terminal.CLIENT
    words = Words(language(environment))
    try:
        keeper = open_keeper(Path(folder) / "bjidp" / "tokens", system_ring())
        tls = None
        if chosen.ca is not None:
            tls = ssl.create_default_context()
            tls.load_verify_locations(chosen.ca)
        if chosen.command == "logout":
            print(words.plain("logged_out", url=asyncio.run(terminal.logout(chosen.url, client, keeper, tls))))
            return
        scope = chosen.scope or terminal.SCOPE
        wanted = terminal.Login(url=chosen.url.rstrip("/"), client_id=client, scope=scope, tls=tls)
        screen = Screen(words, plain=environment.get("TERM") == "dumb")
        keep = None if chosen.json else keeper
        kept = asyncio.run(terminal.login(wanted, screen, SystemClock(), SystemEntropy(), keep))
        if chosen.json:
            print(terminal.as_json(kept))
            return
        screen.say("logged_in.kept", where=keeper.where, command=own_command("logout", wanted.url))
    except Said as failed:
        fail(words.of(failed), code=REFUSED)
    except (OSError, ValueError) as failed:
        fail(str(failed))
    except KeyboardInterrupt:
        # What was drawn is gone by now, and whoever pressed it knows why.
        raise SystemExit(130) from None
