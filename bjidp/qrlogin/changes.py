"""Changing a flow that others change too.

Owns the one loop of the house: read, decide, compare and set, and on a lost race read and decide again. The
decision is pure, so deciding twice is harmless. Whoever watches is told after the write has happened, never before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import structlog

from bjidp.clock import Instant, Millis
from bjidp.errors import StoreUnavailable
from bjidp.qrlogin import flow as flows
from bjidp.qrlogin import machine
from bjidp.qrlogin.errors import TicketUnknown
from bjidp.qrlogin.flow import Flow, Watcher
from bjidp.qrlogin.ports import TicketStore
from bjidp.qrlogin.ticket import Ticket
from bjidp.records import Held, StaleRecord
from bjidp.signals.ports import SignalBus

LIFETIME: Millis = 20 * 60 * 1000
"""How long an untouched flow is kept: longer than any browser record, so that a phone that repeats a call after the
page has gone is still told what became of its ticket."""

ATTEMPTS = 24
"""Lost races in a row before giving up with a 503: sixteen racing callers settle in sixteen rounds."""

RETRIES = (0.1, 0.5, 2.0)
"""Pauses in seconds before a signal that could not be sent is sent again."""

log = structlog.get_logger(__name__)


class FlowChanges:
    """Applies decisions to flows and tells those who watch."""

    def __init__(self, store: TicketStore, bus: SignalBus) -> None:
        """Write to ``store``, tell over ``bus``."""
        self.store = store
        self._bus = bus
        self._retrying: set[asyncio.Task[None]] = set()

    async def on_ticket(
        self,
        ticket_id: str,
        event: Callable[[Ticket, Instant], Ticket],
        *,
        found: Held[Flow] | None = None,
        quiet: bool = False,
    ) -> Flow:
        """Apply a transition to a ticket; raise :class:`TicketUnknown` when there is none of that id.

        ``event`` may be called several times, each time with what was just read; what it raises is raised here. The
        store refuses the write once its clock has reached the deadline of the phase that was read (attack Q15).
        ``found`` is the flow as the caller read it just now, which spares the first read. With ``quiet`` nobody is
        told, for a move that is no news to a page.
        """
        for _ in range(ATTEMPTS):
            held, found = found or await self.store.find(ticket_id), None
            ticket = None if held is None else held.value.ticket(ticket_id)
            if held is None or ticket is None:
                raise TicketUnknown
            changed = flows.put(held.value, event(ticket, held.now), held.now)
            if await self.try_write(held, changed, before=machine.deadline(ticket), quiet=quiet) is not None:
                return changed
        raise StoreUnavailable

    async def on_flow(self, flow_id: str, decide: Callable[[Held[Flow]], Flow]) -> Flow | None:
        """Change a flow as ``decide`` says; return it, or None when there is no such flow.

        Returning the flow that was read means that nothing is to be written.
        """
        for _ in range(ATTEMPTS):
            held = await self.store.read(flow_id)
            if held is None:
                return None
            written = await self.try_write(held, decide(held))
            if written is not None:
                return written
        raise StoreUnavailable

    async def try_write(
        self, held: Held[Flow], changed: Flow, *, before: Instant | None = None, quiet: bool = False
    ) -> Flow | None:
        """Write what was decided on ``held``; return it, or None when the race was lost.

        Those who watched before are told, unless ``quiet``: a page that leaves is no news to the others.
        """
        if changed is held.value:
            return changed
        try:
            await self.store.replace(changed, held.version, LIFETIME, before=before)
        except StaleRecord:
            return None
        if not quiet:
            await self.tell(changed.id, held.value.watchers)
        return changed

    async def tell(self, flow_id: str, watchers: Iterable[Watcher]) -> None:
        """Wake the processes these watchers are on. What was written stays written if a signal cannot be sent."""
        for inbox in {watcher.inbox for watcher in watchers}:
            try:
                await self._bus.publish(inbox, flow_id)
            except StoreUnavailable:
                log.warning("signal_delayed")
                task = asyncio.get_running_loop().create_task(self._retry(inbox, flow_id))
                self._retrying.add(task)
                task.add_done_callback(self._retrying.discard)

    async def _retry(self, inbox: str, flow_id: str) -> None:
        for pause in RETRIES:
            await asyncio.sleep(pause)
            try:
                await self._bus.publish(inbox, flow_id)
            except StoreUnavailable:
                continue
            return
        log.error("signal_lost")
