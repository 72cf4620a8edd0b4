"""Rolling-window counters in Redis: for each key the exact times of the events that still count, oldest first."""

from __future__ import annotations

from bjidp.errors import RateLimited, StoreUnavailable
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.moments import NOW, Moments
from bjidp.throttle.ports import Window

COUNT = """
local function gone(instant)
  -- How many of the times are not after `instant`, by halving: the list is in order.
  local low, high = 0, redis.call('LLEN', KEYS[1])
  while low < high do
    local middle = math.floor((low + high) / 2)
    if tonumber(redis.call('LINDEX', KEYS[1], middle)) <= instant then low = middle + 1 else high = middle end
  end
  return low
end
"""

HIT = Script(
    NOW
    + COUNT
    + """
local newest = redis.call('LINDEX', KEYS[1], -1)
-- A clock that was set back must not put the list out of order.
if newest and tonumber(newest) > now then now = tonumber(newest) end
local longest = tonumber(ARGV[3])
local old = gone(now - longest)
if old > 0 then redis.call('LTRIM', KEYS[1], old, -1) end
local wait = 0
for i = 4, #ARGV, 2 do
  local limit, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  if limit < 1 then
    wait = math.max(wait, span)
  else
    -- The event that must leave the window before there is room for one more.
    local blocking = redis.call('LINDEX', KEYS[1], -limit)
    if blocking then wait = math.max(wait, blocking + span - now) end
  end
end
if wait > 0 then return wait end
redis.call('RPUSH', KEYS[1], now)
redis.call('PEXPIRE', KEYS[1], longest + grace)
return 0
"""
)

PEEK = Script(NOW + COUNT + "return redis.call('LLEN', KEYS[1]) - gone(now - tonumber(ARGV[3]))")


class RedisThrottle:
    """:class:`bjidp.throttle.ports.Throttle` for many processes."""

    def __init__(self, link: Link, prefix: str, moments: Moments) -> None:
        """Keep counters under keys that begin with ``prefix``."""
        self._link = link
        self._prefix = prefix
        self._moments = moments

    async def hit(self, key: str, *windows: Window) -> None:
        """See :meth:`bjidp.throttle.ports.Throttle.hit`."""
        longest = 0
        numbers: list[int] = []
        for window in windows:
            longest = max(longest, window.span)
            numbers += (window.limit, window.span)
        wait = await self._run(HIT, key, longest, *numbers)
        if wait:
            raise RateLimited(-(-wait // 1000))

    async def peek(self, key: str, window: Window) -> int:
        """See :meth:`bjidp.throttle.ports.Throttle.peek`."""
        return await self._run(PEEK, key, window.span)

    async def _run(self, script: Script, key: str, *numbers: int) -> int:
        reply = await self._link.run(script, self._prefix + key, *self._moments.arguments, *numbers)
        if not isinstance(reply, int):
            raise StoreUnavailable
        return reply
