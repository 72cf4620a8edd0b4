"""Flows and their tickets in this process's memory."""

from __future__ import annotations

from itertools import count

from bjidp.clock import Clock, Instant, Millis
from bjidp.qrlogin.flow import Flow
from bjidp.records import DuplicateRecord, Held, StaleRecord
from bjidp.storage.memory.expiry import Expiry


class MemoryTicketStore:
    """:class:`bjidp.qrlogin.ports.TicketStore` for one process."""

    def __init__(self, clock: Clock) -> None:
        """Judge every deadline by ``clock``."""
        self._clock = clock
        self._flows: dict[str, tuple[Flow, int]] = {}
        self._by_ticket: dict[str, str] = {}
        # Versions never come again: what was decided on a former flow of the same id must not fit the next one.
        self._versions = count(1)
        self._expiry = Expiry()

    def __len__(self) -> int:
        """Return how many flows are kept, over or not."""
        return len(self._flows)

    async def now(self) -> Instant:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.now`."""
        return self._clock.now()

    async def add(self, flow: Flow, lifetime: Millis) -> None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.add`."""
        now = self._clock.now()
        self._expiry.sweep(now, self._forget)
        if not self._expiry.is_over(flow.id, now):
            raise DuplicateRecord
        self._forget(flow.id)
        self._keep(flow, now + lifetime)

    async def read(self, flow_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.read`."""
        now = self._clock.now()
        if self._expiry.is_over(flow_id, now):
            return None
        flow, version = self._flows[flow_id]
        return Held(flow, version, now)

    async def find(self, ticket_id: str) -> Held[Flow] | None:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.find`."""
        flow_id = self._by_ticket.get(ticket_id)
        return None if flow_id is None else await self.read(flow_id)

    async def replace(self, flow: Flow, expected: int, lifetime: Millis, *, before: Instant | None = None) -> int:
        """See :meth:`bjidp.qrlogin.ports.TicketStore.replace`."""
        now = self._clock.now()
        if self._expiry.is_over(flow.id, now) or self._flows[flow.id][1] != expected:
            raise StaleRecord
        if before is not None and now >= before:
            raise StaleRecord
        self._unindex(flow.id)
        return self._keep(flow, now + lifetime)

    def _keep(self, flow: Flow, end: Instant) -> int:
        version = next(self._versions)
        self._flows[flow.id] = (flow, version)
        for ticket in flow.tickets:
            self._by_ticket[ticket.id] = flow.id
        self._expiry.set(flow.id, end)
        return version

    def _unindex(self, flow_id: str) -> None:
        for ticket in self._flows[flow_id][0].tickets:
            self._by_ticket.pop(ticket.id, None)

    def _forget(self, flow_id: str) -> None:
        if flow_id in self._flows:
            self._unindex(flow_id)
            del self._flows[flow_id]
