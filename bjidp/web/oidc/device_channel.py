"""The channel on which a device waits for somebody to confirm (wire.md, section 2).

Owns ``GET /oauth/device/channel``. Who waits proves that it is the device by its device code, in a header that no page
can send; a request of any page is refused before the upgrade (attacks W1, W3). The channel announces and decides
nothing: tokens are asked for at the token endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from functools import partial
from typing import Final

import structlog
from aiohttp import web
from msgspec import Struct

from bjidp.errors import FieldFault, InvalidRequest, StoreUnavailable
from bjidp.oidc import discovery
from bjidp.oidc.devices.watching import OPEN, DeviceWatching, Outcome, Watch
from bjidp.qrlogin.errors import OriginRefused
from bjidp.qrlogin.pages import End
from bjidp.unexpected import outline
from bjidp.web.http.address_slots import AddressSlots
from bjidp.web.http.upgrading import TOO_MANY, require_offered, upgraded
from bjidp.web.http.visitor import Observer
from bjidp.web.qr.watcher_socket import WatcherSocket

SUBPROTOCOL: Final = "bjidp.device.v1"
FRAME_MAX: Final = 1024
ADDRESS_OPEN: Final = 200
"""Channels one address may hold open in one process."""
WAIT_FOR_SLOT: Final = b"60"
"""Seconds after which an address that holds too much may come again."""

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9_-]{43})", re.IGNORECASE)

log = structlog.get_logger(__name__)


class DeviceChannel:
    """Tells devices what comes of their codes."""

    def __init__(self, *, watching: DeviceWatching, observer: Observer) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._watching = watching
        self._observer = observer
        self._slots = AddressSlots(ADDRESS_OPEN)
        self._open: set[WatcherSocket] = set()
        self._leaving = False

    def mount(self, app: web.Application) -> None:
        """Add the route, and the farewell when the server stops."""
        app.router.add_get(discovery.DEVICE_CHANNEL, self.channel, allow_head=False)
        app.on_shutdown.append(self._farewell)

    async def channel(self, request: web.Request) -> web.StreamResponse:
        """Upgrade to the socket that announces what a device code comes to."""
        require_offered(request, SUBPROTOCOL)
        if "Origin" in request.headers:
            # Devices have none, and every page has.
            raise OriginRefused
        shown = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if shown is None:
            raise InvalidRequest(FieldFault("Authorization", "missing"))
        with self._slots.held(self._observer.source(request)) as free:
            watch = await self._watching.begin(shown[1])
            ws = await upgraded(request, SUBPROTOCOL, FRAME_MAX)
            try:
                if free:
                    await self._serve(ws, watch, request.transport)
                else:
                    await ws.close(code=TOO_MANY, message=WAIT_FOR_SLOT)
            except Exception as error:  # noqa: BLE001 - the upgrade is done: only a close code can tell
                log.error("device_channel_failed", **outline(error))  # noqa: TRY400 - without its text
                await ws.close(code=End.RESTART.value)
            finally:
                with contextlib.suppress(StoreUnavailable):
                    await self._watching.leave(watch)
        return ws

    async def _serve(self, ws: web.WebSocketResponse, watch: Watch, transport: asyncio.WriteTransport | None) -> None:
        news = _News(self._watching, watch)
        socket = WatcherSocket(ws, partial(self._watching.subscribe, watch), news.look, transport)
        self._open.add(socket)
        try:
            if self._leaving:
                # It opened while the others were told.
                await socket.close(End.RESTART.value)
                return
            await socket.begin()
            # A device has nothing to say: whatever it sends ends its channel, and so does its leaving.
            await ws.receive()
            await socket.close(End.DONE.value)
        finally:
            socket.stop()
            self._open.discard(socket)

    async def _farewell(self, _: web.Application) -> None:
        self._leaving = True
        await asyncio.gather(*(socket.close(End.RESTART.value) for socket in tuple(self._open)))


class _Message(Struct, frozen=True):
    type: Outcome


class _Look(Struct, frozen=True):
    messages: tuple[_Message, ...]
    end: End | None
    turn_in: float = 0.0


class _News:
    """What one device has not heard yet."""

    def __init__(self, watching: DeviceWatching, watch: Watch) -> None:
        self._watching = watching
        self._watch = watch
        self._heard: Outcome | None = None

    async def look(self) -> _Look:
        told = await self._watching.look(self._watch)
        if told is None:
            return _Look((), End.SUPERSEDED)
        news = () if told.outcome is self._heard else (_Message(told.outcome),)
        self._heard = told.outcome
        return _Look(news, None if told.outcome in OPEN else End.DONE, told.turn_in)
