"""How a terminal learns that somebody has confirmed.

Owns the wait: on the server's channel where it has one, and by asking again and again where it has none, or where no
socket comes through. Whatever the channel says, it is the token endpoint that decides. Called by ``login``.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from bjidp.terminal.talking import Codes, Given, LoginFailed, Refused, Unreachable

SUBPROTOCOL: Final = Subprotocol("bjidp.device.v1")
LONGER: Final = 5.0
"""Seconds that every ``slow_down`` adds (RFC 8628, section 3.5)."""
BACK: Final = 1.0
"""Seconds until a channel that was closed is opened again."""
PATIENCE: Final = 10.0
"""Seconds for a channel to open."""
SILENCE: Final = 60.0
"""Seconds after which a channel that says nothing, not even that it is alive, is opened anew."""
ATTEMPTS: Final = 2
"""Channels in a row that do not open, or are silent, before it is asked again and again instead."""

Pause: TypeAlias = Callable[[float], Awaitable[None]]
"""Lets seconds pass."""

SILENT: Final = 6
"""Questions in a row that are not answered before the login is given up."""

_OPEN: Final = frozenset({"pending", "scanned", "alive"})


async def told(
    codes: Codes,
    channel: str | None,
    scanned: Callable[[], None],
    pause: Pause = asyncio.sleep,
    tls: ssl.SSLContext | None = None,
) -> bool:
    """Wait until the channel says that there is an answer; return False where nothing comes through it."""
    failed = 0
    while channel is not None and failed < ATTEMPTS:
        try:
            if await _heard(codes, channel, scanned, tls):
                return True
            failed = 0
        except (OSError, TimeoutError, WebSocketException, ValueError, RecursionError):
            failed += 1
        await pause(BACK)
    return False


async def answered(
    ask: Callable[[], Awaitable[Given]], codes: Codes, *, at_once: bool, pause: Pause = asyncio.sleep
) -> Given:
    """Return the tokens, asked for at the pace that the server wants.

    ``at_once`` where there is an answer already. A server that does not answer is asked again for a while, since
    somebody may have confirmed. Raises :class:`LoginFailed` with what it says.
    """
    interval, silent = codes.interval, 0
    while True:
        if not at_once:
            await pause(interval)
        at_once = False
        try:
            return await ask()
        except Unreachable:
            silent += 1
            if silent == SILENT:
                raise
        except Refused as refused:
            silent = 0
            match refused.error:
                case "authorization_pending":
                    pass
                case "slow_down":
                    interval += LONGER
                case "access_denied":
                    raise LoginFailed("failed.no") from None
                case "expired_token":
                    raise LoginFailed("failed.expired") from None
                case _:
                    raise LoginFailed(refused.key, **refused.values) from None


async def _heard(codes: Codes, channel: str, scanned: Callable[[], None], tls: ssl.SSLContext | None) -> bool:
    """Return True once there is an answer, False when the server sends its devices away to come back."""
    shown = {"Authorization": f"Bearer {codes.device_code}"}
    async with connect(
        channel,
        subprotocols=[SUBPROTOCOL],
        additional_headers=shown,
        open_timeout=PATIENCE,
        close_timeout=1.0,
        max_size=1024,
        compression=None,
        proxy=None,
        ssl=(tls or True) if channel.startswith("wss:") else None,
    ) as ws:
        while True:
            async with asyncio.timeout(SILENCE):
                try:
                    message = json.loads(await ws.recv())
                except ConnectionClosed:
                    return False
            said = message.get("type") if isinstance(message, dict) else None
            if said == "scanned":
                scanned()
            if said not in _OPEN:
                return True
