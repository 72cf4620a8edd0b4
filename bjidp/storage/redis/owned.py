"""Rows that belong to somebody: sessions of an account, phones of a platform link.

All rows of one owner are fields of one hash, so that the list per owner is one read, and each change one script on
one key. Who owns a row is found by a pointer, which never changes; a process asks once and remembers. A sorted set
says which rows fall due, for the purge; the time to live of every key is the safety net beneath it.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, Protocol, TypeVar

from bjidp.clock import Instant, Millis
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.codec import Codec
from bjidp.storage.redis.moments import GRACE

REMEMBERED = 16_384
"""Pointers a process remembers."""

PURGED_AT_ONCE = 500
"""Rows one purge looks at, so that a backlog never holds the others up."""

HEAD = """
local function head(row)
  local version, over = string.match(row, '^(%d+) (%d+) ')
  return tonumber(version), tonumber(over)
end
"""
"""What scripts read of a row: its version and its deadline stand before it. They cannot decode the rest, since the
MessagePack of Redis' Lua knows no binary values."""

OUTLIVE = """
local function outlive(span)
  if redis.call('PTTL', KEYS[1]) < span then redis.call('PEXPIRE', KEYS[1], span) end
end
"""

PUT = Script(
    OUTLIVE
    + """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
outlive(tonumber(ARGV[3]))
return 1
"""
)

SWAP = Script(
    HEAD
    + OUTLIVE
    + """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or head(old) ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
outlive(tonumber(ARGV[4]))
return 1
"""
)

REMOVE = Script(
    HEAD
    + """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or select(2, head(old)) <= tonumber(ARGV[2]) then return false end
redis.call('HDEL', KEYS[1], ARGV[1])
return old
"""
)

REMOVE_IF_OVER = Script(
    HEAD
    + """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or select(2, head(old)) > tonumber(ARGV[2]) then return 0 end
return redis.call('HDEL', KEYS[1], ARGV[1])
"""
)


class Owned(Protocol):
    """What a row tells of itself."""

    @property
    def id(self) -> str: ...

    @property
    def version(self) -> int: ...

    @property
    def expires_at(self) -> Instant: ...


R = TypeVar("R", bound=Owned)


class OwnedRows(Generic[R]):
    """Rows of one kind, each with an owner. Owners and ids are random references, never personal values."""

    def __init__(self, link: Link, prefix: str, kind: type[R]) -> None:
        """Keep rows of type ``kind`` under keys that begin with ``prefix``."""
        self._link = link
        self._prefix = prefix
        self._codec = Codec(kind)
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def point(self, name: str, owner: str, lifetime: Millis) -> None:
        """Let ``name`` lead to ``owner`` from now on; names are never given twice."""
        await self._link.call("SET", self._pointer(name), owner, "PX", lifetime + GRACE)

    async def owner(self, name: str) -> str | None:
        """Return whom ``name`` leads to, or None. That the row is still there is another question."""
        known = self._owners.get(name)
        if known is not None:
            return known
        found = await self._link.call("GET", self._pointer(name))
        if not isinstance(found, bytes):
            return None
        self._owners[name] = owner = found.decode()
        while len(self._owners) > REMEMBERED:
            self._owners.popitem(last=False)
        return owner

    async def put(self, owner: str, row: R, lifetime: Millis) -> None:
        """Keep a new row."""
        due = f"{self._prefix}due"
        await self._link.call("ZADD", due, row.expires_at, f"{owner} {row.id}")
        # Without a purge the set would outlive its rows for ever.
        await self._link.call("PEXPIRE", due, 2 * lifetime + GRACE)
        await self._link.run(PUT, self._key(owner), row.id, self._encode(row), lifetime + GRACE)

    async def get(self, owner: str, row_id: str, now: Instant) -> R | None:
        """Return the live row, or None."""
        data = await self._link.call("HGET", self._key(owner), row_id)
        row = None if data is None else self._decode(data)
        return row if row is not None and row.expires_at > now else None

    async def swap(self, owner: str, row: R, expected: int, lifetime: Millis) -> bool:
        """Write ``row`` if the one there has version ``expected``; never create one."""
        data = self._encode(row)
        return await self._link.run(SWAP, self._key(owner), row.id, data, expected, lifetime + GRACE) == 1

    async def remove(self, owner: str, row_id: str, now: Instant) -> R | None:
        """Remove the live row and return it: of many callers one gets it."""
        data = await self._link.run(REMOVE, self._key(owner), row_id, now)
        return None if data is None else self._decode(data)

    async def of_owner(self, owner: str, now: Instant) -> list[R]:
        """Return the owner's live rows."""
        reply = await self._link.call("HVALS", self._key(owner))
        rows = [self._decode(data) for data in reply] if isinstance(reply, list) else []
        return [row for row in rows if row.expires_at > now]

    async def purge(self, now: Instant) -> int:
        """Remove rows whose time is over; return how many."""
        due = f"{self._prefix}due"
        members = await self._link.call("ZRANGEBYSCORE", due, "-inf", now, "LIMIT", 0, PURGED_AT_ONCE)
        gone = 0
        for member in members if isinstance(members, list) else []:
            if not isinstance(member, bytes):
                continue
            owner, _, row_id = member.decode().partition(" ")
            removed = await self._link.run(REMOVE_IF_OVER, self._key(owner), row_id, now)
            gone += removed if isinstance(removed, int) else 0
            await self._link.call("ZREM", due, member)
        return gone

    def _encode(self, row: R) -> bytes:
        return b"%d %d " % (row.version, row.expires_at) + self._codec.encode(row)

    def _decode(self, data: object) -> R:
        return self._codec.decode(data.split(b" ", 2)[-1] if isinstance(data, bytes) else data)

    def _key(self, owner: str) -> str:
        return f"{self._prefix}of:{{{owner}}}"

    def _pointer(self, name: str) -> str:
        return f"{self._prefix}to:{{{name}}}"
