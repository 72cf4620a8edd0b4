"""The channel on which a device waits for somebody to confirm (wire.md, section 2).

Owns ``GET /oauth/device/channel``. Who waits proves that it is the device by its device code, in a header that no page
can send; a request of any page is refused before the upgrade (attacks W1, W3). The channel announces and decides
nothing: tokens are asked for at the token endpoint.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import Final

import structlog
from aiohttp import WSMsgType, web

from bjidp.errors import FieldFault, InvalidRequest, StoreUnavailable
from bjidp.oidc import discovery
from bjidp.oidc.devices.watching import OPEN, DeviceWatching, Outcome, Watch
from bjidp.qrlogin.errors import OriginRefused
from bjidp.qrlogin.pages import End
from bjidp.unexpected import outline
from bjidp.web.http.address_slots import AddressSlots
from bjidp.web.http.visitor import Observer

SUBPROTOCOL: Final = "bjidp.device.v1"
FRAME_MAX: Final = 1024
HEARTBEAT: Final = 25.0
SILENCE: Final = 20.0
"""Seconds without a message after which ``alive`` is sent."""
ADDRESS_OPEN: Final = 200
"""Channels one address may hold open in one process."""
TOO_MANY: Final = 4029
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
        self._open: set[web.WebSocketResponse] = set()

    def mount(self, app: web.Application) -> None:
        """Add the route, and the farewell when the server stops."""
        app.router.add_get(discovery.DEVICE_CHANNEL, self.channel, allow_head=False)
        app.on_shutdown.append(self._farewell)

    async def channel(self, request: web.Request) -> web.StreamResponse:
        """Upgrade to the socket that announces what a device code comes to."""
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if SUBPROTOCOL not in (name.strip() for name in offered.split(",")):
            raise InvalidRequest(FieldFault("Sec-WebSocket-Protocol", "missing"))
        if "Origin" in request.headers:
            # Devices have none, and every page has.
            raise OriginRefused
        shown = _BEARER.fullmatch(request.headers.get("Authorization", ""))
        if shown is None:
            raise InvalidRequest(FieldFault("Authorization", "missing"))
        with self._slots.held(self._observer.source(request)) as free:
            watch = await self._watching.begin(shown[1])
            ws = web.WebSocketResponse(
                protocols=(SUBPROTOCOL,), heartbeat=HEARTBEAT, max_msg_size=FRAME_MAX, compress=False, timeout=2.0
            )
            await ws.prepare(request)
            self._open.add(ws)
            try:
                if free:
                    await self._serve(ws, watch)
                else:
                    await ws.close(code=TOO_MANY, message=WAIT_FOR_SLOT)
            except ConnectionError:
                pass
            except Exception as error:  # noqa: BLE001 - the upgrade is done: only a close code can tell
                log.error("device_channel_failed", **outline(error))  # noqa: TRY400 - without its text
                await ws.close(code=End.RESTART.value)
            finally:
                self._open.discard(ws)
                with contextlib.suppress(StoreUnavailable):
                    await self._watching.leave(watch)
        return ws

    async def _serve(self, ws: web.WebSocketResponse, watch: Watch) -> None:
        woken = asyncio.Event()
        stop = self._watching.subscribe(watch, woken.set)
        # A device has nothing to say: whatever it sends ends its channel, and so does its leaving.
        leaving = asyncio.create_task(ws.receive())
        leaving.add_done_callback(lambda _: woken.set())
        heard: Outcome | None = None
        try:
            while not leaving.done():
                woken.clear()
                told = await self._watching.look(watch)
                if told is None:
                    await ws.close(code=End.SUPERSEDED.value)
                    return
                if told.outcome is not heard:
                    heard = told.outcome
                    await ws.send_frame(b'{"type":"%s"}' % heard.encode("ascii"), WSMsgType.TEXT)
                if told.outcome not in OPEN:
                    await ws.close(code=End.DONE.value)
                    return
                try:
                    await asyncio.wait_for(woken.wait(), min(SILENCE, told.turn_in + 0.001))
                except TimeoutError:
                    if told.turn_in > SILENCE:
                        await ws.send_frame(b'{"type":"alive"}', WSMsgType.TEXT)
            await ws.close(code=End.DONE.value)
        finally:
            stop()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)

    async def _farewell(self, _: web.Application) -> None:
        await asyncio.gather(*(ws.close(code=End.RESTART.value) for ws in tuple(self._open)))
