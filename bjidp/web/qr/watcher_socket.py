"""One open socket of whoever watches a ticket: a page, or a device that waits.

Owns the writing side: at most one look at the flow is under way, however many signals arrive; between looks a timer
waits for the clock's next turn or for the silence after which ``alive`` is said. The socket announces and decides
nothing (attack W5). Called by the channels, which listen to what the other side says.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol

import msgspec
import structlog
from aiohttp import WSMsgType, web

from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.pages import End
from bjidp.qrlogin.wire import ALIVE
from bjidp.unexpected import outline

SILENCE: Final = 20.0
"""Seconds without a message after which ``alive`` is sent."""

PULSE: Final = 0.25
"""Seconds between the moments at which ``alive`` is said: the pages that are due meanwhile are told one after the
other, since a look at a flow costs a server that is woken for it alone thrice as much as the next one."""

SLOW_READER: Final = 10.0
"""Seconds one message may take to leave; a page that reads slower is cut off (attack W9)."""

SLOW_FAREWELL: Final = 5.0
"""Seconds a close may take, the page's own included: less than a server that stops has for everything."""

STORE_PAUSE: Final = 2.0
"""Seconds until the next look when the store did not answer."""

log = structlog.get_logger(__name__)

_encoder = msgspec.json.Encoder()


def pulse(due: float) -> float:
    """Return the first moment at or after ``due`` at which ``alive`` is said, both in the loop's seconds."""
    return math.ceil(due / PULSE) * PULSE


def _released() -> None:
    """Do nothing any more, and hold on to nothing."""


class Look(Protocol):
    """What one look found, as :class:`bjidp.qrlogin.pages.Look` has it."""

    @property
    def messages(self) -> Sequence[msgspec.Struct]:
        """What is to be told, in its order."""
        ...

    @property
    def end(self) -> End | None:
        """Why the socket is to be closed after that."""
        ...

    @property
    def turn_in(self) -> float:
        """In how many seconds the clock changes it."""
        ...


class WatcherSocket:
    """Tells one watcher what becomes of its flow."""

    __slots__ = (
        "_again",
        "_closing",
        "_look_at_it",
        "_looking",
        "_loop",
        "_quiet_since",
        "_task",
        "_timer",
        "_transport",
        "_unsubscribe",
        "_ws",
    )

    def __init__(
        self,
        ws: web.WebSocketResponse,
        subscribe: Callable[[Callable[[], None]], Callable[[], None]],
        look: Callable[[], Awaitable[Look]],
        transport: asyncio.WriteTransport | None,
    ) -> None:
        """Write to ``ws``, which is open; ``transport`` is what is cut when its reader does not keep up.

        ``subscribe`` lets it be woken whenever there may be news, until what that returns is called.
        """
        self._ws = ws
        self._transport = transport
        self._look_at_it = look
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looking = False
        self._again = False
        self._closing = False
        self._quiet_since = self._loop.time()
        self._unsubscribe: Callable[[], None] = subscribe(self.wake)

    async def begin(self) -> None:
        """Take the first look, within the caller's own task."""
        self._looking = True
        await self._run()

    def wake(self) -> None:
        """Look at the flow soon."""
        if self._closing:
            return
        if self._looking:
            self._again = True
            return
        self._looking = True
        self._task = self._loop.create_task(self._run())

    async def close(self, code: int, reason: str = "") -> None:
        """Close with one of the codes of wire.md, section 2."""
        self._closing = True
        slow = self._loop.call_later(SLOW_FAREWELL, self._abort)
        try:
            await self._ws.close(code=code, message=reason.encode("ascii"))
        finally:
            slow.cancel()

    def stop(self) -> None:
        """Release everything: the socket is closed."""
        self._closing = True
        self._unsubscribe()
        self._unsubscribe = _released
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        # What waits for a connection that is cut gets a ConnectionError.
        slow = self._loop.call_later(SLOW_READER, self._abort) if self._is_behind() else None
        try:
            await self._look()
        except ConnectionError:
            self._closing = True
        except Exception as error:  # noqa: BLE001 - whatever it was: a socket that looks no more must not stay open
            log.error("look_failed", **outline(error))  # noqa: TRY400 - without its text
            await self.close(End.RESTART.value)
        finally:
            if slow is not None:
                slow.cancel()
            self._task = None
            self._looking = False
        if self._again:
            self._again = False
            self.wake()

    async def _look(self) -> None:
        try:
            look = await self._look_at_it()
        except StoreUnavailable:
            self._sleep(STORE_PAUSE)
            return
        for message in look.messages:
            await self._ws.send_frame(_encoder.encode(message), WSMsgType.TEXT)
        if look.end is not None:
            await self.close(look.end.value)
            return
        now = self._loop.time()
        if look.messages:
            self._quiet_since = now
        elif now - self._quiet_since >= SILENCE:
            await self._ws.send_frame(ALIVE, WSMsgType.TEXT)
            self._quiet_since = now
        self._sleep(min(look.turn_in, pulse(self._quiet_since + SILENCE) - now))

    def _sleep(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(max(0.0, seconds) + 0.001, self.wake)

    def _is_behind(self) -> bool:
        # With nothing waiting to be taken, a message of a few hundred bytes leaves at once.
        return self._transport is not None and self._transport.get_write_buffer_size() > 0

    def _abort(self) -> None:
        self._closing = True
        log.info("slow_reader_cut_off")
        # Never by asking for its class: uvloop's transports are of none of asyncio's.
        if self._transport is not None:
            self._transport.abort()
