"""What sessions in Redis need from the database of accounts.

Accounts, the audit log and the known networks stay there; ``bootstrap`` hands the SQL stores in.
"""

from __future__ import annotations

from typing import Protocol

import structlog

from bjidp.audit.event import AuditEvent, EventKind, Fact
from bjidp.audit.ports import AuditLog
from bjidp.clock import Instant
from bjidp.errors import StoreUnavailable
from bjidp.sessions.ports import Login
from bjidp.standing import Standing

log = structlog.get_logger(__name__)


class Gate(Protocol):
    """The account's side of a login, each call one transaction. Raises ``StoreUnavailable``."""

    async def standing(self, account: str) -> Standing | None:
        """Return the account's standing, or None when there is no such account."""
        ...

    async def standing_of_link(self, link: str) -> Standing | None:
        """Return the standing of the account a platform link stands for, or None when there is no such link."""
        ...

    async def links_of(self, account: str) -> list[str]:
        """Return the platform links that stand for an account; one of each platform at most."""
        ...

    async def admit(self, account: str, login: Login, session: str, now: Instant, epoch: int | None = None) -> Standing:
        """Take the last look at the account, audit the login, remember the network.

        Raises ``AccountRefused``, and ``ConfirmationOver`` when ``epoch`` is none that the account is in.
        """
        ...

    async def admit_mini(self, account: str, link: str, platform: str, session: str, now: Instant) -> Standing:
        """Do so for a phone by its platform link; raise ``AccountRefused``."""
        ...

    async def outdate(self, account: str) -> None:
        """End the account's epoch. It waits for logins that are admitted at this moment."""
        ...


class Dependents(Protocol):
    """What goes with sessions and lies in the database: grants. Raises ``StoreUnavailable``."""

    async def end_of_session(self, session: str, now: Instant, *, away: bool = False) -> int:
        """End what goes with a session, with ``away`` all that came of it; return how many."""
        ...

    async def end_of_account(self, account: str, keep: str | None, now: Instant) -> int:
        """End all of an account but what came of the session ``keep``; return how many."""
        ...


class Ledger:
    """Writes down how sessions ended."""

    def __init__(self, gate: Gate, audit: AuditLog) -> None:
        """Name accounts by the reference ``gate`` knows, write to ``audit``."""
        self._gate = gate
        self._audit = audit

    async def ended(
        self,
        kind: EventKind,
        account: str,
        session: str,
        now: Instant,
        facts: dict[Fact, str],
        ticket: str | None = None,
    ) -> None:
        """Append the event. The row is gone already: ending comes before telling, and is not taken back for it.

        An event that cannot be written is a line in the log with the references it would have had; where the account
        could not be asked for its own, the session leads to it by the event of its login.
        """
        reference = None
        try:
            standing = await self._gate.standing(account)
            reference = None if standing is None else standing.ref
            await self._audit.append(AuditEvent(kind, now, reference, session, ticket, facts))
        except BaseException as error:
            reason = facts.get(Fact.REASON)
            log.error(  # noqa: TRY400 - the fault is told without its text
                "audit_event_not_stored",
                kind=kind.value,
                account=reference,
                session=session,
                ticket=ticket,
                reason=reason,
            )
            if not isinstance(error, StoreUnavailable):
                raise
