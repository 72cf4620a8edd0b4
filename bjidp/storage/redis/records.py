"""Short-lived records in Redis, one hash a record."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Generic, TypeVar

from bjidp.clock import Millis
from bjidp.errors import StoreUnavailable
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.codec import Codec
from bjidp.storage.redis.moments import FIRST_VERSION, NOW, Moments

T = TypeVar("T")

ADD = Script(
    NOW
    + FIRST_VERSION
    + """
local over = redis.call('HGET', KEYS[1], 'end')
if over and tonumber(over) > now then return 0 end
local lifetime = tonumber(ARGV[4])
-- No DEL first: a full server refuses a script's first write, and only if that one takes memory.
redis.call('HSET', KEYS[1], 'data', ARGV[3], 'version', first_version(), 'end', now + lifetime)
redis.call('PEXPIRE', KEYS[1], lifetime + grace)
return 1
"""
)

GET = Script(
    NOW
    + """
local row = redis.call('HMGET', KEYS[1], 'end', 'version', 'data')
if not row[1] or tonumber(row[1]) <= now then return false end
return {row[3], tonumber(row[2]), now}
"""
)

REPLACE = Script(
    NOW
    + """
local row = redis.call('HMGET', KEYS[1], 'end', 'version')
if not row[1] or tonumber(row[1]) <= now or row[2] ~= ARGV[4] then return 0 end
local version = tonumber(row[2]) + 1
redis.call('HSET', KEYS[1], 'data', ARGV[3], 'version', version)
if ARGV[5] ~= '' then
  local lifetime = tonumber(ARGV[5])
  redis.call('HSET', KEYS[1], 'end', now + lifetime)
  redis.call('PEXPIRE', KEYS[1], lifetime + grace)
end
return version
"""
)

TAKE = Script(
    NOW
    + """
local row = redis.call('HMGET', KEYS[1], 'end', 'data')
if not row[1] or tonumber(row[1]) <= now then return false end
redis.call('DEL', KEYS[1])
return row[2]
"""
)


class RedisRecords(Generic[T]):
    """:class:`bjidp.records.Records` for many processes."""

    def __init__(self, link: Link, prefix: str, kind: type[T], moments: Moments) -> None:
        """Keep records of type ``kind`` under keys that begin with ``prefix``."""
        self._link = link
        self._prefix = prefix
        self._codec = Codec(kind)
        self._moments = moments

    async def add(self, key: str, value: T, lifetime: Millis) -> None:
        """See :meth:`bjidp.records.Records.add`."""
        if not await self._run(ADD, key, self._codec.encode(value), lifetime):
            raise DuplicateRecord

    async def get(self, key: str) -> Held[T] | None:
        """See :meth:`bjidp.records.Records.get`."""
        return held(self._codec, await self._run(GET, key), self._moments)

    async def replace(self, key: str, value: T, expected: int, lifetime: Millis | None = None) -> int:
        """See :meth:`bjidp.records.Records.replace`."""
        data = self._codec.encode(value)
        version = await self._run(REPLACE, key, data, expected, b"" if lifetime is None else lifetime)
        if not isinstance(version, int) or version == 0:
            raise StaleRecord
        return version

    async def take(self, key: str) -> T | None:
        """See :meth:`bjidp.records.Records.take`."""
        data = await self._run(TAKE, key)
        return None if data is None else self._codec.decode(data)

    def _run(self, script: Script, key: str, *arguments: bytes | int) -> Awaitable[object]:
        return self._link.run(script, self._prefix + key, *self._moments.arguments, *arguments)


def held(codec: Codec[T], row: object, moments: Moments) -> Held[T] | None:
    """Read what :data:`GET` answered."""
    match row:
        case None:
            return None
        case [data, int(version), int(now)]:
            moments.tell(now)
            return Held(codec.decode(data), version, now)
        case _:
            raise StoreUnavailable
