"""The QR channel over HTTP: the socket, and the long poll for pages that cannot have one (wire.md, section 2).

Owns ``GET /qr/channel``, ``POST /qr/tickets`` and ``GET /qr/events``. Every check is made before the upgrade, since
aiohttp makes none by itself (attack W1).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Final

import msgspec
import structlog
from aiohttp import WSMsgType, web

from bjidp.errors import FieldFault, InvalidRequest, RateLimited, StoreUnavailable
from bjidp.qrlogin.errors import BrowserUnknown, FlowUnknown, PageSuperseded
from bjidp.qrlogin.pages import End, Entry, QrPages, Watch
from bjidp.qrlogin.wire import (
    ApprovedMessage,
    ExpiredMessage,
    Message,
    RejectedMessage,
    RenewFrame,
    ScannedMessage,
    TicketMessage,
    TicketsBody,
)
from bjidp.site import Site
from bjidp.unexpected import outline
from bjidp.web.http.address_slots import AddressSlots
from bjidp.web.http.bodies import read_json
from bjidp.web.http.calls import Call, Outcome, Proof
from bjidp.web.http.origin import require_origin, require_same_site_read
from bjidp.web.http.upgrading import TOO_MANY, require_offered, upgraded
from bjidp.web.http.visitor import Observer
from bjidp.web.qr.entering import Entrance
from bjidp.web.qr.watcher_socket import WatcherSocket

SUBPROTOCOL: Final = "bjidp.qr.v1"
FRAME_MAX: Final = 4 * 1024
FRAMES_MAX: Final = 200
"""Frames a page may send on one socket: it has one thing to say, twelve times a minute for fifteen minutes."""
NUMBER_MAX: Final = 15
"""Digits of a number in a query: enough for a browser's clock in milliseconds."""
WAIT_MAX: Final = 25.0
ADDRESS_OPEN: Final = 2000
"""Sockets and parked polls one address may hold open in one process."""
WAIT_FOR_SLOT: Final = 60
"""Seconds after which an address that holds too much may ask again."""

_ENDED: Final = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED)

log = structlog.get_logger(__name__)

_tickets_body = msgspec.json.Decoder(TicketsBody)
_renew_frame = msgspec.json.Decoder(RenewFrame)


class QrChannel:
    """Handlers of the QR channel."""

    def __init__(self, *, site: Site, entrance: Entrance, observer: Observer, pages: QrPages) -> None:
        """Take every dependency; ``bootstrap`` wires them."""
        self._site = site
        self._entrance = entrance
        self._observer = observer
        self._pages = pages
        self._slots = AddressSlots(ADDRESS_OPEN)
        self._sockets: set[WatcherSocket] = set()
        self._polls: set[asyncio.Event] = set()
        self._leaving = False

    def mount(self, app: web.Application) -> None:
        """Add the socket's route, and the farewell to every page when the server stops."""
        app.router.add_get("/qr/channel", self.channel, allow_head=False)
        app.on_shutdown.append(self._farewell)

    def calls(self) -> tuple[Call, ...]:
        """Return the calls of pages without a socket."""
        messages = (TicketMessage, ScannedMessage, ApprovedMessage, RejectedMessage, ExpiredMessage)
        errors = (
            "invalid_request",
            "origin_refused",
            "browser_unknown",
            "flow_unknown",
            "already_signed_in",
            "rate_limited",
            "service_unavailable",
        )
        return (
            Call(
                method="POST",
                path="/qr/tickets",
                summary="Read the current message of a flow, with a ticket in it",
                handler=self.tickets,
                proof=Proof.BROWSER,
                body=TicketsBody,
                answers=messages,
                errors=errors,
            ),
            Call(
                method="GET",
                path="/qr/events",
                summary="Wait for the newest message of a flow",
                handler=self.events,
                proof=Proof.BROWSER,
                query=(("flow", "string"), ("after", "integer"), ("wait", "integer"), ("opened", "integer")),
                answers=messages,
                others=(Outcome(HTTPStatus.NO_CONTENT, "No newer message in time"),),
                errors=(*errors, "page_superseded"),
            ),
        )  # fmt: skip

    async def channel(self, request: web.Request) -> web.StreamResponse:
        """Upgrade to the socket that announces what becomes of a flow."""
        require_offered(request, SUBPROTOCOL)
        require_origin(self._site, request)
        query = request.query
        opened = _number(query, "opened", 0)
        with self._slots.held(self._observer.source(request)) as free:
            entry = await self._entrance.enter(request, query.get("flow"))
            ws = await upgraded(request, SUBPROTOCOL, FRAME_MAX)
            # The upgrade is done, so no problem document can follow: what goes wrong now is told by a close code.
            if not free:
                await ws.close(code=TOO_MANY, message=str(WAIT_FOR_SLOT).encode("ascii"))
                return ws
            try:
                await self._serve(ws, entry, opened, request)
            except Exception as error:  # noqa: BLE001 - the last line of defence, as in problems.py
                log.error("channel_failed", **outline(error))  # noqa: TRY400 - without its text
                await ws.close(code=End.RESTART.value)
        return ws

    async def tickets(self, request: web.Request) -> web.Response:
        """Answer the current message, with a ticket in it; a code whose time is over is renewed."""
        require_origin(self._site, request)
        body = await read_json(request, _tickets_body)
        entry = await self._entrance.enter(request, body.flow)
        return _answer(await self._pages.newest(entry, renew=True))

    async def events(self, request: web.Request) -> web.Response:
        """Answer the newest message once its number is greater than ``after``; 204 when ``wait`` is over."""
        require_same_site_read(self._site, request)
        query = request.query
        after = _number(query, "after", -1)
        wait = min(float(_number(query, "wait", 0)), WAIT_MAX)
        opened = _number(query, "opened", 0)
        with self._slots.held(self._observer.source(request)) as free:
            if not free:
                raise RateLimited(WAIT_FOR_SLOT)
            entry = await self._entrance.enter(request, query.get("flow"))
            watch = await self._pages.follow(entry, opened)
            if not await self._entrance.stays(request, entry):
                await self._leave(watch)
                raise FlowUnknown
            return await self._newest(watch, after, wait)

    async def _newest(self, watch: Watch, after: int, wait: float) -> web.Response:
        woken = asyncio.Event()
        stop = self._pages.subscribe(watch, woken.set)
        self._polls.add(woken)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        try:
            while True:
                woken.clear()
                look = await self._pages.look(watch, after=after)
                if look.end is not None:
                    raise PageSuperseded if look.end is End.SUPERSEDED else BrowserUnknown
                remaining = deadline - loop.time()
                if look.messages or remaining <= 0 or self._leaving:
                    return _answer(look.messages[0] if look.messages else None)
                pause = min(remaining, look.turn_in + 0.001)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(woken.wait(), pause)
        finally:
            self._polls.discard(woken)
            stop()
            await self._leave(watch)

    async def _serve(self, ws: web.WebSocketResponse, entry: Entry, opened: int, request: web.Request) -> None:
        try:
            watch = await self._pages.connect(entry, opened)
            if not await self._entrance.stays(request, entry):
                await self._leave(watch)
                await ws.close(code=End.SESSION_ENDED.value)
                return
        except RateLimited as limit:
            await ws.close(code=TOO_MANY, message=str(limit.retry_after).encode("ascii"))
            return
        except (BrowserUnknown, FlowUnknown, StoreUnavailable):
            # The page comes back and is told then.
            await ws.close(code=End.RESTART.value)
            return
        socket = WatcherSocket(
            ws, partial(self._pages.subscribe, watch), partial(self._pages.look, watch), request.transport
        )
        self._sockets.add(socket)
        try:
            if self._leaving:
                # It opened while the others were told.
                await socket.close(End.RESTART.value)
            else:
                await socket.begin()
                heard = 0
                # Not ``async for``: whatever waits here is kept for every page that waits.
                while (frame := await ws.receive()).type not in _ENDED:
                    heard += 1
                    if heard > FRAMES_MAX:
                        await socket.close(TOO_MANY, "60")
                    elif frame.type is WSMsgType.TEXT and _is_renew(frame.data):
                        await self._renew(socket, watch)
        finally:
            socket.stop()
            self._sockets.discard(socket)
            await self._leave(watch)

    async def _renew(self, socket: WatcherSocket, watch: Watch) -> None:
        """Show a new code because the person asked."""
        try:
            await self._pages.renew(watch.entry)
        except RateLimited as limit:
            await socket.close(TOO_MANY, str(limit.retry_after))
        except StoreUnavailable:
            # The person sees the old code and can ask again.
            log.warning("renewal_failed")

    async def _leave(self, watch: Watch) -> None:
        # A watcher that stays behind is merely the first to go when a third comes.
        with contextlib.suppress(StoreUnavailable):
            await self._pages.leave(watch)

    async def _farewell(self, _: web.Application) -> None:
        self._leaving = True
        for woken in self._polls:
            woken.set()
        await asyncio.gather(*(socket.close(End.RESTART.value) for socket in tuple(self._sockets)))


def _is_renew(data: str) -> bool:
    try:
        _renew_frame.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return True


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= NUMBER_MAX):
        raise InvalidRequest(FieldFault(name, "invalid"))
    return int(text)


def _answer(message: Message | None) -> web.Response:
    if message is None:
        return web.Response(status=HTTPStatus.NO_CONTENT)
    return web.Response(body=msgspec.json.encode(message), content_type="application/json")
