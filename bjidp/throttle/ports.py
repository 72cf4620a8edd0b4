"""Rolling-window counters.

Owns the port that every limit goes through; ``storage.memory`` and ``storage.redis`` implement it. Counting and
deciding are one step, so parallel callers cannot slip past together (attack O4). A store that is down raises
``StoreUnavailable``: a limit that cannot be counted refuses (attack O5), it never lets through.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

from bjidp.clock import MINUTE, Millis


class Window(Struct, frozen=True):
    """At most ``limit`` events in any span of ``span`` milliseconds; a limit of 0 refuses always."""

    limit: int
    span: Millis


def per_minute(limit: int) -> Window:
    """Return the window that allows ``limit`` events in any minute."""
    return Window(limit, MINUTE)


class Throttle(Protocol):
    """Counts events by key. Keys are keyed digests: no personal value is ever one."""

    async def hit(self, key: str, *windows: Window) -> None:
        """Count one event if every window still has room, else raise ``RateLimited`` and count nothing.

        ``retry_after`` of the error is the time until the fullest window has room again, in whole seconds.
        """
        ...

    async def peek(self, key: str, window: Window) -> int:
        """Return how many events ``key`` has in the window, without counting one."""
        ...
