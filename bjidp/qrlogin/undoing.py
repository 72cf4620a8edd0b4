"""Undo: whoever confirmed says that it was not them (wire.md, section 3; attack P7).

Called by ``web`` for the mini-program. What came of a ticket is found by the ticket while that is kept, some twenty
minutes, and for as long as it lives by the session that remembers it: the one that was opened by it, or that asked for
it where it verified somebody. What a device was given names the ticket itself. Of a browser without a session nothing
is left by then. Nothing is read or written for this when somebody logs in.

A proof that is there no more has been used, or could have been: the account may have another password or number by it.
Then no session of the account is told from the one that did that, and every one ends, on phones too; its owner logs in
anew or recovers the account. A face comes after such a proof: whoever asked for it had used one up before there was a
ticket, so that taking a redeemed one back always ends all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from bjidp.clock import Instant
from bjidp.qrlogin import machine
from bjidp.qrlogin.changes import FlowChanges
from bjidp.qrlogin.errors import TicketExpired, TicketUnknown
from bjidp.qrlogin.flow import Flow
from bjidp.qrlogin.phones import Phone, shaped
from bjidp.qrlogin.policy import Purpose
from bjidp.qrlogin.refusals import Refusals, Refused
from bjidp.qrlogin.ticket import Approved, Redeemed, Rejected, Ticket
from bjidp.qrlogin.wire import UndoAnswer
from bjidp.sessions.ports import Session, SessionEnd
from bjidp.sessions.service import Sessions
from bjidp.verification.proofs import Proofs


class EndDevices(Protocol):
    """Ends what devices were given."""

    async def __call__(self, account: str, tickets: Sequence[bytes]) -> int:
        """End what came of a device ticket of this account, given by its digests; return how much that was."""
        ...


class Undoing:
    """Takes confirmations back."""

    def __init__(
        self,
        *,
        changes: FlowChanges,
        sessions: Sessions,
        proofs: Proofs,
        refusals: Refusals,
        ticket_digests: Callable[[str], tuple[bytes, ...]],
        put_out: Callable[[str], Awaitable[None]],
        end_devices: EndDevices,
    ) -> None:
        """``ticket_digests`` are what sessions may remember a ticket by: one for each active key version.

        ``put_out`` ends every session of an account, in browsers and on phones, and unbinds what it is logged in to by
        elsewhere; ``end_devices`` what devices got.
        """
        self._changes = changes
        self._sessions = sessions
        self._proofs = proofs
        self._refusals = refusals
        self._ticket_digests = ticket_digests
        self._put_out = put_out
        self._end_devices = end_devices

    async def undo(self, phone: Phone, ticket_id: str, *, report: bool) -> UndoAnswer:
        """End what came of a ticket that this account confirmed; once more is as good as once.

        ``report`` counts against the computer's network, once. An account that may not log in may do this. Raises
        :class:`TicketUnknown` for a ticket that the account did not confirm, or of which nothing is left.
        """
        account, digests = phone.holder.account, self._ticket_digests(shaped(ticket_id))
        flow = await self._confirmed(ticket_id, account)
        if flow is not None and await self._was_used(flow, ticket_id, account):
            # First: as long as the ticket says that it was redeemed, a failure is made good by another call.
            await self._put_out(account)
        # The ticket before the session: whoever redeems at this moment looks at the ticket after the session is open.
        taken_back = flow is not None and await self._withdraw(ticket_id, account)
        live = await self._sessions.of_account(account)
        came = [session for session in live if session.login.ticket in digests]
        asked = [session for session in live if session.was_verified_by(digests)]
        if flow is None and asked:
            # No proof lives as long as its ticket is kept.
            await self._put_out(account)
        ended = await self._sessions.end_by_ticket(account, digests, SessionEnd.UNDO)
        devices = await self._end_devices(account, digests)
        for session in asked:
            # Whoever asked was not the owner either.
            await self._sessions.end_one(account, session.id, SessionEnd.UNDO)
        if flow is not None:
            await self._undo_errand(flow, account)
        if flow is None and not ended and not asked and not devices:
            raise TicketUnknown
        refused = _refused(ticket_id, flow, [*came, *asked])
        # Without a report the end of the session, or of what a device was given, says it all.
        if refused is not None and (report or (taken_back and not ended and not devices)):
            now = await self._changes.store.now()
            await self._refusals.note(phone.holder, phone.account_ref, refused, now, report=report)
        return UndoAnswer("ended")

    async def _confirmed(self, ticket_id: str, account: str) -> Flow | None:
        """Return the flow of a ticket that ``account`` had its say on, if it is kept."""
        held = await self._changes.store.find(ticket_id)
        ticket = None if held is None else held.value.ticket(ticket_id)
        if held is None or ticket is None or not isinstance(ticket.state, Approved | Redeemed | Rejected):
            return None
        found = machine.scanner(ticket)
        return held.value if found is not None and found[0].account == account else None

    async def _withdraw(self, ticket_id: str, account: str) -> bool:
        """Take the confirmation back; return whether that was left to do."""

        def withdraw(ticket: Ticket, now: Instant) -> Ticket:
            found = machine.scanner(ticket)
            if found is None or found[0].account != account:
                raise TicketUnknown
            return machine.withdraw(ticket, now)

        try:
            await self._changes.on_ticket(ticket_id, withdraw)
        except (machine.InvalidTransition, TicketExpired, TicketUnknown):
            # Rejected already, or nobody redeemed it in time: nothing can come of it any more.
            return False
        return True

    async def _was_used(self, flow: Flow, ticket_id: str, account: str) -> bool:
        """Tell whether a proof of 验证身份 was used up by it, or for it; one that is there still goes with this."""
        errand, ticket = flow.about.errand, flow.ticket(ticket_id)
        if errand is None or ticket is None or not isinstance(ticket.state, Redeemed):
            return False
        if flow.about.purpose is Purpose.FACE:
            # Another proof for a face that the session may have by now tells nothing of the one before this ticket.
            return True
        return not await self._proofs.revoke(errand.session or flow.browser, account, errand.operation)

    async def _undo_errand(self, flow: Flow, account: str) -> None:
        errand = flow.about.errand
        if errand is None:
            return
        await self._proofs.revoke(errand.session or flow.browser, account, errand.operation)
        if errand.session is not None:
            # Also one that has not noted it: the proof was never given. A session of another account, at a recovery, is
            # not theirs to end.
            await self._sessions.end_one(account, errand.session, SessionEnd.UNDO)


def _refused(ticket_id: str, flow: Flow | None, came: list[Session]) -> Refused | None:
    ticket = None if flow is None else flow.ticket(ticket_id)
    if flow is not None and ticket is not None:
        return Refused.of(flow, ticket)
    if not came:
        return None
    login = came[0].login
    return Refused(ticket_id, login.browser, login.os, login.network)
