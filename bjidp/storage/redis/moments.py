"""Time on the server's side.

Owns how scripts learn what time it is: from ``TIME`` of the server, one clock for all processes. A clock of the
caller's is given by tests alone, so that the contract suites move time by hand.
"""

from __future__ import annotations

from bjidp.clock import SECOND, Clock, Instant, Millis, Stopwatch

GRACE: Millis = 60 * SECOND
"""How long Redis keeps what is over: its own expiry must never be the one that decides."""

TOLD = 1.0
"""Seconds for which the time told by the server is carried on by this machine's: a server whose clock jumped, or
another one in its place, is noticed that soon."""

NOW = """
local now
if ARGV[1] ~= '' then
  now = tonumber(ARGV[1])
else
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local grace = tonumber(ARGV[2])
"""
"""What a script begins with: the instant it decides by, and the margin of its times to live."""

FIRST_VERSION = """
local function first_version()
  -- Microseconds, not 1: what was decided on a former record of the same key must not fit this one.
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end
"""


class Moments:
    """What every script is told about time."""

    def __init__(self, clock: Clock | None, stopwatch: Stopwatch, grace: Millis) -> None:
        """Let the server tell the time and ``stopwatch`` carry it on, or, in a test, let ``clock`` tell it."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._grace = grace
        self._told: Instant = 0
        self._told_at = float("-inf")

    @property
    def arguments(self) -> tuple[bytes | int, int]:
        """The first two arguments of a script."""
        return (b"" if self._clock is None else self._clock.now(), self._grace)

    @property
    def grace(self) -> Millis:
        """The margin of a time to live."""
        return self._grace

    def tell(self, now: Instant) -> None:
        """Note the server's time, which came with an answer just now."""
        self._told = now
        self._told_at = self._stopwatch()

    def now(self) -> Instant | None:
        """Return the server's time without asking, or None where it was not told lately.

        It is never ahead of the server's, since the answer took its time to get here.
        """
        passed = self._stopwatch() - self._told_at
        if self._clock is not None or passed > TOLD:
            return None
        return self._told + int(passed * SECOND)
