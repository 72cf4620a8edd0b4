"""Pictures of captchas, made ahead.

Owns the one thread that draws, and the pictures that wait to be shown. Called by
:mod:`bjidp.verification.captchas`; opened and closed by ``bootstrap``. Drawing takes 5 ms of processor time, so it is
never done on the event loop, and no request waits for it while pictures are left.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from msgspec import Struct

from bjidp.entropy import Entropy, digits
from bjidp.errors import TooBusy
from bjidp.verification.captcha import DIGITS

READY: Final = 64
"""Pictures made ahead, 2 KB each: what a third of a second of drawing yields."""

WAITING: Final = 64
"""Askers that may wait at a time when none is left."""

PATIENCE: Final = 2.0
"""Seconds that an asker waits."""

PAUSE: Final = 0.05
"""Seconds after which a picture that was taken is replaced while there are plenty. The page that shows it comes first:
thread and event loop take the interpreter's lock from each other."""

RETRY_AFTER: Final = 2


class Drawn(Struct, frozen=True):
    """One picture and what it shows."""

    answer: str
    picture: bytes


class _Ordered(Struct, frozen=True):
    answer: str
    picture: asyncio.Future[bytes]


class CaptchaPool:
    """Keeps ``ready`` pictures drawn or being drawn; each that is taken is replaced, at once when half are gone."""

    def __init__(
        self,
        draw: Callable[[str], bytes],
        entropy: Entropy,
        *,
        ready: int = READY,
        waiting: int = WAITING,
        patience: float = PATIENCE,
    ) -> None:
        """Draw by ``draw``, which is called on a thread; answers are chosen on the event loop, by ``entropy``."""
        self._draw = draw
        self._entropy = entropy
        self._ready = ready
        self._most_waiting = waiting
        self._patience = patience
        self._filling: asyncio.TimerHandle | None = None
        self._waiting = 0
        self._closed = False
        self._ordered: deque[_Ordered] = deque()
        # Of ordinary priority: one that is put off while it holds the interpreter's lock puts off the event loop.
        self._thread = ThreadPoolExecutor(1, "captcha")

    def fill(self) -> None:
        """Begin to draw what is missing; a server begins before it is asked."""
        loop = asyncio.get_running_loop()
        if self._filling is not None:
            self._filling.cancel()
            self._filling = None
        while len(self._ordered) < self._ready and not self._closed:
            answer = digits(self._entropy, DIGITS)
            self._ordered.append(_Ordered(answer, loop.run_in_executor(self._thread, self._draw, answer)))

    async def take(self) -> Drawn:
        """Return a picture that nobody else gets, and have another drawn.

        At once while there is one; else after a bounded time, or with :class:`TooBusy`.
        """
        if not self._ordered:
            self.fill()
        if self._closed or (self._waiting >= self._most_waiting and not self._ordered[0].picture.done()):
            raise TooBusy(RETRY_AFTER)
        first = self._ordered.popleft()
        if len(self._ordered) < self._ready // 2:
            self.fill()
        elif self._filling is None:
            self._filling = asyncio.get_running_loop().call_later(PAUSE, self.fill)
        if not first.picture.done():
            await self._wait(first.picture)
        if not first.picture.done() or first.picture.cancelled():
            first.picture.cancel()
            raise TooBusy(RETRY_AFTER)
        return Drawn(first.answer, first.picture.result())

    async def close(self) -> None:
        """End the thread; what it has not begun is not drawn, and the event loop serves on meanwhile."""
        self._closed = True
        for ordered in self._ordered:
            ordered.picture.cancel()
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    async def _wait(self, picture: asyncio.Future[bytes]) -> None:
        self._waiting += 1
        try:
            # Not for the picture itself: whoever waits there when the pool closes is taken for one who has hung up.
            await asyncio.wait((picture,), timeout=self._patience)
        finally:
            self._waiting -= 1
