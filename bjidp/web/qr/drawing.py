"""Drawing animated pictures: few at once, none twice, and nobody as many as they like.

Owns the queue in front of the drawing and the pictures drawn last. Called by ``scriptless``. A picture costs 15 to 30
ms of processor time, which is more than anything else a stranger can ask for (attack W9).
"""

from __future__ import annotations

import asyncio
import functools
from collections import OrderedDict
from typing import Final

from bjidp.clock import MINUTE
from bjidp.errors import TooBusy
from bjidp.qrlogin.matrix import Basis
from bjidp.qrlogin.messages import Frames
from bjidp.qrlogin.pages import Entry
from bjidp.qrlogin.picture import animated_image
from bjidp.throttle.ports import Throttle, Window

AT_ONCE: Final = 2
"""Pictures drawn at once; the event loop never draws."""

WAITING: Final = 20
"""Pictures that may wait for their turn: a third of a second, which the freshness of a frame bears."""

RETRY_AFTER: Final = 2

KEPT: Final = 64
"""Pictures kept, at 80 KB each. One is good for as long as its first frame is: two seconds."""

DRAWN_BROWSER: Final = (Window(12, MINUTE),)
DRAWN_ADDRESS: Final = (Window(600, MINUTE),)
"""As many as tickets may be shown: a page without JavaScript draws one for each."""


class Drawings:
    """Draws the frames of a ticket into one picture."""

    def __init__(self, basis: Basis, throttle: Throttle) -> None:
        """Draw texts of ``basis``; count drawings in ``throttle``."""
        self._basis = basis
        self._throttle = throttle
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._under_way = 0
        self._kept: OrderedDict[str, asyncio.Task[bytes]] = OrderedDict()

    async def picture(self, frames: Frames, entry: Entry) -> bytes:
        """Return the picture of ``frames``; a repeat within the time of its first frame costs nothing.

        Raises ``RateLimited`` for a browser or an address that has had too many drawn, :class:`TooBusy` and
        ``StoreUnavailable``.
        """
        # A frame's text names its ticket and its number; without one there are two pictures in all.
        name = frames.texts[0] if frames.texts else ("scanned" if frames.scanned else "expired")
        task = self._kept.get(name)
        if task is None:
            if self._under_way >= AT_ONCE + WAITING:
                raise TooBusy(RETRY_AFTER)
            self._under_way += 1
            task = asyncio.get_running_loop().create_task(self._drawn(frames, entry))
            task.add_done_callback(functools.partial(self._done, name))
            self._kept[name] = task
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        # Whoever asked first may hang up: others wait for the same picture.
        return await asyncio.shield(task)

    async def _drawn(self, frames: Frames, entry: Entry) -> bytes:
        await self._throttle.hit(f"qr.draw.browser:{entry.browser.id}", *DRAWN_BROWSER)
        await entry.visitor.source.hit(self._throttle, "qr.draw.address", *DRAWN_ADDRESS)
        async with self._turns:
            return await asyncio.to_thread(
                animated_image, self._basis, frames.texts, frames.step, frames.first, scanned=frames.scanned
            )

    def _done(self, name: str, task: asyncio.Task[bytes]) -> None:
        self._under_way -= 1
        if (task.cancelled() or task.exception() is not None) and self._kept.get(name) is task:
            del self._kept[name]
