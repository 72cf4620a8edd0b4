"""Logging a terminal in, and out again (RP-3).

Owns the two commands from an address to what is said at the end. Called by ``cli``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from typing import Final

from msgspec import Struct

from bjidp.clock import SECOND, Clock
from bjidp.entropy import Entropy, token
from bjidp.oidc import pkce
from bjidp.terminal.keeping import Keeper, Kept, NotKept
from bjidp.terminal.screen import Screen
from bjidp.terminal.talking import GRANT, Codes, Endpoints, Given, LoginFailed, Refused, Server
from bjidp.terminal.waiting import answered, told

CLIENT: Final = "bjidp-login"
"""The client that a terminal logs in as, unless it is told another one."""

SCOPE: Final = "openid profile offline_access"


class Login(Struct, frozen=True, kw_only=True):
    """What is logged in to, as whom, and what is done with the tokens."""

    url: str
    client_id: str = CLIENT
    scope: str = SCOPE
    tls: ssl.SSLContext | None = None
    """What trusts the server's certificate, where that is none that everybody trusts."""


async def login(wanted: Login, screen: Screen, clock: Clock, entropy: Entropy, keeper: Keeper | None) -> Kept:
    """Log in; return the tokens, which ``keeper`` keeps. Raises :class:`LoginFailed` and ``NotKept``.

    What it has kept of an earlier login ends, since nobody could end it later.
    """
    async with Server(wanted.url, wanted.tls) as server:
        endpoints = await server.endpoints()
        verifier = token(entropy, 256)
        fields = {
            "client_id": wanted.client_id,
            "scope": wanted.scope,
            "code_challenge": pkce.challenge_of(verifier),
            "code_challenge_method": pkce.METHOD,
        } | ({"qr": "frames"} if screen.draws else {})
        try:
            codes = await server.codes(endpoints, fields)
        except Refused as refused:
            raise _why(wanted, refused) from None
        given = await _confirmed(server, endpoints, codes, wanted, verifier, screen)
        who = await server.who(endpoints, given.access_token)
        if who is None:
            screen.say("logged_in", url=wanted.url)
        else:
            screen.say("logged_in.as", url=wanted.url, who=who)
        kept = Kept(
            issuer=endpoints.issuer,
            client_id=wanted.client_id,
            scope=given.scope or wanted.scope,
            access_token=given.access_token,
            expires_at=clock.now() // SECOND + given.expires_in,
            refresh_token=given.refresh_token,
        )
        if keeper is not None:
            await _keep(keeper, kept, server, endpoints)
    return kept


async def logout(url: str, client_id: str, keeper: Keeper, tls: ssl.SSLContext | None = None) -> str:
    """Forget the tokens of a login and end it at the server; return whose that was.

    Raises :class:`LoginFailed` when nobody is logged in, and when the server could not be told.
    """
    issuer = url.rstrip("/")
    kept = keeper.find(issuer, client_id)
    if kept is None:
        raise LoginFailed("failed.nobody", url=issuer)
    # First: whatever becomes of the rest, this terminal has them no more.
    keeper.forget(issuer, client_id)
    try:
        async with Server(url, tls) as server:
            endpoints = await server.endpoints()
            await server.revoke(endpoints, client_id, kept.refresh_token or kept.access_token)
    except (LoginFailed, Refused) as failed:
        raise LoginFailed("failed.half_out", failed=failed) from None
    return issuer


async def _keep(keeper: Keeper, kept: Kept, server: Server, endpoints: Endpoints) -> None:
    before = None
    with contextlib.suppress(NotKept):
        before = keeper.find(kept.issuer, kept.client_id)
    keeper.keep(kept)
    if before is not None:
        with contextlib.suppress(LoginFailed, Refused):
            await server.revoke(endpoints, before.client_id, before.refresh_token or before.access_token)


def as_json(kept: Kept) -> str:
    """Return tokens for a program that asked for them."""
    told = {name: getattr(kept, name) for name in kept.__struct_fields__}
    return json.dumps({name: value for name, value in told.items() if value is not None})


async def _confirmed(
    server: Server, endpoints: Endpoints, codes: Codes, wanted: Login, verifier: str, screen: Screen
) -> Given:
    async def ask() -> Given:
        return await server.tokens(
            endpoints,
            {
                "grant_type": GRANT,
                "client_id": wanted.client_id,
                "device_code": codes.device_code,
                "code_verifier": verifier,
            },
        )

    async with _shown(codes, screen) as taken:
        at_once = await told(codes, endpoints.channel, taken.set, tls=wanted.tls)
        return await answered(ask, codes, at_once=at_once)


@contextlib.asynccontextmanager
async def _shown(codes: Codes, screen: Screen) -> AsyncIterator[asyncio.Event]:
    """Show what is to be scanned until the block ends, or somebody has taken it, which the event says."""
    taken = asyncio.Event()
    drawing = asyncio.create_task(_draw(codes, screen, taken))
    try:
        yield taken
    finally:
        drawing.cancel()
        await asyncio.gather(drawing, return_exceptions=True)
        screen.clear()


async def _draw(codes: Codes, screen: Screen, taken: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    arrived = loop.time()
    step = 1.0 if codes.qr is None else codes.qr.step
    while not taken.is_set():
        elapsed = loop.time() - arrived
        screen.ask(codes, elapsed)
        # The next one with the next frame, whatever this one took.
        begun = elapsed + (0.0 if codes.qr is None else codes.qr.elapsed)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(taken.wait(), step - begun % step + 0.01)
    screen.scanned(codes)


def _why(wanted: Login, refused: Refused) -> LoginFailed:
    if refused.error == "invalid_client":
        return LoginFailed("failed.client", url=wanted.url, client=wanted.client_id)
    return LoginFailed(refused.key, **refused.values)
