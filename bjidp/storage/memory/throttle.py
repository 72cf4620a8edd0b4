"""Rolling-window counters in this process's memory."""

from __future__ import annotations

from bisect import bisect_right

from bjidp.clock import Clock, Instant, Millis
from bjidp.errors import RateLimited
from bjidp.storage.memory.expiry import Expiry
from bjidp.throttle.ports import Window

_NOTHING: tuple[Millis, list[Instant]] = (0, [])


class MemoryThrottle:
    """:class:`bjidp.throttle.ports.Throttle` for one process: the exact times of the events that still count."""

    def __init__(self, clock: Clock) -> None:
        """Measure by ``clock``."""
        self._clock = clock
        # Lists, not deques: most keys see one or two events in their life, and an empty deque takes 600 bytes.
        self._events: dict[str, tuple[Millis, list[Instant]]] = {}
        self._expiry = Expiry(self._end_of, self._forget)

    def __len__(self) -> int:
        """Return how many keys are kept."""
        return len(self._events)

    async def hit(self, key: str, *windows: Window) -> None:
        """See :meth:`bjidp.throttle.ports.Throttle.hit`."""
        now = self._clock.now()
        self._expiry.sweep(now)
        longest, events = self._events.get(key) or self._begun(key, windows, now)
        if events and events[0] <= now - longest:
            del events[: bisect_right(events, now - longest)]
        wait = 0
        for window in windows:
            if len(events) >= window.limit:
                wait = max(wait, _wait(events, window, now))
        if wait:
            raise RateLimited(-(-wait // 1000))
        events.append(now)

    async def peek(self, key: str, window: Window) -> int:
        """See :meth:`bjidp.throttle.ports.Throttle.peek`."""
        _, events = self._events.get(key, _NOTHING)
        return len(events) - bisect_right(events, self._clock.now() - window.span)

    def _begun(self, key: str, windows: tuple[Window, ...], now: Instant) -> tuple[Millis, list[Instant]]:
        """Begin to count ``key``: a name from the code is always counted in the same windows."""
        longest = max(window.span for window in windows)
        begun = self._events[key] = (longest, [])
        self._expiry.add(key, now + longest)
        return begun

    def _end_of(self, key: str) -> Instant | None:
        kept = self._events.get(key)
        if kept is None:
            return None
        longest, events = kept
        return events[-1] + longest if events else 0

    def _forget(self, key: str) -> None:
        del self._events[key]


def _wait(events: list[Instant], window: Window, now: Instant) -> int:
    if window.limit < 1:
        return window.span
    # The event that must leave the window before there is room for one more.
    return max(0, events[-window.limit] + window.span - now)
