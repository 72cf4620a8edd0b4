"""Rows that belong to somebody: sessions of an account, phones of a platform link.

All rows of one owner are fields of one hash, so that the list per owner is one read, and each change one script on
one key. Who owns a row is found by a pointer, which never changes; a process asks once and remembers. A sorted set
says which rows fall due, for the purge; the time to live of every key is the safety net beneath it.

There is no transaction over several keys, so order is what holds them together: the row is written after everything
that leads to it and removed before it. A row that can be listed can be ended, whatever failed in between.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Generic, Protocol, TypeVar

import structlog

from bjidp.clock import Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.codec import Codec
from bjidp.storage.redis.moments import GRACE
from bjidp.storage.redis.remembered import Remembered

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
"""A key lives as long as the longest-lived of what is in it."""

DUE = Script(
    OUTLIVE
    + """
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
outlive(tonumber(ARGV[3]))
return 1
"""
)

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
    + """
local old = redis.call('HGET', KEYS[1], ARGV[1])
if not old or head(old) ~= tonumber(ARGV[3]) then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
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

log = structlog.get_logger(__name__)


class OwnedRows(Generic[R]):
    """Rows of one kind, each with an owner. Owners and ids are random references, never personal values."""

    def __init__(self, link: Link, prefix: str, kind: type[R]) -> None:
        """Keep rows of type ``kind`` under keys that begin with ``prefix``."""
        self._link = link
        self._prefix = prefix
        self._codec = Codec(kind)
        self._owners = Remembered()

    async def add(self, owner: str, row: R, lifetime: Millis, names: Mapping[str, str]) -> None:
        """Keep a new row and let ``names``, which are never given twice, lead where they say.

        When this raises nobody knows how far it came: :meth:`withdraw` is called for.
        """
        span = lifetime + GRACE
        # Without a purge the list would outlive its rows for ever.
        due = self._link.run(DUE, self._due, row.expires_at, self._entry(owner, row.id), 2 * lifetime + GRACE)
        await asyncio.gather(
            due, *(self._link.call("SET", self._pointer(name), to, "PX", span) for name, to in names.items())
        )
        await self._link.run(PUT, self._key(owner), row.id, self._encode(row), span)

    async def withdraw(self, owner: str, row: R, names: Mapping[str, str]) -> None:
        """Undo :meth:`add`, however far it came; what cannot be undone dies at its deadline, and the log names it."""
        try:
            await self._link.run(REMOVE, self._key(owner), row.id, 0)
            # Not before: while the row is there, whoever lists it must be able to end it.
            await asyncio.gather(
                self._link.call("ZREM", self._due, self._entry(owner, row.id)),
                *(self._link.call("DEL", self._pointer(name)) for name in names),
            )
        except StoreUnavailable:
            log.warning("session_left_to_expire", session=row.id)

    async def point(self, name: str, to: str, lifetime: Millis) -> None:
        """Let one more name, never given before, lead to a row that is there."""
        await self._link.call("SET", self._pointer(name), to, "PX", lifetime + GRACE)

    async def unpoint(self, name: str) -> None:
        """Forget a name that counts no more. Who remembers it is still led by it: the row has to know better."""
        await self._link.call("DEL", self._pointer(name))

    async def owner(self, name: str) -> str | None:
        """Return where ``name`` leads, or None. That the row is still there is another question."""
        known = self._owners.get(name)
        if known is not None:
            return known
        found = await self._link.call("GET", self._pointer(name))
        if not isinstance(found, bytes):
            return None
        owner = found.decode()
        self._owners.keep(name, owner)
        return owner

    async def get(self, owner: str, row_id: str, now: Instant) -> R | None:
        """Return the live row, or None."""
        data = await self._link.call("HGET", self._key(owner), row_id)
        row = None if data is None else self._decode(data)
        return row if row is not None and row.expires_at > now else None

    async def swap(self, owner: str, row: R, expected: int) -> bool:
        """Write ``row`` if the one there has version ``expected``; never create one. Its deadline stays."""
        return await self._link.run(SWAP, self._key(owner), row.id, self._encode(row), expected) == 1

    async def remove(self, owner: str, row_id: str, now: Instant) -> R | None:
        """Remove the live row and return it: of many callers one gets it."""
        data = await self._link.run(REMOVE, self._key(owner), row_id, now)
        if data is None:
            return None
        with contextlib.suppress(StoreUnavailable):
            # The row is gone, and that is what counts: an entry that stays is passed over by the purge.
            await self._link.call("ZREM", self._due, self._entry(owner, row_id))
        return self._decode(data)

    async def of_owner(self, owner: str, now: Instant) -> list[R]:
        """Return the owner's live rows."""
        reply = await self._link.call("HVALS", self._key(owner))
        rows = [self._decode(data) for data in reply] if isinstance(reply, list) else []
        return [row for row in rows if row.expires_at > now]

    async def purge(self, now: Instant, limit: int) -> int:
        """Go through at most ``limit`` rows whose time is over, and remove them; return how many those were."""
        reply = await self._link.call("ZRANGEBYSCORE", self._due, "-inf", now, "LIMIT", 0, limit)
        entries = [entry for entry in reply if isinstance(entry, bytes)] if isinstance(reply, list) else []
        await asyncio.gather(*(self._drop(entry, now) for entry in entries))
        if entries:
            await self._link.call("ZREM", self._due, *entries)
        return len(entries)

    async def _drop(self, entry: bytes, now: Instant) -> None:
        owner, _, row_id = entry.decode().partition(" ")
        await self._link.run(REMOVE_IF_OVER, self._key(owner), row_id, now)

    def _encode(self, row: R) -> bytes:
        return b"%d %d " % (row.version, row.expires_at) + self._codec.encode(row)

    def _decode(self, data: object) -> R:
        return self._codec.decode(data.split(b" ", 2)[-1] if isinstance(data, bytes) else data)

    def _entry(self, owner: str, row_id: str) -> str:
        return f"{owner} {row_id}"

    @property
    def _due(self) -> str:
        return f"{self._prefix}due"

    def _key(self, owner: str) -> str:
        return f"{self._prefix}of:{{{owner}}}"

    def _pointer(self, name: str) -> str:
        return f"{self._prefix}to:{{{name}}}"
