"""Flows and their tickets in Redis.

A flow lies under one key, so that every change of it is one script. A second key for each ticket says which flow it
belongs to; that never changes, so a process asks once and remembers. Pointers are written before the flow that needs
them and are good for twice its lifetime; what counts is whether the flow still has the ticket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from bjidp.clock import SECOND, Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin.flow import Flow
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.redis.client import Link, Script
from bjidp.storage.redis.codec import Codec
from bjidp.storage.redis.moments import FIRST_VERSION, NOW, Moments
from bjidp.storage.redis.records import GET, held
from bjidp.storage.redis.remembered import Remembered

STALE = 0
POINT_FIRST = -1

ADD = Script(
    NOW
    + FIRST_VERSION
    + """
local over = redis.call('HGET', KEYS[1], 'end')
if over and tonumber(over) > now then return 0 end
local lifetime = tonumber(ARGV[4])
-- No DEL first: a full server refuses a script's first write, and only if that one takes memory.
redis.call('HSET', KEYS[1], 'data', ARGV[3], 'version', first_version(), 'end', now + lifetime,
  'pointed', now + 2 * lifetime)
redis.call('PEXPIRE', KEYS[1], lifetime + grace)
return 1
"""
)

REPLACE = Script(
    NOW
    + """
local row = redis.call('HMGET', KEYS[1], 'end', 'version', 'pointed')
if not row[1] or tonumber(row[1]) <= now or row[2] ~= ARGV[4] then return 0 end
if ARGV[6] ~= '' and now >= tonumber(ARGV[6]) then return 0 end
local version = tonumber(row[2]) + 1
local lifetime = tonumber(ARGV[5])
local pointed = tonumber(row[3])
if ARGV[7] == '1' then
  pointed = now + 2 * lifetime
elseif pointed < now + lifetime then
  -- Every ticket must be found for as long as the flow lives.
  return -1
end
redis.call('HSET', KEYS[1], 'data', ARGV[3], 'version', version, 'end', now + lifetime, 'pointed', pointed)
redis.call('PEXPIRE', KEYS[1], lifetime + grace)
return version
"""
)

CLOCK = Script(NOW + "return now")


class RedisTicketStore:
    """:class:`bjidp.qrlogin.ports.TicketStore` for many processes."""

    def __init__(self, link: Link, prefix: str, moments: Moments) -> None:
        """Keep flows and pointers under keys that begin with ``prefix``."""
        self._link = link
        self._prefix = prefix
        self._moments = moments
        self._codec = Codec(Flow)
        self._flow_of = Remembered()

    async def now(self) -> Instant:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.now`; for a second after an answer, without asking again."""
        told = self._moments.now()
        if told is not None:
            return told
        reply = await self._run(CLOCK, "")
        if not isinstance(reply, int):
            raise StoreUnavailable
        self._moments.tell(reply)
        return reply

    async def add(self, flow: Flow, lifetime: Millis) -> None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.add`."""
        await self._point(flow, lifetime)
        if not await self._run(ADD, flow.id, self._codec.encode(flow), lifetime):
            raise DuplicateRecord
        self._remember(flow)

    async def read(self, flow_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.read`."""
        found = held(self._codec, await self._run(GET, flow_id), self._moments)
        if found is not None:
            self._remember(found.value)
        return found

    async def find(self, ticket_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.find`."""
        flow_id = self._flow_of.get(ticket_id)
        if flow_id is None:
            pointer = await self._link.call("GET", self._pointer(ticket_id))
            if not isinstance(pointer, bytes):
                return None
            flow_id = pointer.decode()
        found = await self.read(flow_id)
        return found if found is not None and found.value.ticket(ticket_id) is not None else None

    async def replace(self, flow: Flow, expected: int, lifetime: Millis, *, before: Instant | None = None) -> int:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.replace`."""
        data = self._codec.encode(flow)
        deadline = b"" if before is None else before
        # What was read from a flow has its pointer; what has not been read is new, or was forgotten here.
        pointed = any(self._flow_of.get(ticket.id) is None for ticket in flow.tickets)
        while True:
            if pointed:
                await self._point(flow, lifetime)
            reply = await self._run(REPLACE, flow.id, data, expected, lifetime, deadline, b"1" if pointed else b"")
            if reply == POINT_FIRST and not pointed:
                pointed = True
                continue
            break
        if not isinstance(reply, int) or reply == STALE:
            raise StaleRecord
        self._remember(flow)
        return reply

    async def _point(self, flow: Flow, lifetime: Millis) -> None:
        # A pointer that no flow comes to need leads nowhere and dies by itself.
        span = 2 * lifetime + self._moments.grace + SECOND
        flow_id = flow.id.encode()
        sent = [self._link.call("SET", self._pointer(ticket.id), flow_id, "PX", span) for ticket in flow.tickets]
        # Mostly there is one, and a task for it would take more CPU than the command.
        await (sent[0] if len(sent) == 1 else asyncio.gather(*sent))

    def _remember(self, flow: Flow) -> None:
        for ticket in flow.tickets:
            self._flow_of.keep(ticket.id, flow.id)

    def _pointer(self, ticket_id: str) -> str:
        return f"{self._prefix}ticket:{{{ticket_id}}}"

    def _run(self, script: Script, flow_id: str, *arguments: bytes | int) -> Awaitable[object]:
        key = f"{self._prefix}flow:{{{flow_id}}}"
        return self._link.run(script, key, *self._moments.arguments, *arguments)
