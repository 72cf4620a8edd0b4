"""What a person's no leaves behind: a line in the audit log, and a mark on the computer's network.

Owns the count of reports, which calls for the reverse code on computers of a network that was reported often. Called
by :mod:`bjidp.qrlogin.phones` and :mod:`bjidp.qrlogin.undoing`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog
from msgspec import Struct

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import DAY, Instant
from bjidp.entropy import base64url
from bjidp.errors import RateLimited, Retryable, StoreUnavailable
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.ticket import Holder, Ticket
from bjidp.throttle.ports import Throttle, Window

REPORTS: Final = Window(10_000, DAY)
"""Reports are counted, never refused."""

ONCE: Final = Window(1, DAY)
"""How often one ticket is reported: who has refused it, or taken it back, may say so later."""

log = structlog.get_logger(__name__)


class Refused(Struct, frozen=True):
    """What was refused: the ticket, and what the server saw of the computer that showed it.

    ``action`` says what it was for where that is no login.
    """

    ticket: str
    browser: str
    os: str
    network: bytes
    action: str | None = None

    @classmethod
    def of(cls, flow: Flow, ticket: Ticket) -> Refused:
        """Return what is known of a ticket of ``flow``."""
        computer, about = ticket.computer, flow.about
        action = None if about.purpose is Purpose.LOGIN else about.action
        return cls(ticket.id, computer.browser, computer.os, computer.network, action)


class Refusals:
    """Writes down who refused what, after the refusal, which is not taken back when this cannot be written."""

    def __init__(self, audit: AuditLog, throttle: Throttle, ticket_digest: Callable[[str], bytes]) -> None:
        """``ticket_digest`` is what the audit log calls a ticket."""
        self._audit = audit
        self._throttle = throttle
        self._ticket_digest = ticket_digest

    async def note(self, holder: Holder, account_ref: str, refused: Refused, now: Instant, *, report: bool) -> None:
        """Audit the refusal; ``report`` counts against the computer's network, once for a ticket.

        A store that is away costs a line in the log, not the person's answer.
        """
        if report and not await self._is_first(refused.ticket):
            return
        kind = EventKind.LOGIN_REPORTED if report else EventKind.LOGIN_REJECTED
        facts = {Fact.BROWSER: refused.browser, Fact.OS: refused.os}
        if holder.platform:
            # Of whoever refuses a device on a page there is none.
            facts[Fact.PLATFORM] = holder.platform
        if refused.action is not None:
            facts[Fact.ACTION] = refused.action
        event = AuditEvent(
            kind=kind,
            at=now,
            account_ref=account_ref,
            ticket=base64url(self._ticket_digest(refused.ticket)),
            facts=facts,
        )
        try:
            await self._audit.append(event)
        except StoreUnavailable:
            log.error("audit_event_not_stored", kind=kind.value, account=account_ref, ticket=event.ticket)  # noqa: TRY400
        if report:
            try:
                await self._throttle.hit(_key(refused.network), REPORTS)
            except Retryable:
                log.warning("report_not_counted")

    async def _is_first(self, ticket: str) -> bool:
        try:
            await self._throttle.hit(f"qr.reported:{base64url(self._ticket_digest(ticket))}", ONCE)
        except RateLimited:
            return False
        except StoreUnavailable:
            # It is not counted either, then.
            return True
        return True

    async def reported(self, network: bytes) -> int:
        """Return how often computers of a network were reported within a day."""
        return await self._throttle.peek(_key(network), REPORTS)


def _key(network: bytes) -> str:
    return f"qr.reports:{network.hex()}"
