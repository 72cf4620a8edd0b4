"""Where a call comes from, as the limits by network address see it.

Owns the two exceptions such limits have: none holds where address limits are lifted, and each is tenfold behind a
network that many people share. Made by ``bjidp.web.http.visitor``; every limit by address takes one, so that no
exception holds for one limit and not for the next.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from bjidp.throttle.ports import Throttle, Window

CROWD: Final = 10
"""How many times a limit is widened for a network that many people share."""


class Source(Struct, frozen=True, gc=False):
    """``key`` is the keyed digest an address is counted under, None where limits by address are lifted.

    ``shared`` tells that many people sit behind the address.
    """

    key: str | None
    shared: bool = False

    def allowance(self, limit: int) -> int:
        """Return what ``limit`` is for this source."""
        return limit * CROWD if self.shared else limit

    async def hit(self, throttle: Throttle, name: str, *windows: Window) -> None:
        """Count one event of the kind ``name``; raise what :meth:`bjidp.throttle.ports.Throttle.hit` raises."""
        if self.key is None:
            return
        if self.shared:
            windows = tuple(Window(self.allowance(window.limit), window.span) for window in windows)
        await throttle.hit(f"{name}:{self.key}", *windows)
