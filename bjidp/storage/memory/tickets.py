"""Flows and their tickets in this process's memory."""

from __future__ import annotations

from itertools import count

from msgspec import Struct

from bjidp.clock import Clock, Instant, Millis
from bjidp.qrlogin.flow import Flow
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.memory.expiry import Expiry


class _Kept(Struct, frozen=True, gc=False):
    flow: Flow
    version: int
    end: Instant


class MemoryTicketStore:
    """:class:`bjidp.qrlogin.ports.TicketStore` for one process."""

    def __init__(self, clock: Clock) -> None:
        """Judge every deadline by ``clock``."""
        self._clock = clock
        self._flows: dict[str, _Kept] = {}
        self._by_ticket: dict[str, str] = {}
        # Versions never come again: what was decided on a former flow of the same id must not fit the next one.
        self._versions = count(1)
        self._expiry = Expiry(self._end_of, self._forget)

    def __len__(self) -> int:
        """Return how many flows are kept, over or not."""
        return len(self._flows)

    async def now(self) -> Instant:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.now`."""
        return self._clock.now()

    async def add(self, flow: Flow, lifetime: Millis) -> None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.add`."""
        now = self._clock.now()
        self._expiry.sweep(now)
        kept = self._flows.get(flow.id)
        if kept is not None and now < kept.end:
            raise DuplicateRecord
        if kept is not None:
            self._forget(flow.id)
        self._keep(flow, now + lifetime)
        self._expiry.add(flow.id, now + lifetime)

    async def read(self, flow_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.read`."""
        now = self._clock.now()
        kept = self._flows.get(flow_id)
        return Held(kept.flow, kept.version, now) if kept is not None and now < kept.end else None

    async def find(self, ticket_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.find`."""
        flow_id = self._by_ticket.get(ticket_id)
        return None if flow_id is None else await self.read(flow_id)

    async def replace(self, flow: Flow, expected: int, lifetime: Millis, *, before: Instant | None = None) -> int:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.replace`."""
        now = self._clock.now()
        kept = self._flows.get(flow.id)
        if kept is None or now >= kept.end or kept.version != expected or (before is not None and now >= before):
            raise StaleRecord
        for former in kept.flow.tickets:
            if flow.ticket(former.id) is None:
                self._by_ticket.pop(former.id, None)
        return self._keep(flow, now + lifetime)

    def _keep(self, flow: Flow, end: Instant) -> int:
        version = next(self._versions)
        self._flows[flow.id] = _Kept(flow, version, end)
        for ticket in flow.tickets:
            self._by_ticket[ticket.id] = flow.id
        return version

    def _end_of(self, flow_id: str) -> Instant | None:
        kept = self._flows.get(flow_id)
        return None if kept is None else kept.end

    def _forget(self, flow_id: str) -> None:
        for ticket in self._flows.pop(flow_id).flow.tickets:
            self._by_ticket.pop(ticket.id, None)
