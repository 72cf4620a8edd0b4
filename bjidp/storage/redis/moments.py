"""Time on the server's side.

Owns how scripts learn what time it is: from ``TIME`` of the server, one clock for all processes. A clock of the
caller's is given by tests alone, so that the contract suites move time by hand.
"""

from __future__ import annotations

from bjidp.clock import SECOND, Clock, Millis

GRACE: Millis = 60 * SECOND
"""How long Redis keeps what is over: its own expiry must never be the one that decides."""

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

    def __init__(self, clock: Clock | None = None, grace: Millis = GRACE) -> None:
        """Let the server tell the time, or, in a test, ``clock``."""
        self._clock = clock
        self._grace = grace

    @property
    def arguments(self) -> tuple[bytes | int, int]:
        """The first two arguments of a script."""
        return (b"" if self._clock is None else self._clock.now(), self._grace)

    @property
    def grace(self) -> Millis:
        """The margin of a time to live."""
        return self._grace
